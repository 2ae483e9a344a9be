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

/** The names under which fields are looked for, in this order. */
export interface RowNames {
  readonly hosts: readonly string[];
  /** Often the name of a program, so it comes after the others. */
  readonly servers: readonly string[];
  readonly ports: readonly string[];
  readonly addresses: readonly string[];
  readonly protocols: readonly string[];
  readonly usernames: readonly string[];
  readonly passwords: readonly string[];
  /** Codes before names; what stands behind a first name is a field inside it. */
  readonly countries: readonly (readonly string[])[];
  readonly regions: readonly string[];
}

const allNames: RowNames = {
  hosts: ['host', 'hostname', 'ip', 'ip_address', 'ipaddress', 'ip address', 'proxy_address'],
  servers: ['server'],
  ports: ['port'],
  addresses: ['address', 'proxy', 'url', 'endpoint'],
  protocols: ['protocol', 'proto', 'scheme', 'ptype', 'protocols', 'types', 'type'],
  usernames: ['username', 'user', 'login'],
  passwords: ['password', 'pass'],
  countries: [
    ...['country_code', 'countrycode', 'cc', 'iso_code', 'code'].map((name) => [name]),
    ['geolocation', 'countryCode'],
    ['geolocation', 'country', 'iso_code'],
    ['geo', 'country', 'code'],
    ['country', 'iso_code'],
    ['country', 'code'],
    ['country'],
    ['country_name'],
    ['geolocation', 'country'],
  ],
  regions: ['region'],
};

/** Of all names those that a table has as columns, in lower case: most rows have few. */
export function namesAmong(columns: readonly string[]): RowNames {
  const has = (name: string) => columns.includes(name);
  return {
    hosts: allNames.hosts.filter(has),
    servers: allNames.servers.filter(has),
    ports: allNames.ports.filter(has),
    addresses: allNames.addresses.filter(has),
    protocols: allNames.protocols.filter(has),
    usernames: allNames.usernames.filter(has),
    passwords: allNames.passwords.filter(has),
    countries: allNames.countries.filter((path) => has(path[0] as string)),
    regions: allNames.regions.filter(has),
  };
}

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
  if (value === undefined) return undefined;
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
function countryIn(row: Row, { countries, regions }: RowNames): string | undefined {
  let known = false;
  for (const path of countries) {
    const column = row(path[0] as string);
    if (column === undefined) continue;
    known = true;
    const region = regionOf(path.length === 1 ? column : inside(column, path.slice(1)));
    if (region !== undefined) return region;
  }
  return known ? undefined : regionOf(firstText(row, regions));
}

/** Names win over addresses. */
function hostIn(row: Row, { hosts, servers }: RowNames): string | undefined {
  let first: string | undefined;
  for (const name of hosts) {
    const host = textOf(row(name));
    if (host === undefined) continue;
    if (hosts.length === 1 || hostLikeness(host) === 1) return host;
    first ??= host;
  }
  return first ?? firstText(row, servers);
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
  const { hosts, addresses, servers } = allNames;
  return hosts.some(has) || addresses.some(has) || servers.some(has);
}

/** Whether columns, in lower case, make a table of proxies. */
export function isTable(columns: readonly string[]): boolean {
  const named = columns.filter((name) => name !== '');
  if (new Set(named).size !== named.length) return false;
  const { hosts, servers, ports, addresses } = namesAmong(columns);
  return (hosts.length + servers.length > 0 && ports.length > 0) || addresses.length > 0;
}

/**
 * Understands a row by the names of its columns; a text says why that is not possible. `names`: which of them
 * rows may have at all.
 */
export function readRow(
  row: Row,
  { tagColumns, https }: RowOptions,
  names: RowNames = allNames,
): RowFields | string {
  let protocol: ProxyProtocol | undefined;
  for (const name of names.protocols) {
    const found = protocolIn(row(name), https);
    if (typeof found === 'object') return found.why;
    if (found !== undefined) {
      protocol = found;
      break;
    }
  }
  const written = firstText(row, names.ports);
  const port = written === undefined || written === '0' ? undefined : written;
  const address = firstText(row, names.addresses);
  const place = placeOf(hostIn(row, names), port, address);
  if (place === undefined) return 'it has no host';
  return {
    url: place.url,
    host: place.host,
    port: place.host === undefined ? undefined : port,
    protocol,
    username: firstText(row, names.usernames),
    password: firstText(row, names.passwords),
    region: countryIn(row, names),
    tags: tagsIn(row, tagColumns),
  };
}

/** What of a row's columns says where the proxy is: a host beside a port, or all of it in one text. */
function placeOf(
  host: string | undefined,
  port: string | undefined,
  address: string | undefined,
): { readonly host?: string; readonly url?: string } | undefined {
  if (host !== undefined && (port !== undefined || address === undefined)) {
    // `ip` and `server` are also written with a port or as a URL.
    const whole = port === undefined && host.includes(':') && normalHost(`[${host}]`) === undefined;
    return whole || host.includes('://') ? { url: host } : { host };
  }
  if (address === undefined) return undefined;
  const bare = port !== undefined && isPort(port) && !/:\/\/|:\d+$/.test(address);
  return bare ? { host: address } : { url: address };
}
