import { InvalidProxyError } from '../errors.ts';
import {
  addressOf,
  parseAddress,
  type ProxyAddress,
  type ProxyFormat,
  type ProxyProtocol,
  redact,
} from './proxy-address.ts';
import { checkProxyHeaders, type ProxyHeaders } from './proxy-headers.ts';
import { unknownOption } from '../unknown-option.ts';

/** A proxy as an object: by `url`, or by `host` and `port`, with what else is to be said of it. */
export interface ProxyOptions {
  /** A URL, `host:port`, `user:pass@host:port` or `host:port:user:pass`. */
  readonly url?: string | undefined;
  /** Instead of `url`: a name or an address. */
  readonly host?: string | undefined;
  /** Of `host`. 1 to 65,535. Default: that of the protocol. */
  readonly port?: number | undefined;
  /** Of `host`. Default `http`. */
  readonly protocol?: ProxyProtocol | undefined;
  /** Taken as it is. Not beside a `url` that has credentials. */
  readonly username?: string | undefined;
  /** Taken as it is. Not beside a `url` that has credentials. */
  readonly password?: string | undefined;
  /** At most 256 characters. Default: `host:port`, or `user@host:port` with credentials. */
  readonly id?: string | undefined;
  readonly region?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  /** For `weighted()`. 0 to 10^15, default 1; 0 is never picked by it. */
  readonly weight?: number | undefined;
  /** For `costAware()`. Finite, ≥ 0, default 0. */
  readonly cost?: number | undefined;
  /** Requests in flight through this proxy, an integer from 1 to 2^53 − 1. Default: no bound. */
  readonly maxConcurrent?: number | undefined;
  /** `always` uses CONNECT for http targets too. Default: the rotator's. */
  readonly tunnel?: 'auto' | 'always' | undefined;
  /** `false`: a connection per request, for gateways that give each a new exit. Default: the rotator's. */
  readonly keepAlive?: boolean | undefined;
  /**
   * Headers for the proxy itself, on CONNECT and in absolute form; of http and https proxies only. They
   * go before the rotator's of the same name. A `Proxy-Authorization` (a Bearer token) is sent instead of the
   * credentials as Basic.
   */
  readonly proxyHeaders?: ProxyHeaders | undefined;
}

/** A proxy, understood. Its password is not enumerable, so that no log prints it. */
export interface Proxy {
  readonly id: string;
  readonly protocol: ProxyProtocol;
  /** In lower case, IPv6 in brackets. */
  readonly host: string;
  readonly port: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly region?: string | undefined;
  readonly tags: readonly string[];
  readonly weight: number;
  readonly cost?: number | undefined;
  readonly maxConcurrent?: number | undefined;
  readonly tunnel?: 'auto' | 'always' | undefined;
  readonly keepAlive?: boolean | undefined;
  /** Not enumerable either: a token may be among them. */
  readonly proxyHeaders?: ProxyHeaders | undefined;
  /** Without the password. */
  readonly url: string;
}

/** What is taken for a proxy; one that was understood before is taken as it is. */
export type ProxyInput = string | ProxyOptions | Proxy;

const optionNames = [
  'url',
  'host',
  'port',
  'protocol',
  'username',
  'password',
  'id',
  'region',
  'tags',
  'weight',
  'cost',
  'maxConcurrent',
  'tunnel',
  'keepAlive',
  'proxyHeaders',
];
const maxWeight = 1e15;
const noTags: readonly string[] = Object.freeze([]);

/** Half a character has no UTF-8: neither a URL nor the wire can carry it. */
const loneSurrogate = /\p{Surrogate}/u;

/** A class, because a private field is what neither JSON nor an inspector prints. */
class ParsedProxy implements Proxy {
  readonly id: string;
  readonly protocol: ProxyProtocol;
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly #password: string | undefined;
  readonly region: string | undefined;
  readonly tags: readonly string[];
  readonly weight: number;
  readonly cost: number | undefined;
  readonly maxConcurrent: number | undefined;
  readonly tunnel: 'auto' | 'always' | undefined;
  readonly keepAlive: boolean | undefined;
  readonly #proxyHeaders: ProxyHeaders | undefined;

  constructor(address: ProxyAddress, options: ProxyOptions) {
    const { host, port, username } = address;
    if (loneSurrogate.test(username ?? '') || loneSurrogate.test(address.password ?? '')) {
      throw new InvalidProxyError(
        `the credentials of the proxy ${host}:${port} must be well-formed Unicode`,
      );
    }
    this.id =
      options.id ?? (username === undefined ? `${host}:${port}` : `${username}@${host}:${port}`);
    this.protocol = address.protocol;
    this.host = host;
    this.port = port;
    this.username = username;
    this.#password = address.password;
    this.region = options.region;
    this.tags =
      options.tags === undefined || options.tags.length === 0
        ? noTags
        : Object.freeze([...options.tags]);
    this.weight = options.weight ?? 1;
    this.cost = options.cost;
    this.maxConcurrent = options.maxConcurrent;
    this.tunnel = options.tunnel;
    this.keepAlive = options.keepAlive;
    if (options.proxyHeaders !== undefined) {
      checkProxyHeaders('proxyHeaders', options.proxyHeaders, (message) => {
        throw new InvalidProxyError(message);
      });
      this.#proxyHeaders = Object.freeze({ ...options.proxyHeaders });
    }
    if (this.#proxyHeaders !== undefined && address.protocol.startsWith('socks')) {
      throw new InvalidProxyError(
        'proxyHeaders go with http and https proxies: SOCKS has no headers',
      );
    }
    Object.freeze(this);
  }

