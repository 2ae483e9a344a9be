import { InvalidProxyError } from './errors.ts';

const protocols = ['http', 'https', 'socks4', 'socks4a', 'socks5', 'socks5h'] as const;
export type ProxyProtocol = (typeof protocols)[number];

/** What may be said of a proxy beside its address. */
export interface ProxyOptions {
  /** The proxy: a URL, `host:port`, `user:pass@host:port` or `host:port:user:pass`. */
  readonly url: string;
  /** Default: `host:port`, or `user@host:port` with credentials. */
  readonly id?: string | undefined;
  readonly region?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  /** For `weighted()`. Default 1; 0 is never picked by it. */
  readonly weight?: number | undefined;
  readonly cost?: number | undefined;
  /** Requests in flight through this proxy at most. Default: no bound. */
  readonly maxConcurrent?: number | undefined;
}

export type ProxyInput = string | ProxyOptions;

/** A proxy, understood. Its password is not enumerable, so that no log prints it. */
export interface Proxy {
  readonly id: string;
  readonly protocol: ProxyProtocol;
  readonly host: string;
  readonly port: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly region?: string | undefined;
  readonly tags: readonly string[];
  readonly weight: number;
  readonly cost?: number | undefined;
  readonly maxConcurrent?: number | undefined;
  /** Without the password. */
  readonly url: string;
}

const defaultPort: Partial<Record<ProxyProtocol, number>> = {
  http: 80,
  https: 443,
  socks4: 1080,
  socks4a: 1080,
  socks5: 1080,
  socks5h: 1080,
};

/** Hides whatever could be a password in a text that was not understood. */
export function redact(text: string): string {
  return text
    .replace(/^([a-z0-9+.-]+:\/\/)?([^\s/@:]*):(.*)@/i, '$1$2:***@')
    .replace(/^([^\s/@:]+:\d+:[^:]*):.+$/, '$1:***');
}

function fail(text: string, why: string): never {
  throw new InvalidProxyError(`"${redact(text)}" is not a proxy: ${why}`);
}

function decode(text: string, whole: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return fail(whole, 'its credentials hold a broken % escape');
  }
}

function toUrlText(text: string): string {
  if (text.includes('://')) return text;
  const parts = text.split(':');
  if (!text.includes('@') && !text.startsWith('[') && parts.length >= 4) {
    const [host, port, user, ...rest] = parts as [string, string, string, ...string[]];
    if (/^\d+$/.test(port)) {
      return `http://${encodeURIComponent(user)}:${encodeURIComponent(rest.join(':'))}@${host}:${port}`;
    }
    if (/^\d+$/.test(parts[3] ?? '')) {
      throw new InvalidProxyError(
        'a proxy as user:pass:host:port is ambiguous: write user:pass@host:port or a URL',
      );
    }
    fail('***', 'expected host:port:user:pass');
  }
  return `http://${text}`;
}

/**
 * Understands one proxy. Throws `InvalidProxyError`, whose message names the text without its
 * password.
 */
export function parseProxy(input: ProxyInput): Proxy {
  const options: ProxyOptions = typeof input === 'string' ? { url: input } : input;
  if (options === null || typeof options !== 'object' || typeof options.url !== 'string') {
    throw new InvalidProxyError('a proxy must be a string or an object with a url');
  }
  const text = options.url.trim();
  if (text === '') throw new InvalidProxyError('a proxy must not be empty');
  const urlText = toUrlText(text);
  let url: URL;
  try {
    url = new URL(urlText.replace(/^[a-z0-9+.-]+:/i, 'http:'));
  } catch {
    return fail(text, 'expected http://user:pass@host:port or host:port with a port of 1 to 65535');
  }
  const scheme = urlText.slice(0, urlText.indexOf(':')).toLowerCase();
  const protocol = protocols.find((each) => each === scheme);
  if (protocol === undefined) {
    return fail(text, `its scheme must be one of ${protocols.join(', ')}`);
  }
  if (url.hostname === '') fail(text, 'it has no host');
  if ((url.pathname !== '/' && url.pathname !== '') || url.search !== '' || url.hash !== '') {
    fail(text, 'it must not have a path, a query or a fragment');
  }
  const authority = urlText.slice(urlText.indexOf('://') + 3).replace(/\/$/, '');
  const written = /:(\d+)$/.exec(authority.slice(authority.lastIndexOf('@') + 1))?.[1];
  const port = written === undefined ? (defaultPort[protocol] ?? 80) : Number(written);
  if (!text.includes('://') && written === undefined) fail(text, 'it has no port');
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    fail(text, 'its port must be 1 to 65535');
  }
  const weight = options.weight ?? 1;
  if (!Number.isFinite(weight) || weight < 0) {
    throw new InvalidProxyError(`weight must be a number ≥ 0, got ${String(weight)}`);
  }
  const host = url.hostname;
  const username = url.username === '' ? undefined : decode(url.username, text);
  const password = url.password === '' ? undefined : decode(url.password, text);
  const user = username === undefined ? '' : `${encodeURIComponent(username)}@`;
  const proxy = {
    id: options.id ?? (username === undefined ? `${host}:${port}` : `${username}@${host}:${port}`),
    protocol,
    host,
    port,
    username,
    region: options.region,
    tags: Object.freeze([...(options.tags ?? [])]),
    weight,
    cost: options.cost,
    maxConcurrent: options.maxConcurrent,
    url: `${protocol}://${user}${host}:${port}`,
  };
  Object.defineProperty(proxy, 'password', { value: password, enumerable: false });
  return Object.freeze(proxy);
}

/**
 * Understands a list: one proxy a line, with comments (`#`) and blank lines, or a JSON array.
 * All or nothing: an error names its line. Identical lines collapse.
 */
export function parseProxyList(text: string): Proxy[] {
  const entries: { line: number; input: ProxyInput; key: string }[] = [];
  if (text.trimStart().startsWith('[')) {
    let list: unknown;
    try {
      list = JSON.parse(text);
    } catch {
      throw new InvalidProxyError('the list begins like JSON, but is not');
    }
    (list as ProxyInput[]).forEach((input, i) =>
      entries.push({ line: i + 1, input, key: JSON.stringify(input) }),
    );
  } else {
    text.split(/\r?\n/).forEach((raw, i) => {
      const line = raw.replace(/(^|\s)#.*$/, '').trim();
      if (line !== '') entries.push({ line: i + 1, input: line, key: line });
    });
  }
  const byId = new Map<string, { line: number; key: string }>();
  const proxies: Proxy[] = [];
  for (const { line, input, key } of entries) {
    let proxy: Proxy;
    try {
      proxy = parseProxy(input);
    } catch (error) {
      throw new InvalidProxyError(`line ${line}: ${(error as Error).message}`);
    }
    const before = byId.get(proxy.id);
    if (before === undefined) {
      byId.set(proxy.id, { line, key });
      proxies.push(proxy);
    } else if (before.key !== key) {
      throw new InvalidProxyError(`lines ${before.line} and ${line} have one id, "${proxy.id}"`);
    }
  }
  return proxies;
}
