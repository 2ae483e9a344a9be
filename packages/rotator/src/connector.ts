import dns from 'node:dns';
import net from 'node:net';
import type { Phase } from '@whirl/events';
import { parseRetryAfter } from '@whirl/backoff';
import { ProxyAuthenticationError, ProxyConnectionError, TargetConnectionError } from './errors.ts';
import {
  credentialProblem,
  fieldsIn,
  readRefusalBody,
  schemesIn,
  valuesOf,
  type ConnectHeaders,
} from './connect-refusal.ts';
import { whatProxyDid } from './failure-words.ts';
import { askForTunnel, type ConnectAnswer } from './http-connect.ts';
import type { Proxy } from './proxy/proxy.ts';
import { hasCredentials, headersFor, type ProxyHeaders } from './proxy/proxy-headers.ts';
import { withoutSecrets } from './secrets.ts';
import { askSocks } from './socks.ts';
import type { TlsClient } from './tls.ts';

/** What a connection through a proxy leads to. */
export interface Destination {
  /** A name or an address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Speak TLS with it. */
  readonly secure: boolean;
  /** The name to ask for and to verify, where it is not `host`. */
  readonly servername?: string | undefined;
}

export interface ConnectorOptions {
  /** With targets. */
  readonly tls: TlsClient;
  /** With https proxies. */
  readonly proxyTls: TlsClient;
  /** For http and https proxies, beside their own. */
  readonly proxyHeaders?: ProxyHeaders | undefined;
  /** The wall clock, for the dates of Retry-After. */
  readonly wallNow: () => number;
  /** Milliseconds that never step back. */
  readonly now: () => number;
}

type Done = (error: Error | null, socket: net.Socket | null) => void;

/** Errors that say that the connection went away, not that TLS went wrong. */
const lostCodes = new Set(['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT']);

const keepAliveProbeMs = 60_000;

/**
 * One dial through a proxy, to a destination or (for the absolute form) to the proxy alone. It opens
 * one connection, calls back once, never synchronously, with the socket or with a typed error that
 * names its phase. It has no deadline of its own: whoever has one cancels.
 */
export class Dial {
  readonly #proxy: Proxy;
  readonly #destination: Destination | undefined;
  readonly #options: ConnectorOptions;
  readonly #timeoutMs: number;
  #done: Done | undefined;
  #phase: Phase = 'dns';
  #socket: net.Socket | undefined;
  /** Ends the handshake that listens on the socket. */
  #stop: (() => void) | undefined;

  /** `timeoutMs`: what the caller allows; only the SOCKS library has to be told. */
  constructor(
    proxy: Proxy,
    destination: Destination | undefined,
    options: ConnectorOptions,
    timeoutMs: number,
    done: Done,
  ) {
    this.#proxy = proxy;
    this.#destination = destination;
    this.#options = options;
    this.#timeoutMs = timeoutMs;
    this.#done = done;
    this.#resolve();
  }

  /** Where it stands. */
  get phase(): Phase {
    return this.#phase;
  }

  /** Destroys what is open; the callback is not called any more. */
  cancel(): void {
    if (this.#done === undefined) return;
    this.#done = undefined;
    this.#stop?.();
    this.#destroy();
  }

  /** socks4 and socks5 resolve the target's name here; every other kind leaves that to the proxy. */
  #resolve(): void {
    const { protocol } = this.#proxy;
    const to = this.#destination;
    const here = protocol === 'socks4' || protocol === 'socks5';
    if (to === undefined || !here || net.isIP(to.host) !== 0) {
      this.#connect(to);
      return;
    }
    dns.lookup(to.host, { family: protocol === 'socks4' ? 4 : 0 }, (error, address) => {
      if (this.#done === undefined) return;
      if (error === null) {
        this.#connect({ ...to, host: address, servername: to.servername ?? to.host });
        return;
      }
      this.#finish(
        new TargetConnectionError(`the target's name could not be resolved (${error.code})`, {
          phase: 'dns',
          proxyId: this.#proxy.id,
          cause: error,
        }),
      );
    });
  }

