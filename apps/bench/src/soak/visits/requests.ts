import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { RequestOptions, RotatorResponse } from '@whirl/rotator';
import { bytesOf, maxBytes, oneOf, type Ending, type Kind, type Visit } from './visit.ts';

/** What is asked for, and the statuses with which it is what was asked for. */
const paths = ['/', '/', '/', '/bytes/2000', '/delay/50', '/gzip', '/status/404', '/status/500'];
/** A target that hangs, breaks its body, or is overloaded. */
const badPaths = ['/delay/3000', '/cut', '/status/503', '/status/502'];
const badRatio = 0.05;
const head = { path: '/?head', expected: 200 };
const methods = ['POST', 'PUT', 'PATCH', 'DELETE'] as const;
const regions = ['eu', 'us'];

/** Where this visit goes. */
export function urlOf({ at, random }: Visit, path: string): string {
  return (random() < 0.3 ? at.secure : at.plain) + path;
}

/** A path of the target, and the status that it responds with. */
export function pathOf(random: () => number): { path: string; expected: number } {
  const path = oneOf(random() < badRatio ? badPaths : paths, random);
  return { path, expected: Number(/^\/status\/(\d+)/.exec(path)?.[1] ?? 200) };
}

/** A status that no client asked for: a proxy's, or the target's which is to be tried again. */
export function isFailure(statusCode: number, expected: number): boolean {
  return statusCode !== expected || [502, 503, 504].includes(statusCode);
}

/** What the request asks of the pool beside its policy. */
function routing(random: () => number) {
  const at = random();
  if (at < 0.15) return { sessionId: `s${Math.floor(random() * 50)}` };
  return at < 0.25 ? { region: oneOf(regions, random) } : {};
}

/** Reads a body, slowly if it is to be slow. */
async function lengthOf(visit: Visit, { body }: RotatorResponse, slow: boolean): Promise<number> {
  let length = 0;
  for await (const chunk of body) {
    length += (chunk as Buffer).length;
    visit.reached('body');
    if (slow) await wait(2);
  }
  return length;
}

/** The verbs, with bodies that are held in memory. */
export const requests: Kind = {
  name: 'verbs',
  weight: 8,
  settles: true,
  async visit(visit) {
    const { view, random, signal } = visit;
    if (random() < 0.3) return judged(await echoed(visit, inMemory(random)));
    const { path, expected } = random() < 0.1 ? head : pathOf(random);
    const method = path === head.path ? 'HEAD' : 'GET';
    const options = { method, signal, ...routing(random) };
    const response = await view.request(urlOf(visit, path), options);
    visit.reached('headers');
    await lengthOf(visit, response, false);
    return isFailure(response.statusCode, expected) ? 'failed' : 'succeeded';
  },
};

/** Bodies that are thrown away, and responses that are destroyed before their bodies are read. */
export const discards: Kind = {
  name: 'discards',
  weight: 1,
  settles: false,
  async visit(visit) {
    const { view, random, signal } = visit;
    const { statusCode, body } = await view.get(urlOf(visit, '/bytes/20000'), { signal });
    visit.reached('headers');
    if (random() < 0.5) await body.dump();
    else body.on('error', () => {}).destroy();
    return isFailure(statusCode, 200) ? 'failed' : 'succeeded';
  },
};

/** Bodies that come from a stream, an iterator, or a function that returns a fresh one. */
export const uploads: Kind = {
  name: 'uploads',
  weight: 2,
  settles: true,
  visit: async (visit) => judged(await echoed(visit, streamed(visit.random))),
};

/** Long bodies, some of which are read slowly. */
export const downloads: Kind = {
  name: 'downloads',
  weight: 2,
  settles: true,
  async visit(visit) {
    const { view, random, signal } = visit;
    const length = Math.ceil(random() * 4 * maxBytes);
    const response = await view.get(urlOf(visit, `/bytes/${length}`), { signal });
    visit.reached('headers');
    const received = await lengthOf(visit, response, random() < 0.2);
    if (response.statusCode !== 200) return 'failed';
    return received === length ? 'succeeded' : 'wrong';
  },
};

interface Upload {
  readonly body: RequestOptions['body'];
  readonly length: number;
}

/** Sends it, and reads back what the target got. */
async function echoed(visit: Visit, { body, length }: Upload) {
  const { view, random, signal } = visit;
  const method = oneOf(methods, random);
  const headers = { 'content-type': 'application/octet-stream' };
  const response = await view.request(urlOf(visit, '/echo'), { method, headers, body, signal });
  visit.reached('headers');
  const received = Buffer.from(await response.body.arrayBuffer());
  return { statusCode: response.statusCode, received, length };
}

function judged({ statusCode, received, length }: Awaited<ReturnType<typeof echoed>>): Ending {
  if (statusCode !== 200) return 'failed';
  return received.equals(bytesOf(length)) ? 'succeeded' : 'wrong';
}

function inMemory(random: () => number): Upload {
  const length = Math.floor(random() * 4096);
  const bytes = bytesOf(length);
  const body = oneOf([bytes, new Uint8Array(bytes), new Blob([new Uint8Array(bytes)])], random);
  return { body, length };
}

function streamed(random: () => number): Upload {
  const length = Math.ceil(random() * maxBytes);
  const stream = () => Readable.from(parts(length));
  return { body: oneOf([stream(), parts(length), stream], random), length };
}

async function* parts(length: number): AsyncGenerator<Buffer> {
  const bytes = bytesOf(length);
  for (let from = 0; from < length; from += 16_384) {
    yield bytes.subarray(from, from + 16_384);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
