import type net from 'node:net';

/**
 * Ends a connection with RST, so that its other end can tell it from a complete stream. `resetAndDestroy()`
 * would send FIN first. A socket that has said its last is closed: libuv resets none of those, and Node would leave
 * it open.
 */
export function reset(socket: net.Socket): void {
  if (!('encrypted' in socket) && !socket.writableEnded)
    Object.assign(socket, { resetAndClosing: true });
  socket.destroy();
}
