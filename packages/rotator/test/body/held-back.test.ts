import { once } from 'node:events';
import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ProxyRotator } from '../../src/index.ts';
import { tear } from '../support/wire-proxy.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

const body = Buffer.alloc(64 * 1024, 'a');
const framings = {
  'a length': [`Content-Length: ${body.length}\r\n\r\n`, body],
  chunks: [
    `Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n`,
    body,
    '\r\n0\r\n\r\n',
  ],
  'no length': ['\r\n', body],
} as const;

/** A proxy that responds to everything at once, and ends the connection. Resolves when its end is known to be out. */
async function proxyThatEnds(parts: readonly (string | Buffer)[], end: (to: net.Socket) => void) {
  const ended: Promise<unknown>[] = [];
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    ended.push(once(socket, 'close'));
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n');
      for (const part of parts) socket.write(part);
      end(socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(server);
  const rotator = new ProxyRotator({
    proxies: [`http://127.0.0.1:${(server.address() as net.AddressInfo).port}`],
    retryPolicy: null,
  });
  open.push({ close: () => rotator.destroy() });
  return { rotator, ended };
}

/** What came before it has been read: both sides have had turns enough. */
async function turns(): Promise<void> {
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
}

describe('a connection ends while the caller holds the response back', () => {
  for (const [framing, parts] of Object.entries(framings)) {
    it(`C8g with ${framing}: it is whole when it is read`, async () => {
      const { rotator } = await proxyThatEnds(parts, (socket) => socket.end());
      const response = await rotator.get('http://target.example/');
      await turns();
      expect(Buffer.from(await response.body.arrayBuffer()).equals(body)).toBe(true);
    });
  }

  it('C8g cut short: it is an error when it is read', async () => {
    const [head] = framings['a length'];
    const short = [head, body.subarray(1)];
    const { rotator } = await proxyThatEnds(short, (socket) => socket.end());
    const response = await rotator.get('http://target.example/');
    await turns();
    await expect(response.body.arrayBuffer()).rejects.toMatchObject({ phase: 'body' });
  });

  it('C8g reset: it is an error when it is read, and the process goes on', async () => {
    const [head] = framings['a length'];
    const { rotator } = await proxyThatEnds([head, body.subarray(1)], (socket) => {
      setImmediate(() => socket.resetAndDestroy());
    });
    const response = await rotator.get('http://target.example/');
    await turns();
    await expect(response.body.arrayBuffer()).rejects.toMatchObject({ phase: 'body' });
  });

  it('C8g reset while it is read, before such an end: it is an error and not a complete body', async () => {
    let last: net.Socket | undefined;
    const { rotator } = await proxyThatEnds(['\r\n', 'a part'], (socket) => (last = socket));
    const response = await rotator.get('http://target.example/');
    response.body.once('data', () => tear(last as net.Socket));
    await expect(once(response.body, 'end')).rejects.toMatchObject({ phase: 'body' });
  });
});
