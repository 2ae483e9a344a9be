import { once } from 'node:events';
import net from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { Relay } from './relay.ts';
import { listenFor } from './stage.ts';

const open: { close(): unknown }[] = [];
afterEach(() => {
  for (const each of open.splice(0).reverse()) each.close();
});

/** The two ends of a connection over loopback. */
async function connection(): Promise<readonly [near: net.Socket, far: net.Socket]> {
  const server = net.createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const accepted = once(server, 'connection') as Promise<[net.Socket]>;
  const near = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const [far] = await accepted;
  open.push(server, { close: () => near.destroy() }, { close: () => far.destroy() });
  return [near, far.on('error', () => {})];
}

it('W32 a target that has said its last and reads no more is closed after halfClosedMs, once its client has left', async () => {
  const [client, ofClient] = await connection();
  const [ofTarget, target] = await connection();
  target.pause();
  // More than the buffers of the system take: some of it waits.
  ofTarget.write(Buffer.alloc(32 * 1024 * 1024));
  const relay = new Relay(ofClient, ofTarget, { idleMs: 60_000, halfClosedMs: 20 });
  listenFor({ stage: relay, gone: () => {} }, ofClient);
  relay.start();
  client.resume().end();
  target.end();
  await once(ofClient, 'close');
  expect([ofTarget.destroyed, ofTarget.writableLength > 0]).toEqual([false, true]);
  await once(ofTarget, 'close');
});
