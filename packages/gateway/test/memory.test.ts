import { fork } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { startServer, use } from './support/rig.ts';

const stalled = 100;
const gigabyte = 1e9;
const chunk = Buffer.alloc(65_536, 'stalled');
const established = 'HTTP/1.1 200 Connection established\r\n\r\n';

/** Writes a gigabyte of the same bytes, as fast as the other side takes them. */
function pour(socket: net.Socket, count: (bytes: number) => void): void {
  let left = gigabyte;
  const more = () => {
    while (left > 0 && !socket.destroyed) {
      left -= chunk.length;
      count(chunk.length);
      if (!socket.write(chunk)) {
        socket.once('drain', more);
        return;
      }
    }
  };
  more();
}

it('W34 100 tunnels of 1 GB, stalled in one direction or the other, hold less than 64 MB', async () => {
  let poured = 0;
  const count = (bytes: number) => void (poured += bytes);
  // The proxy is the target, too: one name pours, the other does not read.
  const proxy = await startServer((socket) => {
    socket.once('data', (head: Buffer) => {
      socket.pause();
      socket.write(established);
      if (head.toString().startsWith('CONNECT down.test:23 ')) pour(socket, count);
      else socket.write('go on');
    });
  });
  const child = fork(
    fileURLToPath(new URL('support/gateway-process.ts', import.meta.url)),
    [`http://127.0.0.1:${proxy.port}`],
    { execArgv: ['--conditions=@whirl/source', '--import', 'tsx', '--expose-gc'] },
  );
  use({ close: () => child.kill() });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  const memory = async () => {
    child.send('memory');
    return ((await once(child, 'message')) as [{ rssBytes: number; open: number }])[0];
  };

  const open = async (authority: string): Promise<net.Socket> => {
    const client = net.connect({ port, host: '127.0.0.1' });
    use({ close: () => client.destroy() });
    client.on('error', () => {});
    client.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    await once(client, 'readable');
    return client;
  };
  const before = await memory();
  for (let i = 0; i < stalled / 2; i++) {
    // It never reads: what it was sent last is left in its socket.
    await open('down.test:23');
    const client = await open('up.test:23');
    while (!String(client.read() ?? '').endsWith('go on')) await once(client, 'readable');
    pour(client, count);
  }
  for (let last = -1; last !== poured;) {
    last = poured;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  const after = await memory();
  expect(after.open).toBe(stalled);
  // All of them have begun, and none gets on.
  expect(poured).toBeGreaterThan(stalled * chunk.length);
  expect(poured).toBeLessThan((stalled * gigabyte) / 10);
  expect(after.rssBytes - before.rssBytes).toBeLessThan(64_000_000);
}, 120_000);
