import type { AccessOptions, CircuitOptions, PoolEntry, RetryPolicyOptions } from '@whirl/rotator';
import type { Logger } from 'pino';
import type { Demo } from '../demo.ts';
import type { ListSettings } from '../proxies/proxy-list.ts';

/** The REST API, and the page that is made of it. */
export interface ApiSettings {
  /** The address to bind. Default 127.0.0.1; one that other machines can reach needs a token. */
  readonly host?: string | undefined;
  /** Default 8000; 0 picks a free one. */
  readonly port?: number | undefined;
  /** The bearer token that every request has to bring, health and the page's files aside. Default: none. */
  readonly token?: string | undefined;
  /** Names that the Host header may have besides loopback ones and `host`. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Addresses and networks whose X-Forwarded-For, -Host and -Proto are believed. Default: none. */
  readonly trustProxy?: readonly string[] | undefined;
  /** Whether the page is at `/`. Default true. */
  readonly dashboard?: boolean | undefined;
}

/** The proxy server over the pool. */
export interface GatewaySettings {
  /** The address to bind. Default 127.0.0.1; one that other machines can reach needs credentials. */
  readonly host?: string | undefined;
  /** Default 8001; 0 picks a free one. */
  readonly port?: number | undefined;
  /** `name:password` of each client. Default: every client is served. */
  readonly auth?: readonly string[] | undefined;
  /** Whether a port that is in use leaves the server without a gateway, instead of refusing to start. Default false. */
  readonly optional?: boolean | undefined;
}

/** What `startServer` starts. None of it is changed. */
export interface ServerOptions {
  /** The pool at the start. Default: none; the API and `rotator` add to it. */
  readonly proxies?: readonly PoolEntry[] | undefined;
  /** A list of further proxies, in any form that a rotator reads. It is watched: a change changes the pool. */
  readonly proxiesFile?: string | undefined;
  /** How that list is read. */
  readonly proxiesList?: ListSettings | undefined;
  /** False: no API and no page. */
  readonly api?: ApiSettings | false | undefined;
  /** False: no gateway. */
  readonly gateway?: GatewaySettings | false | undefined;
  /**
   * `redis://` or `rediss://`: where the servers of a fleet meet, which learn together about proxies. Default: this one
   * is alone. May hold a password, which is shown nowhere.
   */
  readonly redisUrl?: string | undefined;
  /** Which fleet, among several on one Redis. Default `default`. */
  readonly fleetPool?: string | undefined;
  /** The only proxies and targets that may be used. Default: all. */
  readonly allow?: AccessOptions | undefined;
  /**
   * Proxies and targets that may not be used. Default: `deniedByDefault`, link-local and metadata addresses; rules
   * given here stand in its place.
   */
  readonly deny?: AccessOptions | undefined;
  /** The first global policy; the API may change it later. */
  readonly retryPolicy?: RetryPolicyOptions | undefined;
  /** The circuits of all proxies. Default: those of the rotator. */
  readonly circuitBreaker?: CircuitOptions | undefined;
  /** Milliseconds for running requests and tunnels to finish at `close`. Default 5,000. */
  readonly shutdownTimeoutMs?: number | undefined;
  /** Default: nothing is logged. */
  readonly logger?: Logger | undefined;
  /** Starts proxies to be watched at work, which the pool gets as well. */
  readonly demo?: (() => Promise<Demo>) | undefined;
}
