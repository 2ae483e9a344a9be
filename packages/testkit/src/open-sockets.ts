import type net from 'node:net';
import tls from 'node:tls';

/** The sockets that a server holds, so that a test can say that none is left. */
export class OpenSockets {
  readonly #sockets = new Set<net.Socket>();
  #waiting: (() => void)[] = [];

  get size(): number {
    return this.#sockets.size;
  }

  /** Follows a socket until it closes; its errors are its own affair. */
  add(socket: net.Socket): void {
    if (this.#sockets.has(socket)) return;
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size > 0) return;
      for (const resolve of this.#waiting.splice(0)) resolve();
    });
  }

  /** Resolves as soon as no socket is open: at once if none is. */
  whenNone(): Promise<void> {
    if (this.#sockets.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /**
   * Tears a connection: RST, now. Over TLS, `socket` may be the one that TLS handed out. A socket that has said its
   * last is closed: libuv resets none of those, and Node would leave it open.
   */
  reset(socket: net.Socket): void {
    const raw = this.#rawOf(socket);
    if (!socket.writableEnded && !raw.writableEnded && !(raw instanceof tls.TLSSocket)) {
      // resetAndDestroy() would say FIN first, which some clients then take for an ordinary end.
      (raw as net.Socket & { resetAndClosing: boolean }).resetAndClosing = true;
    }
    raw.destroy();
  }

  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** The socket beneath the one of TLS. One whose peer has gone has no port, by which it could be found. */
  #rawOf(socket: net.Socket): net.Socket {
    const { remotePort } = socket;
    if (this.#sockets.has(socket) || remotePort === undefined) return socket;
    return [...this.#sockets].find((each) => each.remotePort === remotePort) ?? socket;
  }
}

/** Listens on one address; rejects when it is taken. Resolves to the port. */
export function listen(server: net.Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as net.AddressInfo).port);
    });
  });
}

/** Stops listening and ends every connection. */
export function stop(server: net.Server, sockets: OpenSockets): Promise<void> {
  return new Promise((resolve) => {
    if (server.listening) server.close(() => resolve());
    else resolve();
    sockets.destroyAll();
  });
}
