import net from 'node:net';
import { shown, unknownOption } from '@whirl/check';
import type { Destination } from '../connection/destination.ts';
import { withoutBrackets } from '../connection/proxy-path.ts';
import { InvalidRequestError } from '../errors.ts';
import { maxTimerMs } from '../timer.ts';
import { routingOptionNames, type RoutingOptions } from './request-options.ts';

/** TLS with the target of a tunnel. A bad option is refused with an `InvalidRequestError` that names it. */
export interface SecureOptions {
  /** The name to ask for (SNI) and to verify. Not empty. Default: `host`. */
  readonly servername?: string | undefined;
  /** Protocols to offer (ALPN), the preferred one first; at least one, of 1 to 255 characters. Default `['http/1.1']`. */
  readonly alpn?: readonly string[] | undefined;
}

/**
 * Which first flights may be sent more than once. The first flight is everything that was written before the
 * first byte came back, at most 64 KiB.
 */
export interface FirstFlight {
  /**
   * Whether these bytes, all that was written so far, may be sent once more, through another proxy. Called with
   * at least one byte, after each write: a rule of one tunnel need not read again what it has read. The target may
   * get them twice.
   */
  repeatable(written: Buffer): boolean;
  /**
   * Whether these can be the first bytes of the target's response to what was written, which is empty where the
   * target speaks first. False makes the attempt fail, and the bytes are not passed on. Default: any can.
   */
  plausible?(written: Buffer, first: Buffer): boolean;
  /**
   * Milliseconds for which bytes that came before anything was written wait for the first write, so that
   * `plausible` sees both. ≥ 0, default 0.
   */
  readonly greetingMs?: number | undefined;
}

/**
 * Where a tunnel of `connect()` leads, and how. `connect()` rejects with an `InvalidRequestError` that names the option
 * when one is unknown, of a wrong type or out of its bounds.
 */
export interface ConnectOptions extends RoutingOptions {
  /** A name or an address; an IPv6 address with or without brackets. Names are resolved by most proxies. */
  readonly host: string;
  /** The port of `host`. An integer from 1 to 65,535. */
  readonly port: number;
  /** Speak TLS with the target inside of the tunnel. Default false. */
  readonly secure?: boolean | SecureOptions | undefined;
  /** Aborts the tunnel, before and after it is open, until its connection is taken out. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds from the last write to the first byte of the target; then the attempt has failed. Finite, greater
   * than 0, default: the policy's `attemptTimeoutMs`. Nothing is timed while nothing was written, and after the
   * first byte. With `replay`, once what was written may not be sent again, `attemptTimeoutMs` takes its place.
   */
  readonly firstByteMs?: number | undefined;
  /**
   * Milliseconds in which neither side speaks, after which the tunnel is opened again through another proxy. The
   * last one that the policy allows stays open. Finite, greater than 0, default: no bound.
   */
  readonly quietMs?: number | undefined;
  /**
   * What was written before the first byte came back, and may be sent again through another proxy. Default
   * `none`: a tunnel fails over while nothing was written.
   */
  readonly replay?: 'none' | FirstFlight | undefined;
}

/** Where a tunnel of `forward()` leads, and how. `forward()` throws where `connect()` rejects. */
export type ForwardOptions = Pick<
  ConnectOptions,
  'host' | 'port' | 'firstByteMs' | 'quietMs' | 'replay'
>;

/** `ConnectOptions` or `ForwardOptions` once checked. */
export interface TunnelPlan {
  readonly to: Destination;
  /** `tcp://host:port`: how events, metrics and the evidence name the target. */
  readonly origin: string;
  readonly signal: AbortSignal | undefined;
  readonly firstByteMs: number | undefined;
  readonly quietMs: number | undefined;
  readonly replay: FirstFlight | undefined;
}

const forwardNames = ['host', 'port', 'firstByteMs', 'quietMs', 'replay'];
const names = [...forwardNames, 'secure', 'signal', ...routingOptionNames];

/** Throws an `InvalidRequestError` that names the option. */
export function planOf(options: ConnectOptions): TunnelPlan {
  return checkedPlan(options, names);
}

/** The same for a forwarder. */
export function forwardPlanOf(options: ForwardOptions): TunnelPlan {
  return checkedPlan(options, forwardNames);
}

