import {
  anything,
  array,
  boolean,
  checkOptions,
  func,
  integer,
  number,
  object,
  or,
  string,
  strings,
  withMethods,
  type Kind,
} from '@whirl/check';
import { checkAuth } from '@whirl/gateway';
import type { ApiSettings, GatewaySettings, ServerOptions } from './server-options.ts';

const port = integer(0, 65_535);

/** What each must be; what is checked where it is used stands as `anything`. */
const kinds: Readonly<Record<keyof ServerOptions | 'logLevel' | 'warnings', Kind>> = {
  proxies: array,
  proxiesFile: string,
  proxiesList: object,
  api: or(false, object),
  gateway: or(false, object),
  redisUrl: { ...string, isSecret: true },
  fleetPool: string,
  allow: anything,
  deny: anything,
  retryPolicy: anything,
  circuitBreaker: anything,
  shutdownTimeoutMs: number(0),
  logger: withMethods('a pino logger', 'info', 'warn', 'child'),
  demo: func,
  // What `readConfig()` returns may be given as it is.
  logLevel: anything,
  warnings: anything,
};

const apiKinds: Readonly<Record<keyof ApiSettings, Kind>> = {
  host: string,
  port,
  token: { ...string, isSecret: true },
  allowedHosts: strings,
  trustProxy: strings,
  dashboard: boolean,
};

const gatewayKinds: Readonly<Record<keyof GatewaySettings, Kind>> = {
  host: string,
  port,
  auth: anything,
  optional: boolean,
};

/**
 * Refuses unknown names and values out of their bounds with a TypeError or RangeError that names the whole path. What
 * the rotator and the gateway are given unchanged they check themselves.
 */
export function checkServerOptions(options: ServerOptions): void {
  checkOptions('', options, kinds);
  const { api = {}, gateway = {} } = options;
  if (api !== false) checkOptions('api', api, apiKinds);
  if (gateway === false) return;
  checkOptions('gateway', gateway, gatewayKinds);
  if (gateway.auth !== undefined) checkAuth(gateway.auth, 'gateway.auth');
}
