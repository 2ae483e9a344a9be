import type { Phase } from '@whirl/events';
import type { Dispatcher } from 'undici';
import type { Connection } from './connection.ts';
import type { AnyHandler } from '../message/undici-handler.ts';
import type { ProxyHeaders } from '../proxy/proxy-headers.ts';
import { drop, type Route } from './route.ts';

/** A request that may have to wait hears when its turn has come. */
export type LeaseHandler = AnyHandler & { onTurn?(): void };

/** How undici and Node say that a connection is gone. */
const lossCodes = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT']);

/**
 * One request's claim on a connection. Exactly one of `release` and `cut` ends it; what comes after
 * is ignored.
 */
export class Lease {
  /** The request cannot be sent twice. */
  readonly once: boolean;
  readonly #route: Route;
  readonly #connectTimeoutMs: number;
  #connection: Connection | undefined;
  #pending: { options: Dispatcher.DispatchOptions; handler: LeaseHandler } | undefined;
  #over = false;

  /** @internal */
  constructor(
    route: Route,
    connection: Connection | undefined,
    connectTimeoutMs: number,
    once: boolean,
  ) {
    this.#route = route;
    this.#connectTimeoutMs = connectTimeoutMs;
    this.once = once;
    if (connection === undefined) route.waiting.push(this);
    else this.#hold(connection);
  }

  /** The path must be the whole URL, and the proxy's credentials are a header of the request. */
  get absoluteForm(): boolean {
    return this.#route.to.absoluteForm;
  }

  /** What every http proxy is sent beside its own headers. */
  get proxyHeaders(): ProxyHeaders | undefined {
    return this.#route.proxyHeaders;
  }

  /** The response's head went to the caller: from here on the connection is held by its body. */
  responded(): void {
    if (this.#connection !== undefined) this.#connection.responded = true;
  }

  /** While it awaits its turn: how many connections are held by bodies that were not read to the end. */
  get unreadAhead(): number {
    if (this.#connection !== undefined) return 0;
    return this.#route.connections.filter(({ responded }) => responded).length;
  }

  /** Where an attempt stands of which nothing was sent yet: `select` while it awaits its turn. */
  get phase(): Phase {
    if (this.#connection === undefined) return 'select';
    return this.#connection.dial?.phase ?? 'tcp';
  }

  /** Sends the request, now or, after `onTurn`, when a connection is free. Once. */
  dispatch(options: Dispatcher.DispatchOptions, handler: LeaseHandler): void {
    if (this.#over) return;
    if (this.#connection === undefined) this.#pending = { options, handler };
    else this.#connection.dispatch(options, handler);
  }

  /**
   * Whether this error, which came before any byte of a response, means that a connection which had
   * served before was closed meanwhile. That is no failure (RFC 9112, section 9.3.1): after
   * `renew` the same request may be dispatched once more, if it may be sent twice or was not `sent`.
   */
  stale(error: Error, sent: boolean): boolean {
    const { code } = error as NodeJS.ErrnoException;
    const connection = this.#connection;
    if (this.#over || connection?.reused !== true || !lossCodes.has(code ?? '')) return false;
    if (sent) this.#route.lostReused(connection);
    return true;
  }

  /** Gives it a new connection in the place of the one that was stale. */
  renew(): void {
    if (this.#over || this.#connection === undefined) return;
    this.#hold(this.#route.replace(this.#connection));
  }

  /**
   * The response is an error. One that came before the upload had ended leaves a connection on which
   * the other end may no longer read: it serves no further request. `uploaded`: the body's source is
   * known to be at its end.
   */
  refused(uploaded: boolean): void {
    this.#connection?.refused(uploaded);
  }

  /** The response was read to its end: the connection may serve another request. */
  release(): void {
    if (this.#over) return;
    this.#over = true;
    const connection = this.#connection;
    if (connection === undefined) drop(this.#route.waiting, this);
    else this.#route.free(connection);
    this.#settle();
  }

  /**
   * Gives up: whatever is open or being opened for this request is destroyed. (Aborting the request
   * alone would make the client dial once more, for nothing.)
   */
  cut(reason: Error): void {
    if (this.#over) return;
    this.#over = true;
    const connection = this.#connection;
    if (connection === undefined) drop(this.#route.waiting, this);
    else void this.#route.end(connection, reason);
    this.#settle();
  }

  /** @internal Its turn has come. */
  start(connection: Connection): void {
    this.#hold(connection);
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending === undefined) return;
    pending.handler.onTurn?.();
    connection.dispatch(pending.options, pending.handler);
  }

  #hold(connection: Connection): void {
    connection.take(this.#connectTimeoutMs);
    this.#connection = connection;
  }

  #settle(): void {
    this.#route.pool.leases--;
    this.#route.pool.settle();
  }
}
