import type { AccessOptions, CircuitOptions, PoolEntry, RetryPolicyOptions } from '@whirl/rotator';
import type { Logger } from 'pino';
import type { Demo } from '../demo.ts';
import type { ListSettings } from '../proxies/proxy-list.ts';

/** The options of the REST API, and of the dashboard on top of it. */
export interface ApiSettings {
  /** The address to bind. Default 127.0.0.1; one that other machines can reach needs a `token`. */
  readonly host?: string | undefined;
  /** The port to bind, 0 to 65,535; 0 picks a free one. Default 8000. */
  readonly port?: number | undefined;
  /**
   * The bearer token that every request has to bring, `/health/` and the files of the dashboard aside. Printable ASCII
   * without spaces. Default: none.
   */
  readonly token?: string | undefined;
  /** Names that the Host header may have besides loopback ones and `host`. Default: none. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Addresses and networks whose X-Forwarded-For, -Host and -Proto are believed. Default: none. */
  readonly trustProxy?: readonly string[] | undefined;
  /** Whether the dashboard is served at `/`. Default true. */
  readonly dashboard?: boolean | undefined;
}

/** The options of the gateway, the proxy server over the pool. */
export interface GatewaySettings {
  /** The address to bind. Default 127.0.0.1; one that other machines can reach needs `auth`. */
  readonly host?: string | undefined;
  /** The port to bind, 0 to 65,535; 0 picks a free one. Default 8001. */
  readonly port?: number | undefined;
  /** `name:password` of each client. Default: none, every client is served. */
  readonly auth?: readonly string[] | undefined;
  /** Whether a port that is in use leaves the server without a gateway, instead of refusing to start. Default false. */
  readonly optional?: boolean | undefined;
}

/**
 * The options of `startServer()`. None of them is changed. It rejects with a TypeError or RangeError that names the
 * option, by the rules of the command and its variables; with a `ConfigError` for a list that cannot be used, and with a `ListenError` for a port that cannot be bound.
 */
export interface ServerOptions {
  /** The pool at the start; the API and `server.rotator` change it later. Default: none. */
  readonly proxies?: readonly PoolEntry[] | undefined;
  /** The path of a list of further proxies, in any form that a rotator reads. It is watched. Default: none. */
  readonly proxiesFile?: string | undefined;
  /** How that list is read. Default: as `readProxyList()` does without options. */
  readonly proxiesList?: ListSettings | undefined;
  /** The API; `false`: no API and no dashboard. Default: the defaults of each field. */
  readonly api?: ApiSettings | false | undefined;
  /** The gateway; `false`: none. Default: the defaults of each field. */
  readonly gateway?: GatewaySettings | false | undefined;
  /**
   * The URL, `redis://` or `rediss://`, of the Redis through which the servers of a fleet share what they learn about
   * proxies. May hold a password, which is shown nowhere. Default: this server is alone.
   */
  readonly redisUrl?: string | undefined;
  /** The name of the fleet, among several on one Redis. 1 to 200 characters without spaces and braces, default `default`. */
  readonly fleetPool?: string | undefined;
  /** The only proxies and targets that may be used. Default: all. */
  readonly allow?: AccessOptions | undefined;
  /**
   * Proxies and targets that may not be used. Default: `deniedByDefault`, link-local and metadata addresses; rules
   * given here stand in its place.
   */
  readonly deny?: AccessOptions | undefined;
  /** The global retry policy; the API may change it later. Default: the rotator's. */
  readonly retryPolicy?: RetryPolicyOptions | undefined;
  /** The circuits of all proxies. Default: those of the rotator. */
  readonly circuitBreaker?: CircuitOptions | undefined;
  /** Milliseconds in which running requests and tunnels may finish at `close()`. 0 to 3,600,000, default 5,000. */
  readonly shutdownTimeoutMs?: number | undefined;
  /** A pino logger. Default: nothing is logged. */
  readonly logger?: Logger | undefined;
  /** Starts the proxies and the traffic of a demo; its proxies are the pool. Excludes `proxies` and `proxiesFile`. Default: no demo. */
  readonly demo?: (() => Promise<Demo>) | undefined;
}
