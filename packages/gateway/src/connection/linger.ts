import type net from 'node:net';

/** How long the last bytes of a client are still read. */
const lingerMs = 1000;

/**
 * Closes a connection behind a response. What the client still sends is read for a while and thrown away: closed at
 * once, the connection would be reset, and the client might lose the response.
 */
export function linger(socket: net.Socket): void {
  if (socket.destroyed) return;
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
  socket.once('end', () => socket.destroySoon());
  socket.end();
  socket.resume();
}
