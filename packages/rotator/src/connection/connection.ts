import type net from 'node:net';
import type { Dispatcher } from 'undici';
// By its file: Bun puts a stub of its own in the place of 'undici'.
import { Client } from 'undici/index.js';
import type { ConnectorOptions } from './destination.ts';
import { Dial } from './dial.ts';
import { ProxyConnectionError } from '../errors.ts';
import { mendEnd } from './paused-end.ts';
import type { Proxy } from '../proxy/proxy.ts';
import type { AnyHandler } from '../message/undici-handler.ts';
import { withoutBrackets } from './proxy-path.ts';

/** Where the connections of a route lead. */
export interface RouteTo {
  readonly proxy: Proxy;
  readonly origin: URL;
  /** The whole URL is sent to the proxy; no tunnel. */
  readonly absoluteForm: boolean;
  /** False: every request has a connection of its own. */
  readonly keepAlive: boolean;
}

export interface ConnectionOptions extends ConnectorOptions {
  /** Hears of each connection that stands, before anything is sent on it. */
  readonly onOpen?: ((to: RouteTo, dial: Dial) => void) | undefined;
}

/** An idle connection is closed after this time, or sooner if the other side says so. */
const idleMs = 4000;

/** One undici client: one connection through one proxy, and one request at a time on it. */
export class Connection {
  readonly client: Client;
  /** While the way to the target is being made. */
  dial: Dial | undefined;
  /** When it was opened, and when the first response on it had ended. */
  openedAt = 0;
  firstEndedAt: number | undefined;
  readonly #to: RouteTo;
  readonly #options: ConnectionOptions;
  readonly #keepAlive: boolean;
  /** The request that has it has its response's head. */
  responded = false;
  #leased = false;
  /** What the request that waits for the dial allows for the way through the proxy. */
  #connectTimeoutMs = 0;
  #reused = false;
  #dialled = false;
  #open = false;
  #ended = false;
  #spoiled = false;
  #socket: net.Socket | undefined;
  /** Why it was lost last. */
  #lost: Error | undefined;

  /**
   * `keepAlive`: further requests may follow the first. `onIdleEnd`: the connection was lost while
   * no request had it.
   */
  constructor(
    to: RouteTo,
    options: ConnectionOptions,
    keepAlive: boolean,
    onIdleEnd: (ended: Connection) => void,
  ) {
    this.#to = to;
    this.#options = options;
    this.#keepAlive = keepAlive;
    const { proxy, origin, absoluteForm } = to;
    this.client = new Client(absoluteForm ? `http://${proxy.host}:${proxy.port}` : origin.origin, {
      connect: ((
        { servername }: { servername?: string | null },
        callback: (error: Error | null, socket: net.Socket | null) => void,
      ) => this.#dial(servername, callback)) as never,
      // 0 is how undici spells "no keep-alive".
      pipelining: keepAlive ? 1 : 0,
      // The attempt has deadlines of its own, and they are exact.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: options.maxHeaderSize,
      keepAliveTimeout: idleMs,
    });
    this.client.on('connect', () => {
      if (this.#socket !== undefined) mendEnd(this.#socket);
    });
    this.client.on('disconnect', (_origin, _targets, error) => {
      this.#open = false;
      this.#socket = undefined;
      this.#lost = error;
      if (!this.#leased) onIdleEnd(this);
    });
  }

  /** Whether another request may follow on it. */
  get reusable(): boolean {
    return this.#open && !this.#ended && !this.#spoiled && this.#keepAlive;
  }

  /** The present request was given to a connection that had served before. */
  get reused(): boolean {
    return this.#reused;
  }

  /** A request has it from now on. */
  take(connectTimeoutMs: number): void {
    this.#leased = true;
    this.#connectTimeoutMs = connectTimeoutMs;
    this.#reused = this.#open;
    this.#dialled = false;
  }

  /** The request that had it is done with it. */
  free(): void {
    this.#leased = false;
    this.responded = false;
    this.firstEndedAt ??= this.#options.now();
  }

  /** An error was the response; see `Lease.refused`. */
  refused(uploaded: boolean): void {
    if (!uploaded || (this.#socket?.writableLength ?? 0) > 0) this.#spoiled = true;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: AnyHandler): void {
    // undici's types know the raw interface in part only.
    this.client.dispatch(options, handler as Dispatcher.DispatchHandler);
  }

  /** Ends it with whatever is on it, and the dial if there is one. Resolves when all is closed. */
  end(reason: Error): Promise<void> {
    this.#ended = true;
    this.dial?.cancel();
    this.dial = undefined;
    return this.client.destroy(reason).then(ignore, ignore);
  }

  #dial(
    servername: string | null | undefined,
    callback: (error: Error | null, socket: net.Socket | null) => void,
  ): void {
    const { proxy, origin, absoluteForm } = this.#to;
    if (this.#dialled) {
      // undici dials again and again while a request waits that was never on the wire.
      const error = this.#neverSent();
      queueMicrotask(() => callback(error, null));
      return;
    }
    this.#dialled = true;
    this.#reused = false;
    const secure = origin.protocol === 'https:';
    const destination = absoluteForm
      ? undefined
      : {
          host: withoutBrackets(origin.hostname),
          port: Number(origin.port) || (secure ? 443 : 80),
          secure,
          servername: servername || undefined,
        };
    const allowedMs = this.#connectTimeoutMs;
    const dial = new Dial(proxy, destination, this.#options, allowedMs, (error, socket) => {
      this.dial = undefined;
      this.#open = error === null;
      this.openedAt = this.#options.now();
      this.#socket = socket ?? undefined;
      if (error === null) this.#options.onOpen?.(this.#to, dial);
      callback(error, socket);
    });
    this.dial = dial;
  }

  /** The connection stood, and was lost before the request could be written to it. */
  #neverSent(): ProxyConnectionError {
    const { proxy, origin, absoluteForm } = this.#to;
    const { id: proxyId, protocol } = proxy;
    const tunnel = protocol.startsWith('socks') ? 'socks' : 'connect';
    const phase = absoluteForm
      ? protocol === 'https'
        ? 'tls_proxy'
        : 'tcp'
      : origin.protocol === 'https:'
        ? 'tls_target'
        : tunnel;
    const cause = this.#lost;
    // undici's words for bytes that came while no request was out.
    const early = cause?.message === 'bad response';
    const why = early ? 'bytes came' : 'the connection was lost';
    return new ProxyConnectionError(
      `${proxyId}: ${why} before the request was sent (phase ${phase})`,
      { phase, proxyId, cause, reason: early ? 'protocol' : undefined },
    );
  }
}

function ignore(): void {}
