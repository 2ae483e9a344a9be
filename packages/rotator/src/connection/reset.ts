import type net from 'node:net';
import tls from 'node:tls';

/**
 * Ends a connection with RST, now: what still waits to be sent is dropped. `resetAndDestroy()` says FIN first,
 * which the other side takes for an ordinary end. Inside of TLS there is no RST: there it is closed.
 */
export function reset(socket: net.Socket): void {
  if (!(socket instanceof tls.TLSSocket)) {
    (socket as net.Socket & { resetAndClosing: boolean }).resetAndClosing = true;
  }
  socket.destroy();
}
