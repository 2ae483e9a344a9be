import dns from 'node:dns';
import net from 'node:net';
import type { Phase } from '@whirl/events';
import { AddressRace, byTurns } from './address-race.ts';
import { withoutDenied } from './resolved-addresses.ts';
import { ProxyAuthenticationError, ProxyConnectionError } from '../errors.ts';
import {
  credentialProblem,
  fieldsIn,
  readRefusalBody,
  schemesIn,
  valuesOf,
  type ConnectHeaders,
} from './connect-refusal.ts';
import { whatProxyDid } from '../failure-words.ts';
import type { ConnectResponse } from './connect-response-parser.ts';
import { askForTunnel } from './http-connect.ts';
import type { Proxy } from '../proxy/proxy.ts';
import { hasCredentials, headersFor } from '../proxy/proxy-headers.ts';
import { retryAfterOf } from '../message/retry-after.ts';
import { withoutSecrets } from '../proxy/secrets.ts';
import { askSocks } from './socks.ts';
import type { ConnectorOptions, Destination } from './destination.ts';

/** What RFC 8305 recommends between the beginnings of two attempts. */
const attemptDelayMs = 250;

const keepAliveProbeMs = 60_000;

/** `reachedAt`: when TCP, and TLS with an https proxy, stood. */
type PathDone = (error: Error | null, socket?: net.Socket, reachedAt?: number) => void;

/**
 * The way through a proxy: resolving the proxy's name, TCP with one of its addresses, TLS
 * with an https proxy, and CONNECT or SOCKS (for the absolute form neither). It calls back once,
 * never synchronously, with the socket or with a typed error that names its phase.
 */
export class ProxyPath {
  readonly #proxy: Proxy;
  readonly #to: Destination | undefined;
  readonly #options: ConnectorOptions;
  readonly #timeoutMs: number;
  #done: PathDone | undefined;
  #phase: Phase;
  #socket: net.Socket | undefined;
  #race: AddressRace<net.Socket> | undefined;
  /** When TCP, and TLS with an https proxy, stood. */
  #reachedAt = 0;
  /** Ends the handshake that listens on the socket. */
  #stop: (() => void) | undefined;

  /** `timeoutMs`: what the whole way may take. The caller cancels it then. */
  constructor(
    proxy: Proxy,
    to: Destination | undefined,
    options: ConnectorOptions,
    timeoutMs: number,
    done: PathDone,
  ) {
    this.#proxy = proxy;
    this.#to = to;
    this.#options = options;
    this.#timeoutMs = timeoutMs;
    this.#done = done;
    const host = withoutBrackets(proxy.host);
    if (net.isIP(host) === 0) {
      this.#phase = 'dns';
      this.#resolve(host);
    } else {
      this.#phase = 'tcp';
      this.#watch(net.connect({ host, port: proxy.port })).once('connect', () => this.#reached());
    }
  }

  /** Its phase. */
  get phase(): Phase {
    return this.#phase;
  }