  #connect(to: Destination | undefined): void {
    const { host, port, protocol } = this.#proxy;
    const bare = withoutBrackets(host);
    const secure = protocol === 'https';
    this.#phase = net.isIP(bare) === 0 ? 'dns' : 'tcp';
    const socket = secure
      ? this.#options.proxyTls.connect({ host: bare, port })
      : net.connect({ host: bare, port });
    this.#watch(socket);
    socket.on('lookup', this.#onLookup);
    socket.once('connect', () => {
      socket.setNoDelay(true).setKeepAlive(true, keepAliveProbeMs);
      if (secure) this.#phase = 'tls_proxy';
      else this.#reach(to);
    });
    if (secure) socket.once('secureConnect', () => this.#reach(to));
  }

  /** The proxy is reached: now the target, through it. */
  #reach(to: Destination | undefined): void {
    if (this.#done === undefined) return;
    const socket = this.#socket as net.Socket;
    if (to === undefined) {
      this.#finish(null);
      return;
    }
    if (this.#proxy.protocol.startsWith('socks')) {
      this.#phase = 'socks';
      if (this.#proxy.protocol === 'socks4' && net.isIPv6(to.host)) {
        this.#finish(this.#failure('SOCKS4 cannot carry an IPv6 address'));
        return;
      }
      this.#stop = askSocks(socket, this.#proxy, to, this.#timeoutMs, (failure) => {
        if (failure === undefined) {
          this.#secure(to);
          return;
        }
        const { error, authentication, reply: socksReply } = failure;
        const from = { phase: 'socks', proxyId: this.#proxy.id, cause: error } as const;
        this.#finish(
          authentication
            ? new ProxyAuthenticationError(`${this.#proxy.id} refused the SOCKS credentials`, from)
            : new ProxyConnectionError(`${this.#proxy.id}: ${error.message}`, {
                ...from,
                socksReply,
              }),
        );
      });
      return;
    }
    this.#phase = 'connect';
    const host = net.isIPv6(to.host) ? `[${to.host}]` : to.host;
    const authority = `${host}:${to.port}`;
    const headers = headersFor(this.#proxy, this.#options.proxyHeaders);
    this.#stop = askForTunnel(socket, authority, headers, (error, answer) => {
      if (answer === undefined) this.#finish(this.#failure(error?.message ?? '', error));
      else if (answer.statusCode >= 200 && answer.statusCode < 300) this.#secure(to);
      else this.#refused(socket, answer);
    });
  }

  /** The body of a refusal often says why. The connection may end meanwhile: that is no failure of its own. */
  #refused(socket: net.Socket, answer: ConnectAnswer): void {
    this.#unwatch();
    socket.on('error', ignore);
    const fields = fieldsIn(answer.head);
    this.#stop = readRefusalBody(socket, fields, (body) =>
      this.#finish(this.#refusal(answer.statusCode, fields, body)),
    );
  }

  /** The way to the target stands: TLS with it, if that is wanted. */
  #secure(to: Destination): void {
    if (this.#done === undefined) return;
    this.#stop = undefined;
    if (!to.secure) {
      this.#finish(null);
      return;
    }
    this.#phase = 'tls_target';
    const under = this.#socket as net.Socket;
    this.#unwatch();
    under.on('error', ignore);
    const { host, port, servername } = to;
    const socket = this.#options.tls.connect({ host, port, servername, socket: under });
    this.#watch(socket);
    socket.once('secureConnect', () => this.#finish(null));
  }

  #watch(socket: net.Socket): void {
    this.#socket = socket;
    socket.on('error', this.#onError).on('end', this.#onClose).on('close', this.#onClose);
  }

  #unwatch(): void {
    this.#socket
      ?.off('error', this.#onError)
      .off('end', this.#onClose)
      .off('close', this.#onClose)
      .off('lookup', this.#onLookup);
  }

  readonly #onLookup = (error: Error | null): void => {
    if (error === null) this.#phase = 'tcp';
  };

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    const lost = lostCodes.has(error.code ?? '');
    if (this.#phase === 'tls_target' && !lost) {
      this.#finish(
        new TargetConnectionError(`TLS with the target failed: ${error.message}`, {
          phase: 'tls_target',
          proxyId: this.#proxy.id,
          cause: error,
        }),
      );
    } else this.#finish(this.#failure(error.code ?? error.message, error));
  };

  readonly #onClose = (): void => {
    this.#finish(this.#failure('the connection was closed'));
  };

  #failure(why: string, cause?: unknown): ProxyConnectionError {
    const { id: proxyId } = this.#proxy;
    const phase = this.#phase;
    return new ProxyConnectionError(whatProxyDid(proxyId, why, phase), {
      phase,
      proxyId,
      cause,
    });
  }

  #refusal(statusCode: number, fields: ConnectHeaders, body: string): Error {
    const proxy = this.#proxy;
    const { id: proxyId } = proxy;
    const { proxyHeaders } = this.#options;
    const clean = (text: string) => withoutSecrets(text, proxy, proxyHeaders);
    const connectHeaders = Object.fromEntries(
      Object.keys(fields).map((name) => {
        const values = valuesOf(fields, name).map(clean);
        return [name, values.length === 1 ? (values[0] as string) : values];
      }),
    );
    const failure = {
      phase: 'connect',
      proxyId,
      statusCode,
      connectHeaders,
      connectBody: clean(body),
    } as const;
    const message = `${proxyId} answered CONNECT with ${statusCode}`;
    // Some proxies ask for credentials as a server would.
    if (statusCode === 407 || statusCode === 401) {
      const name = statusCode === 407 ? 'proxy-authenticate' : 'www-authenticate';
      const schemes = schemesIn(valuesOf(fields, name));
      const why = credentialProblem(schemes, hasCredentials(proxy, proxyHeaders));
      return new ProxyAuthenticationError(`${message}: ${why}`, { ...failure, schemes });
    }
    const [retryAfter] = valuesOf(fields, 'retry-after');
    const retryAfterMs =
      retryAfter === undefined ? undefined : parseRetryAfter(retryAfter, this.#options.wallNow());
    return new ProxyConnectionError(message, { ...failure, retryAfterMs });
  }

  #finish(error: Error | null): void {
    const done = this.#done;
    if (done === undefined) return;
    this.#done = undefined;
    this.#stop?.();
    if (error === null) {
      this.#unwatch();
      done(null, this.#socket as net.Socket);
    } else {
      this.#destroy();
      done(error, null);
    }
  }

  #destroy(): void {
    this.#unwatch();
    this.#socket?.on('error', ignore).destroy();
  }
}

/** An IPv6 address as sockets want it: URLs write it in brackets. */
export function withoutBrackets(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

function ignore(): void {}
