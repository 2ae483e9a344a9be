import type { Phase } from '@whirl/events';
import type { Dispatcher } from 'undici';
import { Connection, type RouteTo } from './connection.ts';
import type { ConnectorOptions } from './connector.ts';
import { sameConnections, type Proxy } from './proxy.ts';

/** `auto`: absolute form to http targets through http(s) proxies. `always`: CONNECT to them too. */
export type TunnelMode = 'auto' | 'always';

export interface ClientsOptions extends ConnectorOptions {
  /** Connections per proxy and origin at most; further requests wait for one. */
  readonly connections: number;
  /** Proxies with live connections at most. Busy ones are never closed, so they may exceed it. */
  readonly maxLiveProxies: number;
  /** Where the proxy does not say. Default `auto`. */
  readonly tunnel?: TunnelMode | undefined;
  /** Where the proxy does not say. `false`: a connection per request. Default true. */
  readonly keepAlive?: boolean | undefined;
}

export interface TakeOptions {
  /** How long the attempt may take, which bounds a SOCKS handshake. Default 30,000. */
  readonly timeoutMs?: number | undefined;
  /** Overrides the proxy's and the rotator's: an upgrade needs a tunnel. */
  readonly tunnel?: TunnelMode | undefined;
  /** Connections are shared within a session only. Default: one common session. */
  readonly session?: string | undefined;
}

/** A request that may have to wait hears when its turn has come. */
export type LeaseHandler = Dispatcher.DispatchHandler & { onTurn?(): void };

const over = new Error('the connection is not needed any more');

/** The connections to one origin (or, in absolute form, to all of them) through one proxy. */
class Route {
  readonly to: RouteTo;
  readonly pool: ProxyPool;
  readonly key: string;
  readonly connections: Connection[] = [];
  readonly idle: Connection[] = [];
  readonly waiting: Lease[] = [];
  readonly #options: ClientsOptions;

  constructor(pool: ProxyPool, key: string, to: RouteTo, options: ClientsOptions) {
    this.pool = pool;
    this.key = key;
    this.to = to;
    this.#options = options;
  }

  /** An idle connection, the last used first; else a new one, if there is room. */
  get(): Connection | undefined {
    const idle = this.idle.pop();
    if (idle !== undefined) return idle;
    if (this.connections.length >= this.#options.connections) return undefined;
    const opened = new Connection(this.to, this.#options, (ended) => void this.end(ended, over));
    this.connections.push(opened);
    return opened;
  }

  /** A request is done with its connection. */
  free(connection: Connection): void {
    connection.leased = false;
    if (connection.reusable && !this.pool.retired) this.idle.push(connection);
    else {
      drop(this.connections, connection);
      // Not inside the callback of the client that says so: its bookkeeping is not finished.
      queueMicrotask(() => void connection.end(over));
    }
    this.#next();
  }

  end(connection: Connection, reason: Error): Promise<void> {
    drop(this.connections, connection);
    drop(this.idle, connection);
    const ended = connection.end(reason);
    this.#next();
    return ended;
  }

  endIdle(): void {
    for (const connection of [...this.idle]) void this.end(connection, over);
  }

  #next(): void {
    if (this.waiting.length > 0) queueMicrotask(() => this.#serve());
    else if (this.connections.length === 0) this.pool.forget(this);
  }

  #serve(): void {
    while (this.waiting.length > 0) {
      const connection = this.get();
      if (connection === undefined) return;
      this.waiting.shift()?.start(connection);
    }
  }
}

/** The routes through one proxy. */
class ProxyPool {
  proxy: Proxy;
  readonly routes = new Map<string, Route>();
  /** Requests that have or await a connection. */
  leases = 0;
  /** The proxy was removed or replaced: what runs goes on, nothing new comes. */
  retired = false;
  readonly #clients: Clients;

  constructor(proxy: Proxy, clients: Clients) {
    this.proxy = proxy;
    this.#clients = clients;
  }

  forget(route: Route): void {
    if (route.connections.length > 0 || route.waiting.length > 0) return;
    if (this.routes.get(route.key) === route) this.routes.delete(route.key);
    this.settle();
  }

  endIdle(): void {
    for (const route of [...this.routes.values()]) route.endIdle();
  }

  settle(): void {
    this.#clients.settle(this);
  }
}

/**
 * One request's claim on a connection. Exactly one of `release` and `cut` ends it; what comes after
 * is ignored.
 */
export class Lease {
  readonly #route: Route;
  readonly #timeoutMs: number;
  #connection: Connection | undefined;
  #pending: { options: Dispatcher.DispatchOptions; handler: LeaseHandler } | undefined;
  #over = false;

