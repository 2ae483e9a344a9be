import dns from 'node:dns';
import net from 'node:net';
import { setImmediate } from 'node:timers';
import type { ConnectionOpen, Phase } from '@whirl/events';
import { AddressRace, byTurns } from './address-race.ts';
import { withoutDenied } from './resolved-addresses.ts';
import { AttemptTimeoutError, ProxyConnectionError, TargetConnectionError } from '../errors.ts';
import { whatProxyDid } from '../failure-words.ts';
import type { Proxy } from '../proxy/proxy.ts';
import { ProxyPath } from './proxy-path.ts';
import type { ConnectorOptions, Destination } from './destination.ts';

/** Where the time of a dial went: see the event `connection:open`. */
export type DialTimes = Pick<ConnectionOpen, 'proxyMs' | 'tunnelMs' | 'tlsMs'>;

type Done = (error: Error | null, socket: net.Socket | null) => void;

/** Errors that say that the connection went away, not that TLS went wrong. */
const lostCodes = new Set(['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT']);

/**
 * One dial through a proxy, to a destination or (for the absolute form) to the proxy alone. It calls
 * back once, never synchronously, with the socket or with a typed error that names its phase. The way
 * through the proxy has its own deadline; TLS with the target has none, its caller cancels.
 */
export class Dial {
  readonly #proxy: Proxy;
  readonly #options: ConnectorOptions;
  readonly #timeoutMs: number;
  readonly #startedAt: number;
  /** When the proxy was reached, on the path that led to the target. */
  #reachedAt = 0;
  /** When the way to the target stood. */
  #throughAt = 0;
  #done: Done | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The way begun last. */
  #path: ProxyPath | undefined;
  #race: AddressRace<net.Socket> | undefined;
  /** TLS with the target. */
  #socket: net.Socket | undefined;

  /** `timeoutMs`: for names, TCP, TLS and CONNECT or SOCKS with the proxy, all together. */
  constructor(
    proxy: Proxy,
    destination: Destination | undefined,
    options: ConnectorOptions,
    timeoutMs: number,
    done: Done,
  ) {
    this.#proxy = proxy;
    this.#options = options;
    this.#timeoutMs = timeoutMs;
    this.#done = done;
    this.#startedAt = options.now();
    // The sockets get a turn after a loop that was late, before the proxy is called slow.
    this.#timer = setTimeout(() => setImmediate(() => this.#timeout()), timeoutMs);
    this.#resolve(destination);
  }

  /** Its phase. */
  get phase(): Phase {
    return this.#socket === undefined ? (this.#path?.phase ?? 'dns') : 'tls_target';
  }

  /** Its timings, once it has succeeded. */
  get times(): DialTimes {
    return {
      proxyMs: this.#reachedAt - this.#startedAt,
      tunnelMs: this.#throughAt - this.#reachedAt,
      tlsMs: this.#socket === undefined ? 0 : this.#options.now() - this.#throughAt,
    };
  }

  /** Destroys what is open; the callback is not called any more. */
  cancel(): void {
    this.#done = undefined;
    this.#close();
  }

