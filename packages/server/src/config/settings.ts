import type { Kind } from '@whirl/check';
import { AccessRules, type ProxyProtocol } from '@whirl/rotator';
import * as kinds from './kinds.ts';
import type { LogLevel, OnInvalid } from './kinds.ts';

/** Where a value was written: decides how it is read, and how an error in it is named. */
export type Source = 'flag' | 'environment' | 'file';

/** One thing that an operator can set. */
export interface Setting<Value> {
  /** The long flag without its dashes; absent when it cannot be a flag. */
  readonly flag?: string;
  /** The environment variable. */
  readonly variable: string;
  /** The field of the configuration file. */
  readonly field: string;
  /** What a value must be, as the sentence "X must be …" goes on. */
  readonly expected: string;
  /** True for what must not be shown when it is wrong. */
  readonly secret?: boolean;
  /** The value, or undefined when it is not what was expected. */
  read(value: unknown): Value | undefined;
}

const text = (value: unknown) =>
  typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;

const number = (value: unknown) => {
  if (typeof value === 'number') return value;
  const written = text(value);
  return written !== undefined && /^\d+(\.\d+)?$/.test(written) ? Number(written) : undefined;
};

/** The value, where it is of that kind. */
const ofKind = <Value>(kind: Kind, value: Value | undefined): Value | undefined =>
  kind.isType(value) && kind.isWithin?.(value as never) !== false ? value : undefined;

const flagWords: Readonly<Record<string, boolean>> = {
  on: true,
  true: true,
  yes: true,
  1: true,
  off: false,
  false: false,
  no: false,
  0: false,
};

const onOrOff = (value: unknown) =>
  typeof value === 'boolean' ? value : flagWords[String(text(value)).toLowerCase()];

const list = (value: unknown): string[] | undefined => {
  const parts: unknown[] = Array.isArray(value) ? value : (text(value)?.split(',') ?? [value]);
  const read = parts.map(text).filter((part) => part !== undefined);
  const blank = parts.filter((part) => typeof part === 'string' && part.trim() === '');
  return read.length + blank.length === parts.length ? read : undefined;
};

/** In a list of what is denied: leaves out what is denied by default. */
export const noDefaults = 'none';

const rules =
  'hosts (*.example.com), addresses or networks, each with or without :port, separated by commas';

const accessList = (value: unknown): string[] | undefined => {
  const given = list(value);
  try {
    new AccessRules('targets', { targets: given?.filter((rule) => rule !== noDefaults) ?? [] });
  } catch {
    return undefined;
  }
  return given;
};

const accessSetting = (verb: 'allow' | 'deny', kind: 'proxies' | 'targets') =>
  ({
    flag: `${verb}-${kind}`,
    variable: `WHIRL_${verb.toUpperCase()}_${kind.toUpperCase()}`,
    field: `${verb}_${kind}`,
    expected: verb === 'deny' ? `${rules}, or ${noDefaults}` : rules,
    read: accessList,
  }) satisfies Setting<string[]>;

const hostOf = (value: unknown): string | undefined =>
  ofKind(kinds.host, text(value)?.replace(/^\[(.*)\]$/, '$1'));

const portOf = (value: unknown) => ofKind(kinds.port, number(value));

const pathOf = (value: unknown) => ofKind(kinds.filePath, text(value));

