import type { ConnectionOptions } from './connection.ts';

/** `auto`: absolute form to http targets through http(s) proxies. `always`: CONNECT to them too. */
export type TunnelMode = 'auto' | 'always';

export interface ConnectionPoolOptions extends ConnectionOptions {
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
  /** That of the URL, as a string, if it is there already: of a string in use since long the hash is known too. */
  readonly origin?: string | undefined;
  /** How long the way through the proxy may take to be made. Default 10,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Overrides the proxy's and the rotator's: an upgrade needs a tunnel. */
  readonly tunnel?: TunnelMode | undefined;
  /** Connections are shared within a session only. Default: one common session. */
  readonly session?: string | undefined;
  /** The request cannot be sent twice: see `Route.get`. Default false. */
  readonly once?: boolean | undefined;
}