function checkedPlan(options: ConnectOptions, known: readonly string[]): TunnelPlan {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidRequestError(`options must be an object, got ${shown(options)}`);
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw new InvalidRequestError(unknownOption('', name, known));
  }
  const { port, signal } = options;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new InvalidRequestError(`port must be an integer from 1 to 65535, got ${shown(port)}`);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new InvalidRequestError(`signal must be an AbortSignal, got ${shown(signal)}`);
  }
  const host = hostOf(options.host);
  return {
    to: { host, port, greets: true, ...secureOf(options.secure) },
    // Of what a host may be only an IPv6 address has colons.
    origin: `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`,
    signal,
    firstByteMs: duration('firstByteMs', options.firstByteMs),
    quietMs: duration('quietMs', options.quietMs),
    replay: replayOf(options.replay),
  };
}

/** The routing options among them. */
export function routingOf(options: ConnectOptions): RoutingOptions {
  const routing: Record<string, unknown> = {};
  for (const name of routingOptionNames) {
    if (name in options) routing[name] = options[name];
  }
  return routing;
}

/** A name that no URL parser changes: in lower case, with labels of ASCII and an ending that is no number. */
const plainName = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9]{0,62})$/;

/** The host as URLs write it, without brackets: nothing in it can end the line of a CONNECT. */
function hostOf(given: unknown): string {
  if (typeof given === 'string' && given !== '') {
    // Most are written as a URL parser would write them.
    if (plainName.test(given) || net.isIPv4(given)) return given;
    const bare = net.isIPv6(given) ? `[${given}]` : given;
    const url = /[/?#@\\\s]/.test(bare) ? undefined : parsed(`http://${bare}/`);
    if (url !== undefined && url.port === '' && !/:\d*$/.test(bare)) {
      return withoutBrackets(url.hostname);
    }
  }
  throw new InvalidRequestError(`host must be a name or an address, got ${shown(given)}`);
}

function parsed(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined;
}

function secureOf(given: unknown): Pick<Destination, 'secure' | 'servername' | 'alpn'> {
  if (given === undefined || typeof given === 'boolean') return { secure: given ?? false };
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new InvalidRequestError(`secure must be true, false or an object, got ${shown(given)}`);
  }
  for (const name of Object.keys(given)) {
    if (name === 'servername' || name === 'alpn') continue;
    throw new InvalidRequestError(unknownOption('secure', name, ['servername', 'alpn']));
  }
  const { servername, alpn } = given as Record<keyof SecureOptions, unknown>;
  if (servername !== undefined && (typeof servername !== 'string' || servername === '')) {
    throw new InvalidRequestError(
      `secure.servername must be a string of at least one character, got ${shown(servername)}`,
    );
  }
  const isName = (each: unknown) => typeof each === 'string' && each !== '' && each.length < 256;
  if (alpn !== undefined && !(Array.isArray(alpn) && alpn.length > 0 && alpn.every(isName))) {
    throw new InvalidRequestError(
      `secure.alpn must be an array of protocols of 1 to 255 characters, got ${shown(alpn)}`,
    );
  }
  return { secure: true, servername, alpn: alpn as readonly string[] | undefined };
}

function duration(name: string, given: unknown): number | undefined {
  if (given === undefined) return undefined;
  if (typeof given !== 'number' || !(given > 0) || given === Infinity) {
    throw new InvalidRequestError(`${name} must be a number > 0, got ${shown(given)}`);
  }
  return Math.min(given, maxTimerMs);
}

function replayOf(given: unknown): FirstFlight | undefined {
  if (given === undefined || given === 'none') return undefined;
  const rule = given as Partial<FirstFlight> | null;
  const {
    repeatable,
    plausible,
    greetingMs = 0,
  } = typeof rule === 'object' && rule !== null ? rule : {};
  const isRule = plausible === undefined || typeof plausible === 'function';
  if (typeof greetingMs !== 'number' || !(greetingMs >= 0)) {
    throw new InvalidRequestError(
      `replay.greetingMs must be a number ≥ 0, got ${shown(greetingMs)}`,
    );
  }
  if (typeof repeatable === 'function' && isRule) return rule as FirstFlight;
  throw new InvalidRequestError(
    `replay must be "none" or an object with a function repeatable, got ${shown(given)}`,
  );
}
