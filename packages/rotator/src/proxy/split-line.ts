import { isIPv6 } from 'node:net';
import { hostLikeness, normalHost } from './host.ts';

/** The four parts of a proxy as they are written. */
export interface Written {
  readonly host: string;
  readonly port: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** What four parts between colons mean, for lists whose lines could be read both ways. */
export type ColonFormat = 'host:port:user:pass' | 'user:pass:host:port';

const ambiguousColons =
  'it is ambiguous, host:port:user:pass or user:pass:host:port: name the format, or write user:pass@host:port';
const ambiguousAt =
  'it is ambiguous, user:pass@host:port or host:port@user:pass: name the template, or write a URL';

/** Words of a column that follows host and port in public lists: no users and no passwords. */
const columnWords = new Set([
  ...['http', 'https', 'socks', 'socks4', 'socks4a', 'socks5', 'socks5h'],
  ...['elite', 'anonymous', 'transparent', 'high'],
]);

export function isPort(text: string | undefined): boolean {
  if (text === undefined || !/^\d{1,5}$/.test(text)) return false;
  const port = Number(text);
  return port >= 1 && port <= 65_535;
}

/** The host of a `host:port`, or undefined. */
function hostOf(text: string): string | undefined {
  const colon = text.lastIndexOf(':');
  if (colon === -1 || !isPort(text.slice(colon + 1))) return undefined;
  const host = text.slice(0, colon);
  return normalHost(host) === undefined ? undefined : host;
}

/** A user and perhaps a password; the first colon is between them. */
function credentials(text: string): Pick<Written, 'username' | 'password'> | string {
  const colon = text.indexOf(':');
  const username = colon === -1 ? text : text.slice(0, colon);
  const password = colon === -1 ? undefined : text.slice(colon + 1);
  if (!text.includes('%')) return { username, password };
  try {
    return {
      username: decodeURIComponent(username),
      password: password === undefined ? undefined : decodeURIComponent(password),
    };
  } catch {
    return 'its credentials hold a broken % escape (a % itself is written %25)';
  }
}

/** The parts between colons; an IPv6 address in brackets is one part. */
function partsOf(rest: string): string[] {
  if (!rest.includes(':')) return [rest];
  const end = rest.startsWith('[') ? rest.indexOf(']') : -1;
  if (end === -1) return rest.split(':');
  const after = rest.slice(end + 1);
  if (after === '') return [rest];
  return after.startsWith(':') ? [rest.slice(0, end + 1), ...after.slice(1).split(':')] : [rest];
}

/**
 * With an `@`: `user:pass@host:port`, or `host:port@user:pass` where only the left side can be a host and
 * a port. Which of two sides is the host is decided by how sure each is to be one.
 */
function splitAtSign(rest: string, isUrl: boolean): Written | string {
  const first = rest.indexOf('@');
  const last = rest.lastIndexOf('@');
  const before = rest.slice(0, first);
  const after = rest.slice(last + 1);
  const left = hostOf(before);
  if (left !== undefined) {
    const right = partsOf(after);
    const likeness = hostLikeness(left) - hostLikeness(right[0] ?? '');
    if (hostOf(after) !== undefined) {
      if (likeness > 0 || (likeness === 0 && !isUrl)) return ambiguousAt;
    } else if (likeness >= 0) {
      const colon = rest.indexOf(':', first);
      if (colon !== -1 && /^\d*$/.test(rest.slice(colon + 1))) return ambiguousAt;
      if (colon !== -1) {
        const login = credentials(rest.slice(first + 1));
        if (typeof login === 'string') return login;
        return { host: left, port: before.slice(before.lastIndexOf(':') + 1), ...login };
      }
    }
  }
  const parts = partsOf(after);
  if (parts.length > 2) return 'expected user:pass@host:port';
  const login = credentials(rest.slice(0, last));
  if (typeof login === 'string') return login;
  return { host: parts[0] ?? '', port: parts[1], ...login };
}

function isColumnWord(text: string): boolean {
  return text.length <= 11 && columnWords.has(text.toLowerCase());
}

/** What is no login but columns after host and port. */
function whyNoLogin(username: string, password: string): string | undefined {
  if (username === '' && password.includes(':')) {
    return 'it has no user before its password: if these are columns, name the format, such as host:port::region::*';
  }
  if (isColumnWord(username) || isColumnWord(password)) {
    return 'a word that describes a proxy stands where a user or a password belongs: if these are columns, name the format, such as host:port:protocol:*';
  }
  return undefined;
}

function hostFirst(parts: readonly string[], named: boolean): Written | string {
  const [host = '', port, username = '', ...others] = parts;
  const password = others.join(':');
  const why = named ? undefined : whyNoLogin(username, password);
  return why ?? { host, port, username, password };
}

/** `user:pass:host:port`, whose password may hold colons. */
function hostLast(rest: string, named: boolean): Written | string {
  const port = rest.lastIndexOf(':');
  const bracket = rest[port - 1] === ']' ? rest.lastIndexOf('[', port) : -1;
  const host = bracket === -1 ? rest.lastIndexOf(':', port - 1) + 1 : bracket;
  const colon = rest.indexOf(':');
  if (colon >= host - 1) return 'expected user:pass:host:port';
  const username = rest.slice(0, colon);
  const password = rest.slice(colon + 1, host - 1);
  const why = named ? undefined : whyNoLogin(username, password);
  return why ?? { host: rest.slice(host, port), port: rest.slice(port + 1), username, password };
}

function splitColons(rest: string, format: ColonFormat | undefined): Written | string {
  const parts = partsOf(rest);
  if (parts.length <= 2) return { host: parts[0] ?? '', port: parts[1] };
  if (parts.length === 3) return 'expected host:port or host:port:user:pass';
  if (format !== undefined) {
    return format === 'host:port:user:pass' ? hostFirst(parts, true) : hostLast(rest, true);
  }
  // The port of `user:pass:[::1]:8080` follows a bracket.
  const lastHost = rest.endsWith(']') ? '' : rest.slice(0, rest.lastIndexOf(':'));
  const bracket = lastHost.endsWith(']') ? lastHost.lastIndexOf('[') : -1;
  const secondHost = bracket === -1 ? (parts.at(-2) ?? '') : lastHost.slice(bracket);
  const count = bracket === -1 ? parts.length : rest.slice(0, bracket).split(':').length + 1;
  const first = isPort(parts[1]);
  const last = isPort(parts.at(-1));
  const likeFirst = hostLikeness(parts[0] ?? '') > 0;
  const likeLast = hostLikeness(secondHost) > 0;
  if (first && (!last || (likeFirst && !likeLast))) return hostFirst(parts, false);
  if (!first && count === 4 && likeLast) {
    return last ? hostLast(rest, false) : 'its port must be 1 to 65535';
  }
  return last ? ambiguousColons : 'expected host:port:user:pass';
}

/** Takes apart what a line says besides its scheme; a text says why that is not possible. */
export function splitLine(
  rest: string,
  isUrl: boolean,
  format: ColonFormat | undefined,
): Written | string {
  if (rest.includes('@')) return splitAtSign(rest, isUrl);
  if (isIPv6(rest)) return 'an IPv6 address is written in brackets, [::1]:8080';
  return splitColons(rest, format);
}
