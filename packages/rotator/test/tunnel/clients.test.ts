import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { certificateOf, startTarget, type Behaviour } from '@whirl/testkit';
import axios from 'axios';
import got from 'got';
import fetch from 'node-fetch';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { use } from '../support/rig.ts';
import { tunnelRig } from '../support/tunnel-rig.ts';

const deadAndGood: readonly Behaviour[] = [
  { kind: 'refuse' },
  { kind: 'close' },
  { kind: 'reset' },
  { kind: 'status', statusCode: 503 },
  { kind: 'garbage' },
  { kind: 'ok' },
];

const schemes = [false, true] as const;

async function behindDeadProxies(tls: boolean) {
  const target = use(await startTarget({ tls }));
  const rig = await tunnelRig(deadAndGood, { tls: { ca: target.ca } });
  return { ...rig, target, agents: rig.rotator.agents() };
}

describe.each(schemes)('clients behind five dead proxies and one good one, TLS %s', (tls) => {
  it('T13 got', async () => {
    const { target, agents, rotator } = await behindDeadProxies(tls);
    const client = got.extend({ agent: agents, retry: { limit: 0 } });
    expect(await client(target.url).json()).toMatchObject({ ok: true });
    expect(await client.post(`${target.url}echo`, { body: 'hello' }).text()).toBe('hello');
    expect(rotator.getRetryMetrics().getSummary()).toMatchObject({ totalRequests: 1 });
  });

  it('T13 axios', async () => {
    const { target, agents } = await behindDeadProxies(tls);
    const client = axios.create({ httpAgent: agents.http, httpsAgent: agents.https, proxy: false });
    const { data } = await client.get<unknown>(target.url);
    expect(data).toMatchObject({ ok: true });
    expect((await client.post<string>(`${target.url}echo`, 'hello')).data).toBe('hello');
  });

  it('T13 node-fetch', async () => {
    const { target, agents } = await behindDeadProxies(tls);
    const agent = ({ protocol }: URL) => (protocol === 'https:' ? agents.https : agents.http);
    const response = await fetch(target.url, { agent });
    expect(await response.json()).toMatchObject({ ok: true });
  });

  it('T13 ws', async () => {
    const { rotator } = await tunnelRig(deadAndGood);
    const certificate = tls ? await certificateOf() : undefined;
    const server =
      certificate === undefined ? http.createServer() : https.createServer(certificate);
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) => {
      socket.on('message', (message, binary) => socket.send(message, { binary }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    use({
      close: () => {
        for (const each of sockets.clients) each.terminate();
        server.closeAllConnections();
        return new Promise((resolve) => server.close(resolve));
      },
    });
    const { port } = server.address() as AddressInfo;
    const agents = rotator.agents();
    const socket = new WebSocket(`${tls ? 'wss' : 'ws'}://127.0.0.1:${port}`, {
      agent: tls ? agents.https : agents.http,
      ...(certificate === undefined ? {} : { ca: certificate.cert }),
    });
    await once(socket, 'open');
    const large = 'x'.repeat(200_000);
    for (const text of ['hello', large]) {
      socket.send(text);
      const [message] = (await once(socket, 'message')) as [Buffer];
      expect(message.toString()).toBe(text);
    }
    socket.close();
    await once(socket, 'close');
  });
});
