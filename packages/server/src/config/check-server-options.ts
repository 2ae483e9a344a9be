import {
  anything,
  array,
  boolean,
  checkOptions,
  func,
  object,
  or,
  strings,
  withMethods,
  type Kind,
} from '@whirl/check';
import { checkAuth } from '@whirl/gateway';
import type { ListSettings } from '../proxies/proxy-list.ts';
import * as rules from './kinds.ts';
import type { ApiSettings, GatewaySettings, ServerOptions } from './server-options.ts';

/** What each must be; what is checked where it is used stands as `anything`. */
const kinds: Readonly<Record<keyof ServerOptions | 'logLevel' | 'warnings', Kind>> = {
  proxies: array,
  proxiesFile: rules.filePath,
  proxiesList: object,
  api: or(false, object),
  gateway: or(false, object),
  redisUrl: rules.redisUrl,
  fleetPool: rules.fleetPool,
  allow: anything,
  deny: anything,
  retryPolicy: anything,
  circuitBreaker: anything,
  shutdownTimeoutMs: rules.shutdownTimeoutMs,
  logger: withMethods('a pino logger', 'info', 'warn', 'child'),
  demo: func,
  // What `readConfig()` returns may be given as it is.
  logLevel: rules.logLevel,
  warnings: strings,
};

const listKinds: Readonly<Record<keyof ListSettings, Kind>> = {
  format: rules.listFormat,
  defaultProtocol: rules.protocol,
  onInvalid: rules.onInvalid,
};

const apiKinds: Readonly<Record<keyof ApiSettings, Kind>> = {
  host: rules.host,
  port: rules.port,
  token: rules.token,
  allowedHosts: rules.hostNames,
  trustProxy: rules.networks,
  dashboard: boolean,
};

const gatewayKinds: Readonly<Record<keyof GatewaySettings, Kind>> = {
  host: rules.host,
  port: rules.port,
  auth: anything,
  optional: boolean,
};

/** Why a demo has no proxies beside its own. */
export const demoStandsAlone =
  'requests would take proxies that reach the demo alone, and the traffic of the demo yours';

/**
 * Refuses unknown names and values out of their bounds with a TypeError or RangeError that names the whole path. What
 * the rotator and the gateway are given unchanged they check themselves.
 */
export function checkServerOptions(options: ServerOptions): void {
  checkOptions('', options, kinds);
  const { api = {}, gateway = {}, proxies = [], proxiesFile, proxiesList = {} } = options;
  if (options.demo !== undefined && (proxies.length > 0 || proxiesFile !== undefined)) {
    const other = proxies.length > 0 ? 'proxies' : 'proxiesFile';
    throw new RangeError(`demo and ${other} exclude each other: ${demoStandsAlone}`);
  }
  checkOptions('proxiesList', proxiesList, listKinds);
  if (api !== false) checkOptions('api', api, apiKinds);
  if (gateway === false) return;
  checkOptions('gateway', gateway, gatewayKinds);
  if (gateway.auth !== undefined) checkAuth(gateway.auth, 'gateway.auth');
}