  /** Destroys what is open; the callback is not called any more. */
  cancel(): void {
    if (this.#done === undefined) return;
    this.#done = undefined;
    this.#destroy();
  }

  #resolve(host: string): void {
    dns.lookup(host, { all: true }, (error, found) => {
      if (this.#done === undefined) return;
      if (error !== null) {
        this.#finish(this.#failure(error.code ?? error.message, error));
        return;
      }
      const rules = this.#options.access?.proxies;
      const { left: addresses, refusal } = withoutDenied(byTurns(found), rules, this.#proxy.port);
      if (refusal !== undefined) {
        this.#finish(this.#failure(`its name ${refusal}`));
        return;
      }
      this.#phase = 'tcp';
      const delayMs = Math.min(attemptDelayMs, this.#timeoutMs / (addresses.length + 1));
      this.#race = new AddressRace(addresses, delayMs, this.#connect, (failed, socket) => {
        this.#race = undefined;
        if (socket === undefined) {
          const { code, message } = failed as NodeJS.ErrnoException;
          this.#finish(this.#failure(code ?? message, failed));
          return;
        }
        this.#watch(socket);
        this.#reached();
      });
    });
  }

  readonly #connect = (
    host: string,
    done: (error: Error | null, socket?: net.Socket) => void,
  ): (() => void) => {
    const socket = net.connect({ host, port: this.#proxy.port });
    const onError = (error: Error) => done(error);
    socket.once('error', onError).once('connect', () => {
      socket.off('error', onError);
      done(null, socket);
    });
    return () => {
      if (socket.connecting) socket.on('error', ignore).destroy();
    };
  };

  /** TCP stands. */
  #reached(): void {
    const socket = this.#socket as net.Socket;
    socket.setNoDelay(true).setKeepAlive(true, keepAliveProbeMs);
    if (this.#proxy.protocol !== 'https') {
      this.#ask();
      return;
    }
    this.#phase = 'tls_proxy';
    this.#unwatch();
    socket.on('error', ignore);
    const { host, port } = this.#proxy;
    const secure = this.#options.proxyTls.connect({ host: withoutBrackets(host), port, socket });
    this.#watch(secure).once('secureConnect', () => this.#ask());
  }

  /** The proxy is reached: now the target, through it. */
  #ask(): void {
    if (this.#done === undefined) return;
    this.#reachedAt = this.#options.now();
    const socket = this.#socket as net.Socket;
    const to = this.#to;
    if (to === undefined) {
      this.#finish(null);
      return;
    }
    if (this.#proxy.protocol.startsWith('socks')) {
      this.#phase = 'socks';
      this.#askSocks(socket, to);
      return;
    }
    this.#phase = 'connect';
    const host = to.host.includes(':') ? `[${to.host}]` : to.host;
    const authority = `${host}:${to.port}`;
    const { maxHeaderSize, proxyHeaders } = this.#options;
    const headers = headersFor(this.#proxy, proxyHeaders);
    this.#stop = askForTunnel(
      socket,
      authority,
      headers,
      { maxHeaderSize, greets: to.greets },
      (error, response) => {
        if (response === undefined) {
          this.#finish(this.#failure(error?.message ?? '', error, 'protocol'));
        } else if (response.statusCode < 300) this.#finish(null);
        else this.#refused(socket, response);
      },
    );
  }

  /** The body of a refusal often says why. The connection may end meanwhile: that is no failure of its own. */
  #refused(socket: net.Socket, response: ConnectResponse): void {
    this.#unwatch();
    socket.on('error', ignore);
    const fields = fieldsIn(response.head);
    this.#stop = readRefusalBody(socket, fields, (body) =>
      this.#finish(this.#refusal(response.statusCode, fields, body)),
    );
  }

  #askSocks(socket: net.Socket, to: Destination): void {
    if (this.#proxy.protocol === 'socks4' && net.isIPv6(to.host)) {
      this.#finish(this.#failure('SOCKS4 cannot carry an IPv6 address'));
      return;
    }
    this.#stop = askSocks(socket, this.#proxy, to, this.#timeoutMs, (failure) => {
      if (failure === undefined) {
        this.#finish(null);
        return;
      }
      const { error, authentication, reply: socksReply } = failure;
      const { id: proxyId } = this.#proxy;
      const from = { phase: 'socks', proxyId, cause: error } as const;
      this.#finish(
        authentication
          ? new ProxyAuthenticationError(`${proxyId} refused the SOCKS credentials`, from)
          : new ProxyConnectionError(`${proxyId}: ${error.message}`, { ...from, socksReply }),
      );
    });
  }

  #watch<Socket extends net.Socket>(socket: Socket): Socket {
    this.#socket = socket;
    socket.on('error', this.#onError).on('end', this.#onClose).on('close', this.#onClose);
    return socket;
  }

  #unwatch(): void {
    this.#socket?.off('error', this.#onError).off('end', this.#onClose).off('close', this.#onClose);
  }

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    this.#finish(this.#failure(error.code ?? error.message, error));
  };

  readonly #onClose = (): void => {
    this.#finish(this.#failure('the connection was closed'));
  };

  #failure(why: string, cause?: unknown, reason?: 'protocol'): ProxyConnectionError {
    const { id: proxyId } = this.#proxy;
    const phase = this.#phase;
    return new ProxyConnectionError(whatProxyDid(proxyId, why, phase), {
      phase,
      proxyId,
      reason,
      cause,
    });
  }

  #refusal(statusCode: number, fields: ConnectHeaders, body: string): Error {
    const proxy = this.#proxy;
    const { id: proxyId } = proxy;
    const { proxyHeaders, wallNow } = this.#options;
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
    const message = `${proxyId} responded to CONNECT with ${statusCode}`;
    // Some proxies ask for credentials as a server would.
    if (statusCode === 407 || statusCode === 401) {
      const name = statusCode === 407 ? 'proxy-authenticate' : 'www-authenticate';
      const schemes = schemesIn(valuesOf(fields, name));
      const why = credentialProblem(schemes, hasCredentials(proxy, proxyHeaders));
      return new ProxyAuthenticationError(`${message}: ${why}`, { ...failure, schemes });
    }
    const retryAfterMs = retryAfterOf(valuesOf(fields, 'retry-after'), wallNow());
    return new ProxyConnectionError(message, { ...failure, retryAfterMs });
  }

  #finish(error: Error | null): void {
    const done = this.#done;
    if (done === undefined) return;
    this.#done = undefined;
    this.#stop?.();
    if (error === null) {
      this.#unwatch();
      done(null, this.#socket, this.#reachedAt);
    } else {
      this.#destroy();
      done(error);
    }
  }

  #destroy(): void {
    this.#stop?.();
    this.#race?.cancel();
    this.#unwatch();
    this.#socket?.on('error', ignore).destroy();
  }
}

/** An IPv6 address as sockets want it: URLs write it in brackets. */
export function withoutBrackets(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

function ignore(): void {}
