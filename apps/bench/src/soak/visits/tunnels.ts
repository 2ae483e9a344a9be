import http from 'node:http';
import https from 'node:https';
import type { Agents, Tunnel } from '@whirl/rotator';
import { bytesOf, maxBytes, type Ending, type Kind, type Visit } from './visit.ts';

/** A client that hears nothing for so long gives up. */
const patienceMs = 15_000;

/** node:http and node:https over agents: each request has a tunnel of its own. */
export const agents: Kind = {
  name: 'agents',
  weight: 2,
  settles: false,
  async visit(visit) {
    const { view, at, random, signal } = visit;
    const made = view.agents({ keepAlive: false });
    const ending = await asked(visit, made, random() < 0.5 ? at.secure : at.plain, signal);
    made.http.destroy();
    made.https.destroy();
    return ending;
  },
};

/** One request of node:http. Its body must be as long as it says. */
export function asked(
  visit: Pick<Visit, 'reached' | 'at'>,
  made: Agents,
  origin: string,
  signal?: AbortSignal,
): Promise<Ending> {
  const secure = origin.startsWith('https:');
  const options = { agent: secure ? made.https : made.http, ca: visit.at.ca, signal };
  const length = 5000;
  return new Promise((resolve, reject) => {
    const request = (secure ? https : http).request(`${origin}/bytes/${length}`, options);
    request.setTimeout(patienceMs, () => request.destroy(new Error('no response')));
    request.on('error', reject).end();
    request.on('response', (response) => {
      visit.reached('headers');
      let received = 0;
      response.on('data', (chunk: Buffer) => {
        received += chunk.length;
        visit.reached('body');
      });
      response.on('error', reject).on('end', () => {
        if (response.statusCode !== 200) resolve('failed');
        else resolve(received === length ? 'succeeded' : 'wrong');
      });
    });
  });
}

/** What a client sends first, and may be sent again through another proxy: the target sends it back. */
const greetingBytes = 64;
const isEcho = (_sent: Buffer, first: Buffer) => first.equals(bytesOf(first.length));

/** Raw tunnels: what is sent comes back, and the tunnel has counted it. */
export const connects: Kind = {
  name: 'connect',
  weight: 2,
  settles: false,
  async visit(visit) {
    const { view, at, random, signal } = visit;
    const replay = { repeatable: () => true, plausible: isEcho, greetingMs: 2000 };
    const to = { host: '127.0.0.1', port: at.echoPort };
    const tunnel = await view.connect({ ...to, replay, firstByteMs: 500, signal });
    visit.reached('headers');
    const length = greetingBytes + Math.ceil(random() * (maxBytes - greetingBytes));
    const ending = await exchanged(visit, tunnel, bytesOf(length));
    const { bytesUp, bytesDown } = await tunnel.ended;
    const counted = bytesUp === length && bytesDown === length;
    return ending === 'succeeded' && !counted ? 'wrong' : ending;
  },
};

function exchanged(visit: Visit, tunnel: Tunnel, bytes: Buffer): Promise<Ending> {
  return new Promise((resolve) => {
    let received = 0;
    const end = (ending: Ending) => {
      clearTimeout(timer);
      tunnel.destroy();
      resolve(ending);
    };
    const timer = setTimeout(() => end('failed'), patienceMs);
    tunnel.on('error', () => {}).on('close', () => end('failed'));
    tunnel.on('data', (chunk: Buffer) => {
      const expected = bytes.subarray(received, received + chunk.length);
      received += chunk.length;
      if (!chunk.equals(expected)) end('wrong');
      else if (received === bytes.length) end('succeeded');
      else visit.reached('body');
      const greeted = received - chunk.length < greetingBytes && received >= greetingBytes;
      if (greeted && !tunnel.destroyed) tunnel.write(bytes.subarray(greetingBytes));
    });
    tunnel.write(bytes.subarray(0, greetingBytes));
  });
}
