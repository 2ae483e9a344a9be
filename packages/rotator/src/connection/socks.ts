import type net from 'node:net';
import { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers';
import { SocksClient } from 'socks';
import { maxTimerMs } from '../timer.ts';
import type { Proxy } from '../proxy/proxy.ts';

/** How the library words a refusal of the credentials. */
const refusedCredentials = /authentication|RejectedIdent/i;

/** The library tells a refusal by its name alone: those of RFC 1928, section 6, from 1 on. */
const replies = [
  'Failure',
  'NotAllowed',
  'NetworkUnreachable',
  'HostUnreachable',
  'ConnectionRefused',
  'TTLExpired',
  'CommandNotSupported',
  'AddressNotSupported',
];

function replyIn(message: string): number | undefined {
  const name = /^Socks5 proxy rejected connection - (\w+)$/.exec(message)?.[1];
  const at = name === undefined ? -1 : replies.indexOf(name);
  return at === -1 ? undefined : at + 1;
}

export interface SocksFailure {
  /** Without the options that the library's own error carries: they hold the password. */
  readonly error: Error;
  readonly authentication: boolean;
  /** The code of the refusal; undefined when it was none, or of SOCKS4. */
  readonly reply: number | undefined;
}

/**
 * Given to the library in place of the socket. The library's timer, which cannot be cleared, holds this small
 * object and not the socket; and its `destroy` leaves the socket to its owner.
 */
class Handshake extends Duplex {
  readonly #socket: net.Socket;

  constructor(socket: net.Socket) {
    super();
    this.#socket = socket;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.#socket.write(chunk);
    callback();
  }
}

/**
 * Asks a SOCKS proxy (4, 4a: the de-facto documents; 5: RFC 1928 and 1929) for a connection, over a
 * socket that is open, and leaves it paused. Calls back once, never synchronously; the returned
 * function stops it.
 */
export function askSocks(
  socket: net.Socket,
  proxy: Proxy,
  destination: { readonly host: string; readonly port: number },
  timeoutMs: number,
  done: (failure: SocksFailure | undefined) => void,
): () => void {
  const handshake = new Handshake(socket);
  let over = false;
  const onData = (chunk: Buffer) => void handshake.push(chunk);
  const stop = () => {
    if (over) return;
    over = true;
    socket.off('data', onData).pause();
    handshake.destroy();
  };
  socket.on('data', onData);
  SocksClient.createConnection({
    proxy: {
      host: proxy.host,
      port: proxy.port,
      type: proxy.protocol.startsWith('socks5') ? 5 : 4,
      ...(proxy.username === undefined ? {} : { userId: proxy.username }),
      ...(proxy.password === undefined ? {} : { password: proxy.password }),
    },
    command: 'connect',
    destination: { host: destination.host, port: destination.port },
    existing_socket: handshake as unknown as net.Socket,
    // The caller's own deadline comes first, and has the better error.
    timeout: Math.min(timeoutMs + 1000, maxTimerMs),
  }).then(
    () => {
      if (over) return;
      socket.off('data', onData).pause();
      // In its next turn the library gives back what came behind the reply.
      handshake.on('data', (rest: Buffer) => socket.unshift(rest));
      setImmediate(() => {
        if (over) return;
        stop();
        done(undefined);
      });
    },
    ({ message }: Error) => {
      if (over) return;
      stop();
      done({
        error: new Error(message),
        authentication: refusedCredentials.test(message),
        reply: replyIn(message),
      });
    },
  );
  return stop;
}
