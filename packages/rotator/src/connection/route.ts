import type { Linked } from '../linked-list.ts';
import type { ProxyHeaders } from '../proxy/proxy-headers.ts';
import { setImmediate } from 'node:timers';
import type { ConnectionPoolOptions } from './connection-pool-options.ts';
import { Connection, type RouteTo } from './connection.ts';
import type { Proxy } from '../proxy/proxy.ts';
import type { ReuseMemory } from './reuse-memory.ts';

const over = new Error('the connection is not needed any more');

/**
 * A connection that is still open this long after its first response shows that its other end keeps
 * connections: one that does not closes them at once, or within milliseconds.
 */
const proofMs = 100;

/** A request that waits for a connection. */
interface Waiting {
  /** It cannot be sent twice. */
  readonly once: boolean;
  /** Its turn has come. */
  start(connection: Connection): void;
}

/** The connections to one origin (or, in absolute form, to all of them) through one proxy. */
export class Route {
  readonly to: RouteTo;
  readonly pool: ProxyPool;
  readonly key: string;
  readonly connections: Connection[] = [];
  readonly waiting: Waiting[] = [];
  readonly #options: ConnectionPoolOptions;
  readonly #memory: ReuseMemory;
  readonly #memoryKey: string;
  readonly #idle: Connection[] = [];
  /** Their responses ended in this turn of the loop: a FIN may have come with them. */
  #settling: Connection[] = [];
  /** The other end is known to keep connections open. */
  #keeps = false;
  #proving = false;

  constructor(
    pool: ProxyPool,
    key: string,
    to: RouteTo,
    options: ConnectionPoolOptions,
    memory: ReuseMemory,
  ) {
    this.pool = pool;
    this.key = key;
    this.to = to;
    this.#options = options;
    this.#memory = memory;
    this.#memoryKey = `${to.proxy.id} ${key}`;
  }

  get proxyHeaders(): ProxyHeaders | undefined {
    return this.#options.proxyHeaders;
  }

  /**
   * An idle connection, the last used first; else a new one, if there is room. `once`: the request
   * cannot be sent twice, so it gets a connection that served before only where those are known to
   * last. `ahead`: as many requests have waited for longer. Undefined: it has to wait.
   */
  get(once: boolean, ahead: number): Connection | undefined {
    const free = this.#idle.length - ahead;
    if (!once || this.#keeps) {
      if (free > 0) return this.#idle.pop();
      // undici writes to a used connection in a later turn only; nothing is lost if it is closed then.
      if (free + this.#settling.length > 0) return this.#settling.pop();
    } else if (free > 0 && this.#proves()) return undefined;
    if (this.connections.length >= this.#options.connections) {
      const oldest = free > 0 ? this.#idle.shift() : undefined;
      if (oldest === undefined) return undefined;
      this.#retire(oldest);
    }
    return this.#open();
  }

  /** A request is done with its connection. */
  free(connection: Connection): void {
    connection.free();
    if (!connection.reusable || this.pool.retired) {
      this.#retire(connection);
      this.#next();
      return;
    }
    if (this.#settling.push(connection) === 1) setImmediate(() => this.#settle());
  }

  end(connection: Connection, reason: Error): Promise<void> {
    this.#forget(connection);
    const ended = connection.end(reason);
    this.#next();
    return ended;
  }

  endIdle(): void {
    for (const connection of [...this.#idle, ...this.#settling]) void this.end(connection, over);
  }

  /** A connection was lost when it was used again. */
  lostReused(connection: Connection): void {
    this.#keeps = false;
    this.#memory.lost(this.#memoryKey, connection.openedAt);
  }

  /** A new connection in the place of one that was lost. */
  replace(lost: Connection): Connection {
    this.#retire(lost);
    return this.#open();
  }

  #open(): Connection {
    const { keepAlive } = this.to;
    const opened = new Connection(
      this.to,
      this.#options,
      keepAlive && this.#memory.allows(this.#memoryKey),
      (ended) => void this.end(ended, over),
    );
    this.connections.push(opened);
    return opened;
  }

  #forget(connection: Connection): void {
    drop(this.connections, connection);
    drop(this.#idle, connection);
    drop(this.#settling, connection);
  }

  #retire(connection: Connection): void {
    this.#forget(connection);
    // Not inside the callback of the client that says so: its bookkeeping is not finished.
    queueMicrotask(() => void connection.end(over));
  }

  /** In a later turn of the loop: what was closed together with its response is gone by now. */
  #settle(): void {
    const settled = this.#settling;
    this.#settling = [];
    for (const connection of settled) {
      if (connection.reusable && !this.pool.retired) this.#idle.push(connection);
      else this.#retire(connection);
    }
    this.#next();
  }

  /**
   * Whether an idle connection is about to prove that connections last here. In a loop that was late
   * its end may not have been read yet, so that takes one more whole turn.
   */
  #proves(): boolean {
    if (this.#proving) return true;
    const until = this.#options.now() - proofMs;
    const old = this.#idle.find(({ firstEndedAt = Infinity }) => firstEndedAt <= until);
    if (old === undefined) return false;
    this.#proving = true;
    const prove = () => {
      this.#proving = false;
      this.#keeps = old.reusable;
      this.#next();
    };
    // The first may still be of this turn, and the second of the turn in which the end is read: the
    // connection is closed behind it.
    setImmediate(() => void setImmediate(() => void setImmediate(prove)));
    return true;
  }

  #next(): void {
    if (this.waiting.length > 0) queueMicrotask(() => this.#serve());
    else if (this.connections.length === 0) this.pool.forget(this);
  }

  #serve(): void {
    for (let first = this.waiting[0]; first !== undefined; first = this.waiting[0]) {
      const connection = this.get(first.once, 0);
      if (connection === undefined) return;
      this.waiting.shift();
      first.start(connection);
    }
  }
}

/** The routes through one proxy. */
export class ProxyPool implements Linked<ProxyPool> {
  proxy: Proxy;
  /** Its place among those that have no request, while it is one of them. */
  idle = false;
  previous: ProxyPool | undefined;
  next: ProxyPool | undefined;
  readonly routes = new Map<string, Route>();
  /** Requests that have or await a connection. */
  leases = 0;
  /** The proxy was removed or replaced: what runs goes on, nothing new comes. */
  retired = false;
  readonly #onSettled: (pool: ProxyPool) => void;

  /** `onSettled`: its requests or connections became fewer. */
  constructor(proxy: Proxy, onSettled: (pool: ProxyPool) => void) {
    this.proxy = proxy;
    this.#onSettled = onSettled;
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
    this.#onSettled(this);
  }
}

/** Takes an item out of a list, if it is in it. */
export function drop<T>(from: T[], item: T): void {
  const at = from.indexOf(item);
  if (at !== -1) from.splice(at, 1);
}
