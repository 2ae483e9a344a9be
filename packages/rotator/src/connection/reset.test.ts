import { once } from 'node:events';
import net from 'node:net';
import { expect, it } from 'vitest';
import { reset } from './reset.ts';

/** Both ends of a connection. */
async function pair(): Promise<[net.Socket, net.Socket, net.Server]> {
  const server = net.createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const [socket] = (await once(server, 'connection')) as [net.Socket];
  return [client, socket, server];
}

it('T8 a reset is an error at the other end', async () => {
  const [client, socket, server] = await pair();
  socket.resume();
  reset(client);
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNRESET');
  server.close();
  await once(server, 'close');
});

it.each(['at once', 'while its FIN goes out', 'after its FIN went out'])(
  'T8 a socket that has said its last is closed, %s',
  async (when) => {
    const [other, socket, server] = await pair();
    other.on('error', () => {}).resume();
    socket.on('error', () => {}).end();
    if (when === 'while its FIN goes out')
      await new Promise((resolve) => process.nextTick(resolve));
    if (when === 'after its FIN went out') await once(socket, 'finish');
    reset(socket);
    await once(socket, 'close');
    other.destroy();
    server.close();
    await once(server, 'close');
  },
);
