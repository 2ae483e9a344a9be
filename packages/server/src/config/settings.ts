import { isIP } from 'node:net';
import { AccessRules } from '@whirl/rotator';
import { formatSchema } from '../proxies/proxy-list.ts';
import { protocols } from '../wire/proxy-wire.ts';

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

const within = (value: number | undefined, min: number, max: number) =>
  value !== undefined && value >= min && value <= max ? value : undefined;

const integer = (value: number | undefined) => (Number.isInteger(value) ? value : undefined);

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

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

const hostname = /^(?!-)[a-z0-9._-]{1,253}$/i;

/** An address, or a network in CIDR notation. `/0` would trust every address: it is refused. */
const isNetwork = (value: string): boolean => {
  const [address = '', bits, ...rest] = value.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  if (bits === undefined) return true;
  return /^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= (version === 4 ? 32 : 128);
};

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

const hostOf = (value: unknown): string | undefined => {
  const host = text(value)?.replace(/^\[(.*)\]$/, '$1');
  return host !== undefined && (isIP(host) !== 0 || hostname.test(host)) ? host : undefined;
};

const portOf = (value: unknown) => within(integer(number(value)), 0, 65_535);

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
    expected: 'a host name or an IP address',
    read: hostOf,
  } satisfies Setting<string>,
  port: {
    flag: 'port',
    variable: 'WHIRL_API_PORT',
    field: 'api_port',
    expected: 'an integer from 0 to 65535',
    read: portOf,
  } satisfies Setting<number>,
  token: {
    variable: 'WHIRL_API_TOKEN',
    field: 'api_token',
    expected: 'printable ASCII without spaces',
    secret: true,
    read: (value) => {
      const token = text(value);
      return token !== undefined && /^[\x21-\x7e]+$/.test(token) ? token : undefined;
    },
  } satisfies Setting<string>,
  tokenFile: {
    flag: 'token-file',
    variable: 'WHIRL_API_TOKEN_FILE',
    field: 'api_token_file',
    expected: 'the path of a file',
    read: text,
  } satisfies Setting<string>,
  allowedHosts: {
    flag: 'allowed-hosts',
    variable: 'WHIRL_API_ALLOWED_HOSTS',
    field: 'api_allowed_hosts',
    expected: 'host names without ports, separated by commas',
    read: (value) => {
      const hosts = list(value);
      return hosts?.every((host) => hostname.test(host)) === true
        ? hosts.map((host) => host.toLowerCase())
        : undefined;
    },
  } satisfies Setting<string[]>,
  trustProxy: {
    flag: 'trust-proxy',
    variable: 'WHIRL_TRUST_PROXY',
    field: 'trust_proxy',
    expected: 'IP addresses or networks (10.0.0.0/8) of reverse proxies, separated by commas',
    read: (value) => {
      const networks = list(value);
      return networks?.every(isNetwork) === true ? networks : undefined;
    },
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
    expected: 'the path of a file',
    read: text,
  } satisfies Setting<string>,
  proxiesFormat: {
    flag: 'proxies-format',
    variable: 'WHIRL_PROXIES_FORMAT',
    field: 'proxies_format',
    secret: true,
    expected:
      'records, proxychains, host:port:user:pass, user:pass:host:port or a template such as host:port:region',
    read: (value) => {
      const checked = formatSchema.safeParse(value);
      return checked.success && checked.data !== '' ? checked.data : undefined;
    },
  } satisfies Setting<string>,
  proxiesDefaultProtocol: {
    flag: 'proxies-default-protocol',
    variable: 'WHIRL_PROXIES_DEFAULT_PROTOCOL',
    field: 'proxies_default_protocol',
    expected: `one of ${protocols.join(', ')}`,
    read: (value) => protocols.find((each) => each === text(value)),
  } satisfies Setting<string>,
  proxiesOnInvalid: {
    flag: 'proxies-on-invalid',
    variable: 'WHIRL_PROXIES_ON_INVALID',
    field: 'proxies_on_invalid',
    expected: 'throw or skip',
    read: (value) => (['throw', 'skip'] as const).find((each) => each === text(value)),
  } satisfies Setting<string>,
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
    expected: 'a host name or an IP address',
    read: hostOf,
  } satisfies Setting<string>,
  gatewayPort: {
    flag: 'gateway-port',
    variable: 'WHIRL_GATEWAY_PORT',
    field: 'gateway_port',
    expected: 'an integer from 0 to 65535',
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
    expected: 'the path of a file',
    read: text,
  } satisfies Setting<string>,
  logLevel: {
    flag: 'log-level',
    variable: 'WHIRL_LOG_LEVEL',
    field: 'log_level',
    expected: `one of ${logLevels.join(', ')}`,
    read: (value) => logLevels.find((level) => level === value),
  } satisfies Setting<LogLevel>,
  redisUrl: {
    variable: 'WHIRL_REDIS_URL',
    field: 'redis_url',
    expected: 'a URL that begins with redis:// or rediss://',
    secret: true,
    read: (value) => {
      const url = text(value);
      return url !== undefined && /^rediss?:\/\//.test(url) && URL.canParse(url) ? url : undefined;
    },
  } satisfies Setting<string>,
  fleetPool: {
    flag: 'fleet-pool',
    variable: 'WHIRL_FLEET_POOL',
    field: 'fleet_pool',
    expected: '1 to 200 characters without spaces and braces',
    read: (value) => {
      const name = text(value);
      return name !== undefined && /^[^\s{}]{1,200}$/.test(name) ? name : undefined;
    },
  } satisfies Setting<string>,
  shutdownTimeout: {
    flag: 'shutdown-timeout',
    variable: 'WHIRL_SHUTDOWN_TIMEOUT',
    field: 'shutdown_timeout',
    expected: 'a number of seconds from 0 to 3600',
    read: (value) => within(number(value), 0, 3600),
  } satisfies Setting<number>,
} as const;

export type SettingName = keyof typeof settings;

/** Names the configuration file in the environment; not a setting of its own. */
export const configVariable = 'WHIRL_CONFIG';
