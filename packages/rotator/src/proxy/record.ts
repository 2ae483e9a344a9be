import { trimEdges } from './clean-line.ts';
import { hostLikeness, normalHost } from './host.ts';
import { protocolOf, whyForeign, type ProxyProtocol } from './protocols.ts';
import { isPort } from './split-line.ts';

/** A row of a table or a foreign JSON object: the value under a name in lower case. */
export type Row = (name: string) => unknown;

/** What a row says of a proxy. */
export interface RowFields {
  readonly url?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly protocol?: ProxyProtocol | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly region?: string | undefined;
  readonly tags?: readonly string[] | undefined;
}

export interface RowOptions {
  readonly tagColumns: readonly string[];
  readonly https: 'tls' | 'connect';
}

const hostColumns = [
  ...['host', 'hostname', 'ip', 'ip_address', 'ipaddress', 'ip address', 'proxy_address'],
];
const addressColumns = ['address', 'proxy', 'url', 'endpoint'];
const protocolColumns = ['protocol', 'proto', 'scheme', 'ptype', 'protocols', 'types', 'type'];
/** Codes before names; what stands behind a first name is a field inside it. */
const countryFields: readonly (readonly string[])[] = [
  ...['country_code', 'countrycode', 'cc', 'iso_code', 'code'].map((name) => [name]),
  ['geolocation', 'countryCode'],
  ['geolocation', 'country', 'iso_code'],
  ['geo', 'country', 'code'],
  ['country', 'iso_code'],
  ['country', 'code'],
  ['country'],
  ['country_name'],
  ['geolocation', 'country'],
];
const noRegion = new Set(['', '-', '--', 'none', 'null', 'zz', 'unknown']);

/** An object by its names in lower case. */
export function rowOf(value: Record<string, unknown>): Row {
  if (Object.keys(value).every((name) => name === name.toLowerCase())) {
    return (name) => (Object.hasOwn(value, name) ? value[name] : undefined);
  }
  const byName = new Map(Object.entries(value).map(([name, each]) => [name.toLowerCase(), each]));
  return (name) => byName.get(name);
}

/** A value as text; undefined for what a list means as "none". */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string') return undefined;
  const text = trimEdges(value);
  return text === '' ? undefined : text;
}

function firstText(row: Row, names: readonly string[]): string | undefined {
  for (const name of names) {
    const text = textOf(row(name));
    if (text !== undefined) return text;
  }
  return undefined;
}

function inside(value: unknown, path: readonly string[]): unknown {
  let at = value;
  for (const name of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as Record<string, unknown>)[name];
  }
  return at;
}

/** Every word in a value: a text, a list of texts, or a list of objects with a `type`. */
function wordsIn(value: unknown): string[] {
  if (typeof value === 'string') return value.toLowerCase().split(/[^a-z0-9]+/);
  if (!Array.isArray(value)) return [];
  return value.slice(0, 20).flatMap((each) => {
    const word: unknown = inside(each, ['type']) ?? each;
    return typeof word === 'string' ? [word.toLowerCase()] : [];
  });
}

/** What a column says of the protocol: one of several is taken, http before socks5 before socks4. */
export function protocolIn(
  value: unknown,
  https: 'tls' | 'connect',
): ProxyProtocol | { readonly why: string } | undefined {
  const words = wordsIn(value).slice(0, 20);
  const known = words
    .map((word) => protocolOf(word === 'https' && https === 'connect' ? 'http' : word))
    .filter((each) => each !== undefined);
  if (known.length > 1) {
    const preferred = (['http', 'socks5', 'socks5h', 'socks4', 'socks4a'] as const).find((each) =>
      known.includes(each),
    );
    if (preferred !== undefined) return preferred;
  }
  if (known[0] !== undefined) return known[0];
  for (const word of words) {
    const why = whyForeign(word);
    if (why !== undefined) return { why };
  }
  return undefined;
}

/** A region as lists write it: two letters are a country's code. */
export function regionOf(value: unknown): string | undefined {
  const text = textOf(value);
  if (text === undefined || noRegion.has(text.toLowerCase())) return undefined;
  return /^[a-z]{2}$/i.test(text) ? text.toUpperCase() : text;
}

/** The country; a column `region` only where there is none, since beside one it is a state. */
function countryIn(row: Row): string | undefined {
  let known = false;
  for (const [name, ...path] of countryFields) {
    const column = row(name as string);
    if (column === undefined) continue;
    known = true;
    const region = regionOf(path.length === 0 ? column : inside(column, path));
    if (region !== undefined) return region;
  }
  return known ? undefined : regionOf(row('region'));
}

/** Names win over addresses; `server` is often the name of a program, so it comes last. */
function hostIn(row: Row): string | undefined {
  let first: string | undefined;
  for (const name of hostColumns) {
    const host = textOf(row(name));
    if (host === undefined) continue;
    if (hostLikeness(host) === 1) return host;
    first ??= host;
  }
  return first ?? textOf(row('server'));
}

function tagsIn(row: Row, columns: readonly string[]): string[] | undefined {
  if (columns.length === 0) return undefined;
  const tags = columns.flatMap((name) => {
    const value = row(name.toLowerCase());
    return (Array.isArray(value) ? value : [value]).map(textOf);
  });
  const known = [...new Set(tags.filter((tag) => tag !== undefined))];
  return known.length === 0 ? undefined : known;
}

/** Whether a row has a column from which a host could come. */
export function hasPlace(row: Row): boolean {
  const has = (name: string) => row(name) !== undefined;
  return hostColumns.some(has) || addressColumns.some(has) || has('server');
}

/** Whether columns, in lower case, make a table of proxies. */
export function isTable(columns: readonly string[]): boolean {
  const has = (names: readonly string[]) => names.some((name) => columns.includes(name));
  const named = columns.filter((name) => name !== '');
  if (new Set(named).size !== named.length) return false;
  return ((has(hostColumns) || has(['server'])) && has(['port'])) || has(addressColumns);
}

/** Understands a row by the names of its columns; a text says why that is not possible. */
export function readRow(row: Row, { tagColumns, https }: RowOptions): RowFields | string {
  let protocol: ProxyProtocol | undefined;
  for (const name of protocolColumns) {
    const found = protocolIn(row(name), https);
    if (typeof found === 'object') return found.why;
    if (found !== undefined) {
      protocol = found;
      break;
    }
  }
  const shared = {
    protocol,
    username: firstText(row, ['username', 'user', 'login']),
    password: firstText(row, ['password', 'pass']),
    region: countryIn(row),
    tags: tagsIn(row, tagColumns),
  };
  const written = textOf(row('port'));
  const port = written === undefined || written === '0' ? undefined : written;
  const host = hostIn(row);
  const address = firstText(row, addressColumns);
  if (host !== undefined && (port !== undefined || address === undefined)) {
    // `ip` and `server` are also written with a port or as a URL.
    const whole = port === undefined && host.includes(':') && normalHost(`[${host}]`) === undefined;
    if (!whole && !host.includes('://')) return { ...shared, host, port };
    return { ...shared, url: host };
  }
  if (address === undefined) return 'it has no host';
  const bare = port !== undefined && isPort(port) && !/:\/\/|:\d+$/.test(address);
  return bare ? { ...shared, host: address, port } : { ...shared, url: address };
}
