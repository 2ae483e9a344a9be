import { validateHeaderName, validateHeaderValue } from 'node:http';
import { shown } from '@whirl/check';

/** Headers that a proxy gets beside the request: on CONNECT, or in absolute form. */
export type ProxyHeaders = Readonly<Record<string, string>>;

/** A proxy, as far as its headers depend on it. */
interface Recipient {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly proxyHeaders?: ProxyHeaders | undefined;
}

/** They frame the message or speak of the connection, which are not the caller's to manage. */
const refused = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** A name as it may be shown: a token in its place would hold digits or blanks, or be long. */
const shownName = (name: string) =>
  /^[a-z-]{1,40}$/i.test(name) ? `"${name.toLowerCase()}"` : 'a name that is not shown';

const none: readonly string[] = Object.freeze([]);

/**
 * Refuses headers that cannot be sent. `fail` gets a message that names the option and the header, and
 * never a value: it may be a token.
 */
export function checkProxyHeaders(
  path: string,
  given: unknown,
  fail: (message: string) => never,
): void {
  if (given === undefined) return;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    const kind = typeof given === 'string' ? 'a string' : shown(given);
    fail(`${path} must be an object of names and values, got ${kind}`);
  }
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(given as object) as [string, unknown][]) {
    if (value === undefined) continue;
    const lower = name.toLowerCase();
    if (refused.has(lower)) fail(`${path} must not hold "${lower}": it belongs to the connection`);
    if (seen.has(lower)) fail(`${path} holds ${shownName(name)} twice`);
    seen.add(lower);
    if (typeof value !== 'string')
      fail(`${path}: ${shownName(name)} must be a string, got ${typeof value}`);
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch {
      fail(`${path}: ${shownName(name)} is not a valid HTTP header`);
    }
  }
}

/** `Basic` credentials (RFC 7617); a user name without a password is sent too. */
export function basicAuth(proxy: Recipient): string | undefined {
  if (proxy.username === undefined && proxy.password === undefined) return undefined;
  const pair = `${proxy.username ?? ''}:${proxy.password ?? ''}`;
  return `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`;
}

/**
 * What a proxy is sent for itself: the rotator's headers, the proxy's own instead of those of the same
 * name, and its credentials as `Basic` unless one of them is a Proxy-Authorization.
 */
export function headersFor(proxy: Recipient, common: ProxyHeaders | undefined): readonly string[] {
  const { proxyHeaders: own } = proxy;
  const auth = basicAuth(proxy);
  if (own === undefined && common === undefined) {
    return auth === undefined ? none : ['Proxy-Authorization', auth];
  }
  const flat: string[] = [];
  for (const [name, value] of [...Object.entries(own ?? {}), ...Object.entries(common ?? {})]) {
    if (value !== undefined && !hasName(flat, name)) flat.push(name, value);
  }
  if (auth !== undefined && !hasName(flat, 'proxy-authorization')) {
    flat.push('Proxy-Authorization', auth);
  }
  return flat;
}

/** Whether a proxy is sent credentials of any scheme. */
export function hasCredentials(proxy: Recipient, common: ProxyHeaders | undefined): boolean {
  return hasName(headersFor(proxy, common), 'proxy-authorization');
}

/** Whether a flat list has a header of that name, in any letters. */
function hasName(flat: readonly string[], name: string): boolean {
  const lower = name.toLowerCase();
  for (let i = 0; i < flat.length; i += 2) if (flat[i]?.toLowerCase() === lower) return true;
  return false;
}
