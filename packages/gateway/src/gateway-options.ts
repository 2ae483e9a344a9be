import { isIP } from 'node:net';
import {
  anything,
  boolean,
  checkEach,
  checkOptions,
  integer,
  matching,
  oneOf,
  or,
  number,
  shown,
  string,
  type Kind,
} from '@whirl/check';
import type { RetryPolicyOptions } from '@whirl/rotator';
import { readUsername } from './routing/username.ts';
import type { Credentials } from './access/credential-list.ts';
import type { ReplayMode } from './flight/flight-reader.ts';

/**
 * The options of `createGateway()`. One that is unknown, of a wrong type or out of its bounds is refused with a TypeError
 * or RangeError that names it and shows no password. Durations are milliseconds.
 */
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
  /**
   * Targets that may be asked for, as `*.example.com`, `203.0.113.0/24` or `*:443`. At most 10,000; an empty array
   * admits none. Default: all.
   */
  readonly allow?: readonly string[] | undefined;
  /** Targets that may not. A rule here wins over one of `allow`. At most 10,000. Default: none. */
  readonly deny?: readonly string[] | undefined;
  /**
   * Refuse loopback, private, link-local, multicast and unspecified addresses, and the metadata services of clouds.
   * Names are resolved by the upstream proxy and cannot be checked. Default: whether `host` is not loopback.
   */
  readonly denyPrivate?: boolean | undefined;
  /** Further addresses, `host:port`, on which this process listens; they are refused as targets. Default: none. */
  readonly ownAddresses?: readonly string[] | undefined;
  /**
   * What may be sent a second time, through another proxy, when the first one brings no byte of the target:
   * `tls` (default) nothing or one TLS ClientHello without early data; `http` also the head of one GET, HEAD or
   * OPTIONS without a body; `none` nothing, so that a tunnel stays with its first proxy.
   */
  readonly replay?: ReplayMode | undefined;
  /** How long a proxy may stay silent after bytes that may be sent again. Milliseconds ≥ 1 or Infinity, default 5,000. */
  readonly firstByteMs?: number | undefined;
  /**
   * How long both sides may stay silent before the tunnel is opened through another proxy; at most 2,000 on ports
   * whose servers speak first (SSH, SMTP, …). Milliseconds ≥ 1 or Infinity, default 10,000.
   */
  readonly quietMs?: number | undefined;
  /** How long the head of a request, or a SOCKS greeting, may take. Milliseconds ≥ 1 or Infinity, default 10,000. */
  readonly headTimeoutMs?: number | undefined;
  /** Connections in all. Further ones are closed at once. An integer ≥ 1, default 10,000. */
  readonly maxConnections?: number | undefined;
  /** Connections of one name, or without `auth` of one address; above it 429. An integer ≥ 1, default 256. */
  readonly maxPerClient?: number | undefined;
  /** Different wrong passwords that an address may send in a minute; above it 429. An integer ≥ 1, default 20. */
  readonly maxWrongPasswords?: number | undefined;
  /** A tunnel on which both sides are silent ends after so long. Milliseconds ≥ 1 or Infinity, default 600,000. */
  readonly idleMs?: number | undefined;
  /** The same once one side has said its last. Milliseconds ≥ 1 or Infinity, default 60,000. */
  readonly halfClosedMs?: number | undefined;
  /** A session that is not used for so long gets another proxy. Milliseconds ≥ 1 or Infinity, default 600,000. */
  readonly sessionIdleMs?: number | undefined;
  /**
   * The policy of tunnels. Default: the rotator's own, without waits between proxies and with failover from
   * those that respond 407.
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

const maxTimerMs = 2 ** 31 - 1;
const duration = or(Infinity, number(1));
const limit = integer(1);

const kinds: Readonly<Record<keyof GatewayOptions, Kind>> = {
  host: string,
  port: integer(0, 65_535),
  auth: anything,
  allow: anything,
  deny: anything,
  denyPrivate: boolean,
  ownAddresses: anything,
  replay: oneOf(...(['tls', 'http', 'none'] satisfies readonly ReplayMode[])),
  firstByteMs: duration,
  quietMs: duration,
  headTimeoutMs: duration,
  maxConnections: limit,
  maxPerClient: limit,
  maxWrongPasswords: limit,
  idleMs: duration,
  halfClosedMs: duration,
  sessionIdleMs: duration,
  retryPolicy: anything,
  via: boolean,
};

const durations = {
  firstByteMs: 5000,
  quietMs: 10_000,
  headTimeoutMs: 10_000,
  idleMs: 600_000,
  halfClosedMs: 60_000,
  sessionIdleMs: 600_000,
} as const;

/** Throws a TypeError or RangeError that names the option. Passwords are never shown. */
export function decideOptions(given: GatewayOptions = {}): DecidedOptions {
  checkOptions('', given, kinds);
  const { host = '127.0.0.1', port = 8001, replay = 'tls', via = true } = given;
  const { maxConnections = 10_000, maxPerClient = 256, maxWrongPasswords = 20 } = given;
  const credentials = readAuth(given.auth, 'auth');
  const open = !isLoopback(host);
  if (open && credentials.length === 0) {
    throw new RangeError(
      `auth must hold at least one "name:password" when host is not loopback, got none for host ${shown(host)}: any client that reaches the port could use the proxies`,
    );
  }
  return {
    host,
    port,
    credentials,
    allow: given.allow,
    deny: given.deny,
    denyPrivate: given.denyPrivate ?? open,
    ownAddresses: readOwn(given.ownAddresses),
    replay,
    maxConnections,
    maxPerClient,
    maxWrongPasswords,
    ...decideDurations(given),
    retryPolicy: given.retryPolicy,
    via,
  };
}

type DurationName = keyof typeof durations;

/** A longer one than a timer can wait for counts as the longest. */
function decideDurations(given: GatewayOptions): Record<DurationName, number> {
  const decided = Object.entries(durations).map(([name, standard]) => [
    name,
    Math.min(given[name as DurationName] ?? standard, maxTimerMs),
  ]);
  return Object.fromEntries(decided) as Record<DurationName, number>;
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

const pairs: Kind = {
  ...matching('"name:password", both not empty', (pair) => /^[^:]+:./s.test(pair)),
  isSecret: true,
};

/** Whether a client's username that is this name asks for nothing beside. */
function isPlain(name: string): boolean {
  try {
    return readUsername(name).name === name;
  } catch {
    return false;
  }
}

function readAuth(given: readonly string[] | undefined, option: string): Credentials[] {
  if (given === undefined) return [];
  checkEach(option, given, pairs, 'an array of "name:password"');
  const seen = new Set<string>();
  return given.map((each, i) => {
    const colon = each.indexOf(':');
    const name = each.slice(0, colon);
    const refuse = (wanted: string) => {
      throw new RangeError(`${option}[${i}] must have a name ${wanted}, got ${shown(name)}`);
    };
    if (!isPlain(name)) refuse('without a key of usernames such as "-session-"');
    if (seen.has(name)) refuse('that no entry before it has');
    seen.add(name);
    return { name, password: each.slice(colon + 1) };
  });
}

const addressForm = /^(.+):(\d{1,5})$/;
const addresses = matching('"host:port"', (address) => {
  const port = Number(addressForm.exec(address)?.[2]);
  return port >= 1 && port <= 65_535;
});

function readOwn(given: readonly string[] | undefined): { host: string; port: number }[] {
  if (given === undefined) return [];
  checkEach('ownAddresses', given, addresses, 'an array of "host:port"');
  return given.map((each) => {
    const [, host = '', port] = addressForm.exec(each) ?? [];
    return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
  });
}