  /** socks4 and socks5 resolve the target's name here; every other kind leaves that to the proxy. */
  #resolve(to: Destination | undefined): void {
    const { protocol, id: proxyId } = this.#proxy;
    const here = protocol === 'socks4' || protocol === 'socks5';
    if (to === undefined || !here || net.isIP(to.host) !== 0) {
      this.#walk(to, (error, socket) => this.#through(to, error, socket));
      return;
    }
    const family = protocol === 'socks4' ? 4 : 0;
    dns.lookup(to.host, { family, all: true }, (error, found) => {
      if (this.#done === undefined) return;
      if (error !== null) {
        const message = `the target's name could not be resolved (${error.code})`;
        this.#finish(
          new TargetConnectionError(message, { phase: 'dns', proxyId, cause: error }),
          null,
        );
        return;
      }
      const { left, refusal } = withoutDenied(
        byTurns(found),
        this.#options.access?.targets,
        to.port,
      );
      if (refusal !== undefined) {
        const message = `the target's name ${refusal}`;
        this.#finish(new TargetConnectionError(message, { phase: 'dns', proxyId }), null);
        return;
      }
      this.#tryEach(to, left);
    });
  }

  /**
   * A refusal of one address sends the next one through the proxy. A proxy that does not respond gets
   * the next one in time for all of them, and goes on with the first: many are slow.
   */
  #tryEach(to: Destination, addresses: readonly string[]): void {
    const servername = to.servername ?? to.host;
    this.#race = new AddressRace<net.Socket>(
      addresses,
      this.#timeoutMs / (addresses.length + 1),
      (host, done) => {
        const path = this.#walk({ ...to, host, servername }, (error, socket) => {
          const { socksReply } = (error ?? {}) as Partial<ProxyConnectionError>;
          // Only what a proxy says of an address makes another address worth a try.
          if (error !== null && socksReply === undefined) {
            this.#through(to, error, undefined);
          } else done(error, socket);
        });
        return () => path.cancel();
      },
      (error, socket) => this.#through({ ...to, servername }, error, socket),
    );
  }

  #walk(
    to: Destination | undefined,
    done: (error: Error | null, socket?: net.Socket) => void,
  ): ProxyPath {
    const path = new ProxyPath(
      this.#proxy,
      to,
      this.#options,
      this.#timeoutMs,
      (error, socket, reachedAt = 0) => {
        this.#reachedAt = reachedAt;
        done(error, socket);
      },
    );
    this.#path = path;
    return path;
  }

  /** The way to the target stands: TLS with it, if that is wanted. */
  #through(to: Destination | undefined, error: Error | null, under: net.Socket | undefined): void {
    if (this.#done === undefined) {
      under?.on('error', ignore).destroy();
      return;
    }
    this.#throughAt = to === undefined ? this.#reachedAt : this.#options.now();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (under === undefined || to?.secure !== true) {
      this.#finish(error, under ?? null);
      return;
    }
    under.on('error', ignore);
    const { host, port, servername, alpn, tls } = to;
    const socket = this.#options.tls.connect({
      host,
      port,
      servername,
      socket: under,
      alpn,
      options: tls,
    });
    this.#socket = socket;
    socket.on('error', this.#onError).on('end', this.#onClose).on('close', this.#onClose);
    socket.once('secureConnect', () => this.#finish(null, socket));
  }

  #timeout(): void {
    if (this.#timer === undefined || this.#done === undefined) return;
    const { phase } = this;
    this.#finish(
      new AttemptTimeoutError(this.#timeoutMs, phase, this.#proxy.id, 'no connection'),
      null,
    );
  }

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    const from = { phase: 'tls_target', proxyId: this.#proxy.id, cause: error } as const;
    const lost = lostCodes.has(error.code ?? '');
    this.#finish(
      lost
        ? new ProxyConnectionError(`${from.proxyId}: ${error.code} (phase tls_target)`, from)
        : new TargetConnectionError(`TLS with the target failed: ${error.message}`, from),
      null,
    );
  };

  readonly #onClose = (): void => {
    const { id: proxyId } = this.#proxy;
    const message = whatProxyDid(proxyId, 'the connection was closed', 'tls_target');
    this.#finish(new ProxyConnectionError(message, { phase: 'tls_target', proxyId }), null);
  };

  #finish(error: Error | null, socket: net.Socket | null): void {
    const done = this.#done;
    if (done === undefined) return;
    this.#done = undefined;
    if (error === null) {
      clearTimeout(this.#timer);
      this.#unwatch();
      done(null, socket);
    } else {
      this.#close();
      done(error, null);
    }
  }

  #unwatch(): void {
    this.#socket?.off('error', this.#onError).off('end', this.#onClose).off('close', this.#onClose);
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#race?.cancel();
    this.#path?.cancel();
    this.#unwatch();
    this.#socket?.on('error', ignore).destroy();
  }
}

function ignore(): void {}