  /** @internal */
  constructor(route: Route, connection: Connection | undefined, timeoutMs: number) {
    this.#route = route;
    this.#timeoutMs = timeoutMs;
    if (connection === undefined) route.waiting.push(this);
    else this.#hold(connection);
  }

  /** The path must be the whole URL, and the proxy's credentials are a header of the request. */
  get absoluteForm(): boolean {
    return this.#route.to.absoluteForm;
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

  /** The answer was read to its end: the connection may serve another request. */
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
    connection.leased = true;
    connection.timeoutMs = this.#timeoutMs;
    this.#connection = connection;
  }

  #settle(): void {
    this.#route.pool.leases--;
    this.#route.pool.settle();
  }
}

/** The connections of all proxies, made on first use, under an LRU cap. */
export class Clients {
  readonly #options: ClientsOptions;
  readonly #live = new Map<string, ProxyPool>();
  /** Removed or replaced, with requests that still have or await a connection. */
  readonly #leaving = new Set<ProxyPool>();
  /** Those of the live ones that have no request, the least recently used first. */
  readonly #idle = new Map<string, ProxyPool>();

  constructor(options: ClientsOptions) {
    this.#options = options;
  }

  /** Proxies that have a connection or a request waiting for one. */
  get liveProxies(): number {
    return this.#live.size;
  }

  /** Connections open or being opened, through all proxies. */
  get openConnections(): number {
    let sum = 0;
    for (const { routes } of this.#live.values()) {
      for (const { connections } of routes.values()) sum += connections.length;
    }
    return sum;
  }

  /** A claim on a connection to `origin` through `proxy`. */
  take(proxy: Proxy, origin: URL, options: TakeOptions = {}): Lease {
    let pool = this.#live.get(proxy.id);
    if (pool !== undefined && pool.proxy !== proxy) {
      if (sameConnections(pool.proxy, proxy)) pool.proxy = proxy;
      else {
        this.remove(proxy.id);
        pool = undefined;
      }
    }
    if (pool === undefined) this.#live.set(proxy.id, (pool = new ProxyPool(proxy, this)));
    else this.#idle.delete(proxy.id);
    pool.leases++;
    this.#evict();
    const tunnel = options.tunnel ?? proxy.tunnel ?? this.#options.tunnel ?? 'auto';
    const absoluteForm =
      tunnel === 'auto' && origin.protocol === 'http:' && proxy.protocol.startsWith('http');
    const { session } = options;
    const place = absoluteForm ? '' : origin.origin;
    const key = session === undefined ? place : `${place} ${session}`;
    let route = pool.routes.get(key);
    if (route === undefined) {
      const keepAlive = proxy.keepAlive ?? this.#options.keepAlive ?? true;
      route = new Route(pool, key, { proxy, origin, absoluteForm, keepAlive }, this.#options);
      pool.routes.set(key, route);
    }
    const connection = route.waiting.length > 0 ? undefined : route.get();
    return new Lease(route, connection, Math.min(options.timeoutMs ?? 30_000, 2 ** 31 - 1));
  }

  /** Closes a proxy's idle connections; requests that run or wait go on, and end theirs. */
  remove(proxyId: string): void {
    const pool = this.#live.get(proxyId);
    if (pool === undefined) return;
    pool.retired = true;
    this.#live.delete(proxyId);
    this.#idle.delete(proxyId);
    if (pool.leases > 0) this.#leaving.add(pool);
    pool.endIdle();
  }

  /** Ends every connection with whatever is on it; resolves when all sockets are closed. */
  async destroy(reason: Error): Promise<void> {
    const ends: Promise<void>[] = [];
    for (const pool of [...this.#live.values(), ...this.#leaving]) {
      pool.retired = true;
      for (const route of [...pool.routes.values()]) {
        route.waiting.length = 0;
        for (const connection of [...route.connections]) ends.push(route.end(connection, reason));
      }
    }
    this.#live.clear();
    this.#idle.clear();
    this.#leaving.clear();
    await Promise.all(ends);
    // Sockets of cancelled dials close in the next turn of the loop.
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** @internal A pool's requests or connections became fewer. */
  settle(pool: ProxyPool): void {
    if (pool.leases > 0) return;
    if (pool.retired) {
      this.#leaving.delete(pool);
      return;
    }
    if (pool.routes.size === 0) {
      this.#live.delete(pool.proxy.id);
      this.#idle.delete(pool.proxy.id);
    } else {
      this.#idle.delete(pool.proxy.id);
      this.#idle.set(pool.proxy.id, pool);
      this.#evict();
    }
  }

  #evict(): void {
    for (const proxyId of this.#idle.keys()) {
      if (this.#live.size <= this.#options.maxLiveProxies) return;
      this.remove(proxyId);
    }
  }
}

function drop<T>(from: T[], item: T): void {
  const at = from.indexOf(item);
  if (at !== -1) from.splice(at, 1);
}
