import { isIP } from 'node:net';
import type { RetryPolicyOptions } from '@whirl/rotator';
import { readUsername } from './asking/username.ts';
import type { Credentials } from './access/credentials.ts';
import type { ReplayMode } from './flight/flight-reader.ts';

export interface GatewayOptions {
  /** The address to listen on. Default `127.0.0.1`. Any that is not loopback needs `auth`. */
  readonly host?: string | undefined;
  /** 0 to 65,535, 0: any that is free. Default 8001. */
  readonly port?: number | undefined;
  /**
   * `name:password`, one for each client. Default none: every client that reaches the port is served. A name holds no
   * colon, and none of the keys of a username (`-session-`, …).
   */
  readonly auth?: readonly string[] | undefined;
  /** Targets that may be asked for, as `*.example.com`, `203.0.113.0/24` or `*:443`. Default: all. */
  readonly allow?: readonly string[] | undefined;
  /** Targets that may not. A rule here wins over one of `allow`. */
  readonly deny?: readonly string[] | undefined;
  /**
   * Refuse loopback, private, link-local, multicast and unspecified addresses, and the metadata services of clouds.
   * Names are resolved by the upstream proxy and cannot be checked. Default: whether `host` is not loopback.
   */
  readonly denyPrivate?: boolean | undefined;
  /** Further addresses, `host:port`, on which this process listens; they are refused as targets. */
  readonly ownAddresses?: readonly string[] | undefined;
  /**
   * What may be sent a second time, through another proxy, when the first one brings no byte of the target:
   * `tls` (default) nothing or one TLS ClientHello without early data; `http` also the head of one GET, HEAD or
   * OPTIONS without a body; `none` nothing, so that a tunnel stays with its first proxy.
   */
  readonly replay?: ReplayMode | undefined;
  /** How long a proxy may stay silent after bytes that may be sent again. Milliseconds ≥ 1, default 5,000. */
  readonly firstByteMs?: number | undefined;
  /**
   * How long both sides may stay silent before the tunnel is opened through another proxy; at most 2,000 on ports
   * whose servers speak first (SSH, SMTP, …). Milliseconds ≥ 1, default 10,000.
   */
  readonly quietMs?: number | undefined;
  /** How long the head of a request, or a SOCKS greeting, may take. Milliseconds ≥ 1, default 10,000. */
  readonly headTimeoutMs?: number | undefined;
  /** Connections in all. Further ones are closed at once. An integer ≥ 1, default 10,000. */
  readonly maxConnections?: number | undefined;
  /** Connections of one name, or without `auth` of one address; above it 429. An integer ≥ 1, default 256. */
  readonly maxPerClient?: number | undefined;
  /** Different wrong passwords that an address may send in a minute; above it 429. An integer ≥ 1, default 20. */
  readonly maxWrongPasswords?: number | undefined;
  /** A tunnel on which both sides are silent ends after so long. Milliseconds ≥ 1, default 600,000. */
  readonly idleMs?: number | undefined;
  /** The same once one side has said its last. Milliseconds ≥ 1, default 60,000. */
  readonly halfClosedMs?: number | undefined;
  /** A session that is not used for so long gets another proxy. Milliseconds ≥ 1, default 600,000. */
  readonly sessionIdleMs?: number | undefined;
  /**
   * The policy of tunnels. Default: the rotator's own, without waits between proxies and with failover from
   * those that answer 407.
   */
  readonly retryPolicy?: RetryPolicyOptions | undefined;
  /**
   * Send `Via` with requests that are not tunnels, as HTTP wants it of proxies, so that loops are noticed. It
   * tells targets that there is a proxy. Default true.
   */
  readonly via?: boolean | undefined;
}

/** Options with every field decided. */
export interface DecidedOptions {
  readonly host: string;
  readonly port: number;
  readonly credentials: readonly Credentials[];
  readonly allow: readonly string[] | undefined;
  readonly deny: readonly string[] | undefined;
  readonly denyPrivate: boolean;
  readonly ownAddresses: readonly { readonly host: string; readonly port: number }[];
  readonly replay: ReplayMode;
  readonly firstByteMs: number;
  readonly quietMs: number;
  readonly headTimeoutMs: number;
  readonly maxConnections: number;
  readonly maxPerClient: number;
  readonly maxWrongPasswords: number;
  readonly idleMs: number;
  readonly halfClosedMs: number;
  readonly sessionIdleMs: number;
  readonly retryPolicy: RetryPolicyOptions | undefined;
  readonly via: boolean;
}

const modes: readonly string[] = ['tls', 'http', 'none'] satisfies readonly ReplayMode[];
const maxTimerMs = 2 ** 31 - 1;
const names: ReadonlySet<string> = new Set([
  'host',
  'port',
  'auth',
  'allow',
  'deny',
  'denyPrivate',
  'ownAddresses',
  'replay',
  'firstByteMs',
  'quietMs',
  'headTimeoutMs',
  'maxConnections',
  'maxPerClient',
  'maxWrongPasswords',
  'idleMs',
  'halfClosedMs',
  'sessionIdleMs',
  'retryPolicy',
  'via',
] satisfies readonly (keyof GatewayOptions)[]);

