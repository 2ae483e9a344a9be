import type { ConnectionPoolOptions, TakeOptions } from './connection-pool-options.ts';
import { LinkedList } from '../linked-list.ts';
import { maxTimerMs } from '../timer.ts';
import { Lease } from './lease.ts';
import { sameConnections, type Proxy } from '../proxy/proxy.ts';
import { ReuseMemory } from './reuse-memory.ts';
import { ProxyPool, Route } from './route.ts';

/** The connections of all proxies, made on first use, under an LRU cap. */
export class ConnectionPool {
  readonly #options: ConnectionPoolOptions;
  readonly #memory: ReuseMemory;
  readonly #live = new Map<string, ProxyPool>();
  /** Removed or replaced, with requests that still have or await a connection. */
  readonly #leaving = new Set<ProxyPool>();
  /** Those of the live ones that have no request, the least recently used first. */
  readonly #idle = new LinkedList<ProxyPool>();

  constructor(options: ConnectionPoolOptions) {
    this.#options = options;
    this.#memory = new ReuseMemory(options.now);
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
    if (pool === undefined) {
      this.#live.set(proxy.id, (pool = new ProxyPool(proxy, this.#onSettled)));
    } else this.#busy(pool);
    pool.leases++;
    if (this.#live.size > this.#options.maxLiveProxies) this.#evict();
    const tunnel = options.tunnel ?? proxy.tunnel ?? this.#options.tunnel ?? 'auto';
    const absoluteForm =
      tunnel === 'auto' && origin.protocol === 'http:' && proxy.protocol.startsWith('http');
    const { session } = options;
    const place = absoluteForm ? '' : (options.origin ?? origin.origin);
    const key = session === undefined ? place : `${place} ${session}`;
    let route = pool.routes.get(key);
    if (route === undefined) {
      const keepAlive = proxy.keepAlive ?? this.#options.keepAlive ?? true;
      const to = { proxy, origin, absoluteForm, keepAlive };
      route = new Route(pool, key, to, this.#options, this.#memory);
      pool.routes.set(key, route);
    }
    const once = options.once ?? false;
    const connectTimeoutMs = Math.min(options.connectTimeoutMs ?? 10_000, maxTimerMs);
    return new Lease(route, route.get(once, route.waiting.length), connectTimeoutMs, once);
  }

  /** Closes a proxy's idle connections; requests that run or wait go on, and end theirs. */
  remove(proxyId: string): void {
    const pool = this.#live.get(proxyId);
    if (pool === undefined) return;
    pool.retired = true;
    this.#live.delete(proxyId);
    this.#busy(pool);
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
    for (const pool of this.#idle) this.#busy(pool);
    this.#live.clear();
    this.#leaving.clear();
    await Promise.all(ends);
    // Sockets of cancelled dials close in the next turn of the loop.
    await new Promise((resolve) => setImmediate(resolve));
  }

  readonly #onSettled = (pool: ProxyPool): void => {
    if (pool.leases > 0) return;
    if (pool.retired) {
      this.#leaving.delete(pool);
      return;
    }
    this.#busy(pool);
    if (pool.routes.size === 0) this.#live.delete(pool.proxy.id);
    else {
      pool.idle = true;
      this.#idle.add(pool);
      if (this.#live.size > this.#options.maxLiveProxies) this.#evict();
    }
  };

  /** Takes it out of the idle ones. */
  #busy(pool: ProxyPool): void {
    if (!pool.idle) return;
    pool.idle = false;
    this.#idle.delete(pool);
  }

  #evict(): void {
    for (const { proxy } of this.#idle) {
      if (this.#live.size <= this.#options.maxLiveProxies) return;
      this.remove(proxy.id);
    }
  }
}