/** Every setting, in the order in which `--help` shows them. */
export const settings = {
  api: {
    flag: 'api',
    variable: 'WHIRL_API',
    field: 'api',
    expected: 'on or off',
    read: onOrOff,
  } satisfies Setting<boolean>,
  host: {
    flag: 'host',
    variable: 'WHIRL_API_HOST',
    field: 'api_host',
    expected: kinds.host.wanted,
    read: hostOf,
  } satisfies Setting<string>,
  port: {
    flag: 'port',
    variable: 'WHIRL_API_PORT',
    field: 'api_port',
    expected: kinds.port.wanted,
    read: portOf,
  } satisfies Setting<number>,
  token: {
    variable: 'WHIRL_API_TOKEN',
    field: 'api_token',
    expected: kinds.token.wanted,
    secret: true,
    read: (value) => ofKind(kinds.token, text(value)),
  } satisfies Setting<string>,
  tokenFile: {
    flag: 'token-file',
    variable: 'WHIRL_API_TOKEN_FILE',
    field: 'api_token_file',
    expected: kinds.filePath.wanted,
    read: pathOf,
  } satisfies Setting<string>,
  allowedHosts: {
    flag: 'allowed-hosts',
    variable: 'WHIRL_API_ALLOWED_HOSTS',
    field: 'api_allowed_hosts',
    expected: 'host names without ports, separated by commas',
    read: (value) => ofKind(kinds.hostNames, list(value))?.map((host) => host.toLowerCase()),
  } satisfies Setting<string[]>,
  trustProxy: {
    flag: 'trust-proxy',
    variable: 'WHIRL_TRUST_PROXY',
    field: 'trust_proxy',
    expected: 'IP addresses or networks (10.0.0.0/8) of reverse proxies, separated by commas',
    read: (value) => ofKind(kinds.networks, list(value)),
  } satisfies Setting<string[]>,
  proxies: {
    flag: 'proxies',
    variable: 'WHIRL_PROXIES',
    field: 'proxies',
    expected: 'proxies separated by commas (in a file: a list)',
    secret: true,
    read: list,
  } satisfies Setting<string[]>,
  proxiesFile: {
    flag: 'proxies-file',
    variable: 'WHIRL_PROXIES_FILE',
    field: 'proxies_file',
    expected: kinds.filePath.wanted,
    read: pathOf,
  } satisfies Setting<string>,
  proxiesFormat: {
    flag: 'proxies-format',
    variable: 'WHIRL_PROXIES_FORMAT',
    field: 'proxies_format',
    secret: true,
    expected: kinds.listFormat.wanted,
    // Blanks are separators of a template.
    read: (value) => ofKind(kinds.listFormat, value as string | undefined),
  } satisfies Setting<string>,
  proxiesDefaultProtocol: {
    flag: 'proxies-default-protocol',
    variable: 'WHIRL_PROXIES_DEFAULT_PROTOCOL',
    field: 'proxies_default_protocol',
    expected: kinds.protocol.wanted,
    read: (value) => ofKind(kinds.protocol, text(value) as ProxyProtocol | undefined),
  } satisfies Setting<ProxyProtocol>,
  proxiesOnInvalid: {
    flag: 'proxies-on-invalid',
    variable: 'WHIRL_PROXIES_ON_INVALID',
    field: 'proxies_on_invalid',
    expected: kinds.onInvalid.wanted,
    read: (value) => ofKind(kinds.onInvalid, text(value) as OnInvalid | undefined),
  } satisfies Setting<OnInvalid>,
  allowProxies: accessSetting('allow', 'proxies'),
  denyProxies: accessSetting('deny', 'proxies'),
  allowTargets: accessSetting('allow', 'targets'),
  denyTargets: accessSetting('deny', 'targets'),
  demo: {
    flag: 'demo',
    variable: 'WHIRL_DEMO',
    field: 'demo',
    expected: 'on or off',
    read: onOrOff,
  } satisfies Setting<boolean>,
  dashboard: {
    flag: 'dashboard',
    variable: 'WHIRL_DASHBOARD',
    field: 'dashboard',
    expected: 'on or off',
    read: onOrOff,
  } satisfies Setting<boolean>,
  gateway: {
    flag: 'gateway',
    variable: 'WHIRL_GATEWAY',
    field: 'gateway',
    expected: 'on or off',
    read: onOrOff,
  } satisfies Setting<boolean>,
  gatewayHost: {
    flag: 'gateway-host',
    variable: 'WHIRL_GATEWAY_HOST',
    field: 'gateway_host',
    expected: kinds.host.wanted,
    read: hostOf,
  } satisfies Setting<string>,
  gatewayPort: {
    flag: 'gateway-port',
    variable: 'WHIRL_GATEWAY_PORT',
    field: 'gateway_port',
    expected: kinds.port.wanted,
    read: portOf,
  } satisfies Setting<number>,
  gatewayAuth: {
    variable: 'WHIRL_GATEWAY_AUTH',
    field: 'gateway_auth',
    expected: 'name:password, one a line (in a file: a list)',
    secret: true,
    read: (value) => {
      const lines: unknown[] = Array.isArray(value) ? value : String(value).split(/\r?\n/);
      const given = lines.map(text).filter((line) => line !== undefined);
      const good = given.every((line) => /^[^:]+:./.test(line));
      return given.length > 0 && good ? given : undefined;
    },
  } satisfies Setting<string[]>,
  gatewayAuthFile: {
    flag: 'gateway-auth-file',
    variable: 'WHIRL_GATEWAY_AUTH_FILE',
    field: 'gateway_auth_file',
    expected: kinds.filePath.wanted,
    read: pathOf,
  } satisfies Setting<string>,
  logLevel: {
    flag: 'log-level',
    variable: 'WHIRL_LOG_LEVEL',
    field: 'log_level',
    expected: kinds.logLevel.wanted,
    read: (value) => ofKind(kinds.logLevel, value as LogLevel | undefined),
  } satisfies Setting<LogLevel>,
  redisUrl: {
    variable: 'WHIRL_REDIS_URL',
    field: 'redis_url',
    expected: kinds.redisUrl.wanted,
    secret: true,
    read: (value) => ofKind(kinds.redisUrl, text(value)),
  } satisfies Setting<string>,
  fleetPool: {
    flag: 'fleet-pool',
    variable: 'WHIRL_FLEET_POOL',
    field: 'fleet_pool',
    expected: kinds.fleetPool.wanted,
    read: (value) => ofKind(kinds.fleetPool, text(value)),
  } satisfies Setting<string>,
  shutdownTimeout: {
    flag: 'shutdown-timeout',
    variable: 'WHIRL_SHUTDOWN_TIMEOUT',
    field: 'shutdown_timeout',
    expected: kinds.shutdownSeconds.wanted,
    read: (value) => ofKind(kinds.shutdownSeconds, number(value)),
  } satisfies Setting<number>,
} as const;

export type SettingName = keyof typeof settings;

/** Names the configuration file in the environment; not a setting of its own. */
export const configVariable = 'WHIRL_CONFIG';
