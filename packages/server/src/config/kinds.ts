import { isIP } from 'node:net';
import { integer, matching, number, type Kind } from '@whirl/check';
import { formatSchema } from '../proxies/proxy-list.ts';
import { protocols } from '../wire/proxy-wire.ts';

// What a value must be, once for the settings of an operator and the options of `startServer()`.

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** The most that `shutdownTimeoutMs` may be; a setting says it in seconds. */
const maxShutdownSeconds = 3600;

const secret = (kind: Kind): Kind => ({ ...kind, isSecret: true });

const wordOf = (words: readonly string[]) =>
  matching(`one of ${words.join(', ')}`, (value) => words.includes(value));

const hostname = /^(?!-)[a-z0-9._-]{1,253}$/i;

/** An address, or a network in CIDR notation. `/0` would trust every address: it is refused. */
const isNetwork = (value: string): boolean => {
  const [address = '', bits, ...rest] = value.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  if (bits === undefined) return true;
  return /^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= (version === 4 ? 32 : 128);
};

const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');

/** An array of which every entry passes a test. `of` says what they are, as "host names". */
const arrayOf = (of: string, test: (value: string) => boolean): Kind => ({
  wanted: `an array of ${of}`,
  isType: isStrings,
  isWithin: (values: readonly string[]) => values.every(test),
});

export const port = integer(0, 65_535);

export const host = matching(
  'a host name or an IP address',
  (value) => isIP(value) !== 0 || hostname.test(value),
);

export const token = secret(
  matching('printable ASCII without spaces', (value) => /^[\x21-\x7e]+$/.test(value)),
);

export const hostNames = arrayOf('host names without ports', (name) => hostname.test(name));

export const networks = arrayOf(
  'IP addresses or networks (10.0.0.0/8) of reverse proxies',
  isNetwork,
);

export const filePath = matching('the path of a file', (value) => value.trim() !== '');

export const listFormat = secret(
  matching(
    'records, proxychains, host:port:user:pass, user:pass:host:port or a template such as host:port:region',
    (value) => value !== '' && formatSchema.safeParse(value).success,
  ),
);

export const protocol = wordOf(protocols);

export type OnInvalid = 'throw' | 'skip';
export const onInvalid = matching('throw or skip', (value) => /^(throw|skip)$/.test(value));

export const logLevel = wordOf(logLevels);

/** Name and password are decoded by the client of Redis, which throws where they cannot be. */
const isRedisUrl = (value: string): boolean => {
  if (!/^rediss?:\/\//.test(value)) return false;
  try {
    const { username, password } = new URL(value);
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
};

export const redisUrl = secret(
  matching('a URL that begins with redis:// or rediss://', isRedisUrl),
);

export const fleetPool = matching('1 to 200 characters without spaces and braces', (value) =>
  /^[^\s{}]{1,200}$/.test(value),
);

export const shutdownSeconds: Kind = {
  ...number(0, maxShutdownSeconds),
  wanted: `a number of seconds from 0 to ${maxShutdownSeconds}`,
};
export const shutdownTimeoutMs = number(0, maxShutdownSeconds * 1000);
