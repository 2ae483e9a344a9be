import { isIPv6 } from 'node:net';
import { trimEdges } from './clean-line.ts';
import { ExitTemplate, whyNoExits, type ExitOptions } from './exit-template.ts';
import {
  defaultRules,
  resolveListOptions,
  type ListRules,
  type ParseProxyOptions,
} from './list-options.ts';
import { markPlaceholders } from './placeholders.ts';
import { withPreset, type ProviderOptions } from './providers.ts';
import { addressOf, hasScheme, parseAddress, type ProxyAddress } from './proxy-address.ts';
import { whyNoAttributes, whyNoOptions } from './proxy-options.ts';
import type { ProxyHeaders } from './proxy-headers.ts';
import type { ProxyProtocol } from './protocols.ts';
import {
  protocolIn,
  readRow,
  regionOf,
  type Row,
  type RowFields,
  type RowNames,
} from './record.ts';
import { orThrow, Refusal, refuse } from './refusal.ts';
import { readTemplate, type Template } from './template.ts';

/**
 * A proxy as an object: by `url`, by `host` and `port`, or by `provider`, with what else is to be said of it. With
 * `{session}` or `{region}` in its user name or password it is a provider's gateway, used through several exits.
 */
export interface ProxyOptions extends ExitOptions, ProviderOptions {
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
  /** Any string: a country, a data centre, a provider. Requests may prefer or demand it. Default: none. */
  readonly region?: string | undefined;
  /** Words that requests may demand. Default: none. */
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

function inBrackets(host: string): string {
  return host.includes(':') && isIPv6(host) ? `[${host}]` : host;
}

function addressIn(options: ProxyOptions, rules: ListRules): ProxyAddress | Refusal {
  const { url, host, port } = options;
  const username = markedIn(options.username);
  const password = markedIn(options.password);
  const protocol = options.protocol ?? rules.defaultProtocol ?? 'http';
  if (host !== undefined) {
    const bracketed = inBrackets(host);
    const number = port === undefined ? undefined : String(port);
    const place = number === undefined ? bracketed : `${bracketed}:${number}`;
    const written = { host: bracketed, port: number, username, password };
    return addressOf(protocol, written, false, place);
  }
  return withCredentials(parseAddress(url as string, rules), username, password);
}

function markedIn(text: string | undefined): string | undefined {
  return text === undefined ? undefined : markPlaceholders(text);
}

/** Finishes a proxy; its options were checked but for what goes with placeholders alone. */
function proxyOf(address: ProxyAddress, options: ProxyOptions): Proxy | Refusal {
  const why = whyNoExits(options, address.placeholders);
  return why === undefined ? new ParsedProxy(address, options) : new Refusal(why);
}

/** The credentials that stand beside a URL. */
function withCredentials(
  address: ProxyAddress | Refusal,
  username: string | undefined,
  password: string | undefined,
): ProxyAddress | Refusal {
  if (address instanceof Refusal || (username === undefined && password === undefined)) {
    return address;
  }
  if (address.username !== undefined || address.password !== undefined) {
    return new Refusal('the credentials are given twice: in the url and beside it');
  }
  const { protocol, host, port } = address;
  const written = { host, port: String(port), username, password };
  return addressOf(protocol, written, false, `${host}:${port}`);
}

/** Finishes what a row or a template says. */
function fromFields(
  fields: RowFields & { readonly id?: string | undefined },
  rules: ListRules,
): Proxy | Refusal {
  const { url, host = '', port, region, tags, id } = fields;
  const username = markedIn(fields.username);
  const password = markedIn(fields.password);
  const defaultProtocol = fields.protocol ?? rules.defaultProtocol;
  let address: ProxyAddress | Refusal;
  if (url === undefined) {
    const bracketed = inBrackets(host);
    const { defaultPort } = rules;
    const written = {
      host: bracketed,
      port: port ?? (defaultPort === undefined ? undefined : String(defaultPort)),
      username,
      password,
    };
    const place = `${bracketed}:${written.port ?? ''}`;
    address = addressOf(defaultProtocol ?? 'http', written, true, place);
  } else {
    const { defaultPort } = rules;
    const parsed = parseAddress(url, { defaultProtocol, defaultPort });
    const beside = !(parsed instanceof Refusal) && parsed.username !== undefined;
    address = beside ? parsed : withCredentials(parsed, username, password);
  }
  if (address instanceof Refusal) return address;
  const options = { region, tags, id };
  return whyNoAttributes(options) ?? proxyOf(address, options);
}

/** A line that is read by a template alone. */
function fromTemplate(template: Template, text: string, rules: ListRules): Proxy | Refusal {
  const line = markPlaceholders(trimEdges(text));
  const fields = readTemplate(template, line);
  if (fields === undefined)
    return refuse(line, `it does not follow the template ${template.source}`);
  const { host, port, user, pass, region, url, id } = fields;
  let protocol: ProxyProtocol | undefined;
  if (fields.protocol !== undefined && fields.protocol !== '') {
    const found = protocolIn(fields.protocol, rules.https);
    if (typeof found !== 'string') {
      return refuse(line, found?.why ?? 'its protocol is none that whirl knows');
    }
    protocol = found;
  }
  return fromFields(
    {
      ...{
        url,
        host,
        port: port === '' ? undefined : port,
        protocol,
        username: user,
        password: pass,
      },
      ...{ region: regionOf(region), id: id === '' ? undefined : id },
    },
    rules,
  );
}

/** Understands a proxy in a text. */
export function readText(text: string, rules: ListRules): Proxy | Refusal {
  const { template } = rules;
  if (template !== undefined && (template.names.includes('url') || !hasScheme(text))) {
    return fromTemplate(template, text, rules);
  }
  const address = parseAddress(text, rules);
  return address instanceof Refusal ? address : proxyOf(address, {});
}

/** Understands a proxy in a row of a table, or in an object of another program. */
export function readRecord(row: Row, rules: ListRules, names?: RowNames): Proxy | Refusal {
  const fields = readRow(row, rules, names);
  if (typeof fields === 'string') return new Refusal(fields);
  return fromFields(fields, rules);
}

/** Understands what a caller gives for a proxy. */
export function readInput(input: ProxyInput, rules: ListRules): Proxy | Refusal {
  if (typeof input === 'string') return readText(input, rules);
  if (input instanceof ParsedProxy) return input;
  if (input === null || typeof input !== 'object' || Array.isArray(input)) {
    return new Refusal('a proxy must be a text or an object with a url or a host');
  }
  const given = input as ProxyOptions;
  const refused = whyNoOptions(given);
  if (refused !== undefined) return refused;
  const options = withPreset(given);
  if (options instanceof Refusal) return options;
  const address = addressIn(options, rules);
  if (address instanceof Refusal) return address;
  if (given.proxyHeaders !== undefined && address.protocol.startsWith('socks')) {
    return new Refusal('proxyHeaders go with http and https proxies: SOCKS has no headers');
  }
  return proxyOf(address, options);
}

/**
 * Understands one proxy. `format` says how four parts between colons are meant, or is a template. Throws
 * `InvalidProxyError`, whose message names at most the scheme, the host and the port.
 */
export function parseProxy(input: ProxyInput, options?: ParseProxyOptions): Proxy {
  return orThrow(
    readInput(input, options === undefined ? defaultRules : resolveListOptions(options)),
  );
}
