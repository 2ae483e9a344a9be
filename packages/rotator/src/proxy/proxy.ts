import { ExitTemplate, type ExitOptions } from './exit-template.ts';
import type { ProviderOptions } from './provider-options.ts';
import type { ProxyAddress } from './proxy-address.ts';
import type { ProxyHeaders } from './proxy-headers.ts';
import type { ProxyProtocol } from './protocols.ts';

/**
 * A proxy as an object: by `url`, by `host` and `port`, or by `provider`, with its options. With
 * `{session}` or `{region}` in its user name or password it is a provider's gateway, used through several exits. What is
 * unknown or out of its bounds is refused with an `InvalidProxyError`, which shows no password.
 */
export interface ProxyOptions extends ExitOptions, ProviderOptions {
  /** A URL, `host:port`, `user:pass@host:port` or `host:port:user:pass`. Default: `host` or `provider` says it. */
  readonly url?: string | undefined;
  /** Instead of `url`: a name or an address. Default: none. */
  readonly host?: string | undefined;
  /** The port of `host`. 1 to 65,535. Default: that of the protocol. */
  readonly port?: number | undefined;
  /** The protocol of `host`. Default `http`. */
  readonly protocol?: ProxyProtocol | undefined;
  /** Not decoded. Not beside a `url` that has credentials. Default: none. */
  readonly username?: string | undefined;
  /** Not decoded. Not beside a `url` that has credentials. Default: none. */
  readonly password?: string | undefined;
  /** Unique in its pool. 1 to 256 characters. Default: `host:port`, or `user@host:port` with credentials. */
  readonly id?: string | undefined;
  /**
   * Any string of 1 to 256 characters: a country, a data centre, a provider. Requests may prefer or demand it.
   * Default: none.
   */
  readonly region?: string | undefined;
  /** Words that requests may demand, of 1 to 256 characters. Default: none. */
  readonly tags?: readonly string[] | undefined;
  /** The weight under `weighted()`. 0 to 10^15, default 1; it never picks a proxy of weight 0. */
  readonly weight?: number | undefined;
  /** The cost of an attempt, in any unit, under `costAware()`. Finite, ≥ 0, default 0. */
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
   * credentials as Basic. Default: none.
   */
  readonly proxyHeaders?: ProxyHeaders | undefined;
  /**
   * Proxies of one group are ports of one machine, or accounts at one gateway: what is certain of that machine is
   * counted once for all of them. At most 256 characters. Default: none; the host for exits.
   */
  readonly group?: string | undefined;
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
  readonly group?: string | undefined;
  /** Its exits, if it is a gateway; `username` and `password` have placeholders then. */
  readonly exits?: ExitTemplate | undefined;
  /** Without the password. */
  readonly url: string;
}

/** What is taken for a proxy; one that was understood before is taken as it is. */
export type ProxyInput = string | ProxyOptions | Proxy;

const noTags: readonly string[] = Object.freeze([]);

/** A class, because a private field is what neither JSON nor an inspector prints. */
export class ParsedProxy implements Proxy {
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
  readonly group: string | undefined;
  readonly exits: ExitTemplate | undefined;

  constructor(address: ProxyAddress, options: ProxyOptions) {
    const { host, port, placeholders } = address;
    const exits = placeholders && new ExitTemplate(address, options, options.region);
    const username = exits === undefined ? address.username : exits.username || undefined;
    const named = username !== undefined && exits === undefined;
    this.id = options.id ?? (named ? `${username}@${host}:${port}` : `${host}:${port}`);
    this.protocol = address.protocol;
    this.host = host;
    this.port = port;
    this.username = username;
    this.#password = exits === undefined ? address.password : exits.password || undefined;
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
    this.#proxyHeaders = options.proxyHeaders && Object.freeze({ ...options.proxyHeaders });
    this.group = options.group ?? (exits === undefined ? undefined : host);
    this.exits = exits;
    Object.freeze(this);
  }

  get password(): string | undefined {
    return this.#password;
  }

  get proxyHeaders(): ProxyHeaders | undefined {
    return this.#proxyHeaders;
  }

  get url(): string {
    const { exits, username = '' } = this;
    const name = exits === undefined ? encodeURIComponent(username) : exits.usernameInUrl;
    const user = name === '' ? '' : `${name}@`;
    return `${this.protocol}://${user}${this.host}:${this.port}`;
  }
}

/** Whether the same connections lead through both: they differ at most in what the selection looks at. */
export function sameConnections(a: Proxy, b: Proxy): boolean {
  return (
    a.protocol === b.protocol &&
    a.host === b.host &&
    a.port === b.port &&
    a.username === b.username &&
    a.password === b.password &&
    a.tunnel === b.tunnel &&
    a.keepAlive === b.keepAlive &&
    sameHeaders(a.proxyHeaders, b.proxyHeaders)
  );
}

function sameHeaders(a: ProxyHeaders = {}, b: ProxyHeaders = {}): boolean {
  return Object.keys({ ...a, ...b }).every((name) => a[name] === b[name]);
}

/** Whether two entries of a list say the same, in whatever spelling. */
export function sameProxy(a: Proxy, b: Proxy): boolean {
  return (
    sameConnections(a, b) &&
    a.id === b.id &&
    a.region === b.region &&
    a.weight === b.weight &&
    a.cost === b.cost &&
    a.maxConcurrent === b.maxConcurrent &&
    a.group === b.group &&
    (a.exits === b.exits || a.exits?.same(b.exits) === true) &&
    (a.tags === b.tags || JSON.stringify(a.tags.toSorted()) === JSON.stringify(b.tags.toSorted()))
  );
}
