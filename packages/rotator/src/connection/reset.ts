import type net from 'node:net';
import tls from 'node:tls';

/**
 * Ends a connection with RST, now: what still waits to be sent is dropped. `resetAndDestroy()` says FIN first,
 * which the other side takes for an ordinary end. Inside of TLS there is no RST: there it is closed. So is a socket
 * that has said its last: libuv resets none of those, and Node would leave it open.
 */
export function reset(socket: net.Socket): void {
  if (!(socket instanceof tls.TLSSocket) && !socket.writableEnded) {
    (socket as net.Socket & { resetAndClosing: boolean }).resetAndClosing = true;
  }
  socket.destroy();
}