  get password(): string | undefined {
    return this.#password;
  }

  get proxyHeaders(): ProxyHeaders | undefined {
    return this.#proxyHeaders;
  }

  get url(): string {
    const user = this.username === undefined ? '' : `${encodeURIComponent(this.username)}@`;
    return `${this.protocol}://${user}${this.host}:${this.port}`;
  }
}

/** Whether the same connections lead through both: they differ at most in what the selection looks at. */
export function sameConnections(a: Proxy, b: Proxy): boolean {
  return (
    a.url === b.url &&
    a.password === b.password &&
    a.tunnel === b.tunnel &&
    a.keepAlive === b.keepAlive &&
    sameHeaders(a.proxyHeaders, b.proxyHeaders)
  );
}

function sameHeaders(a: ProxyHeaders = {}, b: ProxyHeaders = {}): boolean {
  return Object.keys({ ...a, ...b }).every((name) => a[name] === b[name]);
}

function invalid(name: string, must: string, value: unknown): never {
  const text = String(value);
  // A proxy that was put into the wrong field must not show its password.
  const shown = /[:@]/.test(text) ? redact(text) : text;
  throw new InvalidProxyError(`${name} must be ${must}, got ${shown}`);
}

function checkName(name: string, value: unknown): void {
  if (typeof value !== 'string' || value === '' || value.length > 256) {
    invalid(name, 'a text of 1 to 256 characters', value);
  }
  if (loneSurrogate.test(value)) invalid(name, 'well-formed Unicode', value);
}

function check(options: ProxyOptions): void {
  for (const name of Object.keys(options)) {
    if (!optionNames.includes(name)) {
      throw new InvalidProxyError(unknownOption('proxy', name, optionNames));
    }
  }
  const { id, region, tags, weight, cost, maxConcurrent, tunnel, keepAlive } = options;
  if (id !== undefined) checkName('id', id);
  if (region !== undefined) checkName('region', region);
  if (tags !== undefined) {
    if (!Array.isArray(tags)) invalid('tags', 'a list of texts', tags);
    for (const tag of tags) checkName('each of tags', tag);
  }
  // The selector's bounds: it must have nothing left to refuse when a pool is swapped.
  if (weight !== undefined && (!Number.isFinite(weight) || weight < 0 || weight > maxWeight)) {
    invalid('weight', `a number from 0 to ${maxWeight}`, weight);
  }
  if (cost !== undefined && (!Number.isFinite(cost) || cost < 0)) {
    invalid('cost', 'a number ≥ 0', cost);
  }
  if (maxConcurrent !== undefined && (!Number.isSafeInteger(maxConcurrent) || maxConcurrent < 1)) {
    invalid('maxConcurrent', `an integer from 1 to ${Number.MAX_SAFE_INTEGER}`, maxConcurrent);
  }
  if (tunnel !== undefined && tunnel !== 'auto' && tunnel !== 'always') {
    invalid('tunnel', '"auto" or "always"', tunnel);
  }
  if (keepAlive !== undefined && typeof keepAlive !== 'boolean') {
    invalid('keepAlive', 'true or false', keepAlive);
  }
}

function addressIn(options: ProxyOptions, format: ProxyFormat | undefined): ProxyAddress {
  const { url, host, port, protocol = 'http', username, password } = options;
  for (const [name, value] of Object.entries({ url, host, username, password })) {
    if (value !== undefined && typeof value !== 'string') {
      throw new InvalidProxyError(`a proxy's ${name} must be a text, got ${typeof value}`);
    }
  }
  if ((url === undefined) === (host === undefined)) {
    throw new InvalidProxyError('a proxy has either a url or a host');
  }
  if (host !== undefined) {
    if (port !== undefined && !Number.isInteger(port)) invalid('port', 'an integer', port);
    const bracketed = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
    const written = {
      host: bracketed,
      port: port === undefined ? undefined : String(port),
      username,
      password,
    };
    return addressOf(protocol, written, false, bracketed);
  }
  if (port !== undefined || options.protocol !== undefined) {
    throw new InvalidProxyError('port and protocol go with host; a url has its own');
  }
  const address = parseAddress(url as string, format);
  if (username === undefined && password === undefined) return address;
  if (address.username !== undefined || address.password !== undefined) {
    throw new InvalidProxyError('the credentials are given twice: in the url and beside it');
  }
  const written = { host: address.host, port: String(address.port), username, password };
  return addressOf(address.protocol, written, false, `${address.host}:${address.port}`);
}

/**
 * Understands one proxy. `format` says how four parts between colons are meant. Throws
 * `InvalidProxyError`, whose message names the text without its password.
 */
export function parseProxy(input: ProxyInput, options: { format?: ProxyFormat } = {}): Proxy {
  if (typeof input === 'string') return new ParsedProxy(parseAddress(input, options.format), {});
  if (input instanceof ParsedProxy) return input;
  if (input === null || typeof input !== 'object' || Array.isArray(input)) {
    throw new InvalidProxyError('a proxy must be a text or an object with a url or a host');
  }
  check(input);
  return new ParsedProxy(addressIn(input, options.format), input);
}
