import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { expect, it } from 'vitest';
import { certificateOf } from './certificate.ts';
import { listen, OpenSockets, stop } from './open-sockets.ts';

const here = '127.0.0.1';

it('reset: a socket that is saying its last closes, too', async () => {
  const sockets = new OpenSockets();
  const server = net.createServer();
  const client = net.connect(await listen(server, 0, here), here).on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [net.Socket];
  sockets.add(socket);
  socket.end();
  sockets.reset(socket);
  await sockets.whenNone();
  expect(sockets.size).toBe(0);
  client.destroy();
  await stop(server, sockets);
});

it('reset: over TLS, a socket that is saying its last closes, too', async () => {
  const sockets = new OpenSockets();
  const server = tls.createServer(await certificateOf());
  server.on('connection', (socket: net.Socket) => sockets.add(socket));
  const port = await listen(server, 0, here);
  const client = tls.connect({ port, host: here, rejectUnauthorized: false }).on('error', () => {});
  const [socket] = (await once(server, 'secureConnection')) as [tls.TLSSocket];
  socket.end();
  sockets.reset(socket);
  await sockets.whenNone();
  expect(sockets.size).toBe(0);
  client.destroy();
  await stop(server, sockets);
});

it('reset: a socket that has closed takes no other one with it', async () => {
  const sockets = new OpenSockets();
  const server = net.createServer({ pauseOnConnect: true });
  const port = await listen(server, 0, here);
  const connected = async () => {
    const client = net.connect(port, here);
    const [socket] = (await once(server, 'connection')) as [net.Socket];
    sockets.add(socket);
    return { client, socket };
  };
  // It is not read from, so it does not hear that its peer has gone.
  const unaware = await connected();
  const closed = await connected();
  unaware.client.resetAndDestroy();
  closed.socket.destroy();
  await once(closed.socket, 'close');
  expect([unaware.socket.remotePort, closed.socket.remotePort]).toEqual([undefined, undefined]);
  sockets.reset(closed.socket);
  expect(unaware.socket.destroyed).toBe(false);
  closed.client.destroy();
  await stop(server, sockets);
});