/** Throws a TypeError or RangeError that names the option. Passwords are never shown. */
export function decideOptions(given: GatewayOptions = {}): DecidedOptions {
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(`the options must be an object, got ${typeof given}`);
  }
  for (const name of Object.keys(given)) {
    if (!names.has(name)) throw new TypeError(`unknown option ${JSON.stringify(name)}`);
  }
  const { host = '127.0.0.1', replay = 'tls', retryPolicy } = given;
  if (typeof host !== 'string' || host === '') {
    throw new TypeError('host must be the address to listen on, a string');
  }
  if (!modes.includes(replay)) {
    throw new RangeError(`replay must be "tls", "http" or "none", got ${shown(replay)}`);
  }
  const credentials = readAuth(given.auth, 'auth');
  const open = !isLoopback(host);
  if (open && credentials.length === 0) {
    throw new RangeError(
      `auth must hold at least one "name:password" when host is not loopback, got none for host ${shown(host)}: any client that reaches the port could use the proxies`,
    );
  }
  return {
    host,
    port: integer('port', given.port, 8001, 0, 65_535),
    credentials,
    allow: given.allow,
    deny: given.deny,
    denyPrivate: flag('denyPrivate', given.denyPrivate, open),
    ownAddresses: readOwn(given.ownAddresses),
    replay,
    firstByteMs: duration('firstByteMs', given.firstByteMs, 5000),
    quietMs: duration('quietMs', given.quietMs, 10_000),
    headTimeoutMs: duration('headTimeoutMs', given.headTimeoutMs, 10_000),
    maxConnections: integer('maxConnections', given.maxConnections, 10_000, 1),
    maxPerClient: integer('maxPerClient', given.maxPerClient, 256, 1),
    maxWrongPasswords: integer('maxWrongPasswords', given.maxWrongPasswords, 20, 1),
    idleMs: duration('idleMs', given.idleMs, 600_000),
    halfClosedMs: duration('halfClosedMs', given.halfClosedMs, 60_000),
    sessionIdleMs: duration('sessionIdleMs', given.sessionIdleMs, 600_000),
    retryPolicy,
    via: flag('via', given.via, true),
  };
}

/** Whether nothing but this machine reaches an address. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}

/**
 * Checks credentials as `createGateway` does with its option `auth`, for a program that reads them from a file of its
 * own. Throws a TypeError or RangeError that names the entry as `name[i]`, by default `auth[i]`, and shows no password.
 */
export function checkAuth(auth: readonly string[], name = 'auth'): void {
  readAuth(auth, name);
}

function readAuth(given: readonly string[] | undefined, option: string): Credentials[] {
  if (given === undefined) return [];
  if (!Array.isArray(given)) throw new TypeError(`${option} must be an array of "name:password"`);
  const seen = new Set<string>();
  return given.map((each: unknown, i) => {
    const field = `${option}[${i}]`;
    const colon = typeof each === 'string' ? each.indexOf(':') : -1;
    if (typeof each !== 'string' || colon < 1 || colon === each.length - 1) {
      throw new TypeError(`${field} must be "name:password", both not empty`);
    }
    const name = each.slice(0, colon);
    let alone: boolean;
    try {
      alone = readUsername(name).name === name;
    } catch {
      alone = false;
    }
    if (!alone) {
      throw new RangeError(
        `${field} must have a name without a key of usernames such as "-session-", got ${shown(name)}`,
      );
    }
    if (seen.has(name)) throw new RangeError(`${field} gives the name ${shown(name)} twice`);
    seen.add(name);
    return { name, password: each.slice(colon + 1) };
  });
}

function readOwn(given: readonly string[] | undefined): { host: string; port: number }[] {
  if (given === undefined) return [];
  if (!Array.isArray(given)) throw new TypeError('ownAddresses must be an array of "host:port"');
  return given.map((each: unknown, i) => {
    const parts = typeof each === 'string' ? /^(.+):(\d{1,5})$/.exec(each) : null;
    const port = Number(parts?.[2]);
    if (parts === null || port < 1 || port > 65_535) {
      throw new TypeError(`ownAddresses[${i}] must be "host:port", got ${shown(each)}`);
    }
    return { host: (parts[1] as string).replace(/^\[(.*)\]$/, '$1'), port };
  });
}

function integer(
  name: string,
  value: number | undefined,
  standard: number,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number {
  if (value === undefined) return standard;
  if (typeof value !== 'number')
    throw new TypeError(`${name} must be a number, got ${shown(value)}`);
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    const bounds = most === Number.MAX_SAFE_INTEGER ? `≥ ${least}` : `from ${least} to ${most}`;
    throw new RangeError(`${name} must be an integer ${bounds}, got ${value}`);
  }
  return value;
}

function duration(name: string, value: number | undefined, standard: number): number {
  if (value === undefined) return standard;
  if (typeof value !== 'number')
    throw new TypeError(`${name} must be a number, got ${shown(value)}`);
  if (!(value >= 1)) throw new RangeError(`${name} must be ≥ 1 millisecond, got ${value}`);
  return Math.min(value, maxTimerMs);
}

function flag(name: string, value: boolean | undefined, standard: boolean): boolean {
  if (value === undefined) return standard;
  if (typeof value !== 'boolean') {
    throw new TypeError(`${name} must be true or false, got ${shown(value)}`);
  }
  return value;
}

/** A wrong value in a message: only what cannot hold a password. */
function shown(value: unknown): string {
  if (typeof value === 'string') {
    return /^[^:@]{0,64}$/.test(value) ? JSON.stringify(value) : 'a string';
  }
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
