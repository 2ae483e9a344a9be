import net from 'node:net';
import { InvalidProxyError } from '../errors.ts';

const protocols = ['http', 'https', 'socks4', 'socks4a', 'socks5', 'socks5h'] as const;

/**
 * How to speak with a proxy. `socks4` and `socks5` resolve the target's name on this machine,
 * `socks4a` and `socks5h` leave it to the proxy, as the others do.
 */
export type ProxyProtocol = (typeof protocols)[number];

/** What four parts between colons mean, for lists whose lines could be read both ways. */
export type ProxyFormat = 'host:port:user:pass' | 'user:pass:host:port';

/** Where a proxy is, and who we are to it. */
export interface ProxyAddress {
  readonly protocol: ProxyProtocol;
  /** In lower case, IPv6 in brackets. */
  readonly host: string;
  readonly port: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

const defaultPorts: Readonly<Record<ProxyProtocol, number>> = {
  http: 80,
  https: 443,
  socks4: 1080,
  socks4a: 1080,
  socks5: 1080,
  socks5h: 1080,
};
const hostPort = /^(?:\[[0-9a-f:.]+\]|[a-z0-9_.-]+):\d{1,5}$/i;
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const controls = /[\u0000-\u001f\u007f]/;

/** A proxy's text as it may be shown: whatever could be a password is hidden. */
export function redact(text: string): string {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*:\/\/)?([^]*)$/i.exec(text) ?? [];
  const at = rest.lastIndexOf('@');
  if (at !== -1) {
    const right = rest.slice(at + 1).replace(/[/?#][^]*$/, '');
    // `host:port@user:pass` is written too: then the right side is the secret one.
    const shown = hostPort.test(right) && !hostPort.test(rest.slice(0, at)) ? right : '***';
    return `${scheme}***@${shown}`;
  }
  if (/^[^:\s]{0,100}(:\d{0,5})?\/?$/.test(rest) || hostPort.test(rest)) return scheme + rest;
  return `${scheme}${rest.slice(0, Math.max(0, rest.indexOf(':'))).slice(0, 100)}:***`;
}

export function refuse(text: string, why: string): never {
  throw new InvalidProxyError(`"${redact(text)}" is not a proxy: ${why}`);
}

function isPort(text: string | undefined): boolean {
  return (
    text !== undefined && /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535
  );
}

function looksLikeHost(text: string | undefined): boolean {
  return text !== undefined && (/[.[]/.test(text) || text === 'localhost');
}

/** The host as URLs write it, or undefined. The common shapes do without the URL parser. */
function normalHost(text: string): string | undefined {
  if (text.length > 253) return undefined;
  if (net.isIPv4(text)) return text;
  if (/^(?:[a-z0-9_-]+\.)*[a-z][a-z0-9_-]*$/.test(text) && !text.includes('xn--')) return text;
  if (text.startsWith('[') ? !net.isIPv6(text.slice(1, -1)) : /[\s/?#@\\:%[\]]/.test(text)) {
    return undefined;
  }
  return URL.canParse(`http://${text}/`) ? new URL(`http://${text}/`).hostname : undefined;
}

function decode(part: string, whole: string): string {
  if (!part.includes('%')) return part;
  try {
    return decodeURIComponent(part);
  } catch {
    return refuse(whole, 'its credentials hold a broken % escape (a % itself is written %25)');
  }
}

/** The parts between colons; an IPv6 address in brackets is one part. */
function partsOf(rest: string): string[] {
  const end = rest.startsWith('[') ? rest.indexOf(']') : -1;
  if (end === -1) return rest.split(':');
  const after = rest.slice(end + 1);
  if (after === '') return [rest];
  return after.startsWith(':') ? [rest.slice(0, end + 1), ...after.slice(1).split(':')] : [rest];
}

/** Which side of four or more parts the host is on. */
function hostSide(parts: readonly string[], text: string, format: ProxyFormat | undefined) {
  if (format !== undefined) return format === 'host:port:user:pass' ? 'first' : 'last';
  const first = isPort(parts[1]);
  const last = isPort(parts.at(-1));
  if (first && (!last || (looksLikeHost(parts[0]) && !looksLikeHost(parts.at(-2))))) return 'first';
  if (!last) return refuse(text, 'expected host:port:user:pass');
  return refuse(
    text,
    'it is ambiguous, host:port:user:pass or user:pass:host:port: name the format, or write user:pass@host:port',
  );
}

interface Written {
  host: string;
  port: string | undefined;
  username?: string | undefined;
  password?: string | undefined;
}

function split(rest: string, text: string, format: ProxyFormat | undefined): Written {
  const at = rest.lastIndexOf('@');
  const parts = partsOf(rest.slice(at + 1));
  if (at !== -1) {
    const credentials = rest.slice(0, at);
    const colon = credentials.indexOf(':');
    const username = colon === -1 ? credentials : credentials.slice(0, colon);
    const password = colon === -1 ? undefined : credentials.slice(colon + 1);
    if (parts.length > 2) refuse(text, 'expected user:pass@host:port');
    return {
      host: parts[0] ?? '',
      port: parts[1],
      username: decode(username, text),
      password: password === undefined ? undefined : decode(password, text),
    };
  }
  if (net.isIPv6(rest)) refuse(text, 'an IPv6 address is written in brackets, [::1]:8080');
  if (parts.length <= 2) return { host: parts[0] ?? '', port: parts[1] };
  if (parts.length === 3) refuse(text, 'expected host:port or host:port:user:pass');
  if (hostSide(parts, text, format) === 'first') {
    const [host = '', port, username, ...password] = parts;
    return { host, port, username, password: password.join(':') };
  }
  const [, username, password, host = '', port] =
    /^([^:]*):(.*):(\[[^\]]*\]|[^:[\]]*):(\d+)$/.exec(rest) ??
    refuse(text, 'expected user:pass:host:port');
  return { host, port, username, password };
}

/** What the wire can carry: RFC 7617 for Basic, RFC 1929 for SOCKS5. */
function checkCredentials(protocol: ProxyProtocol, given: Written, text: string): void {
  const { username = '', password = '' } = given;
  if (controls.test(username) || controls.test(password)) {
    refuse(text, 'its credentials hold control characters');
  }
  if (protocol.startsWith('http')) {
    if (username.includes(':')) refuse(text, 'Basic credentials allow no ":" in the user name');
  } else if (Buffer.byteLength(username) > 255 || Buffer.byteLength(password) > 255) {
    refuse(text, 'SOCKS credentials hold at most 255 bytes each');
  }
}

/** Finishes what was written in whatever form. Throws `InvalidProxyError`. */
export function addressOf(
  protocol: string,
  written: Written,
  portRequired: boolean,
  text: string,
): ProxyAddress {
  const known = protocols.find((each) => each === protocol);
  if (known === undefined) return refuse(text, `its scheme must be one of ${protocols.join(', ')}`);
  if (written.host === '') refuse(text, 'it has no host');
  const host = normalHost(written.host.toLowerCase());
  if (host === undefined) return refuse(text, 'its host is neither a name nor an address');
  if (written.port === undefined && portRequired) refuse(text, 'it has no port');
  const port = written.port ?? String(defaultPorts[known]);
  if (!isPort(port)) refuse(text, 'its port must be 1 to 65535');
  checkCredentials(known, written, text);
  const { username, password } = written;
  return {
    protocol: known,
    host,
    port: Number(port),
    username: username === '' ? undefined : username,
    password: password === '' ? undefined : password,
  };
}

/**
 * Understands a URL, `host:port`, `host:port:user:pass` or `user:pass@host:port`; with the format
 * named, `user:pass:host:port` too. Escapes (%40) are decoded where there is an `@`. Throws
 * `InvalidProxyError`, which never shows the password.
 */
export function parseAddress(given: string, format?: ProxyFormat): ProxyAddress {
  const text = given.trim();
  if (text === '') throw new InvalidProxyError('a proxy must not be empty');
  const [, scheme, authority] = /^([a-z][a-z0-9+.-]*):\/\/([^]*)$/i.exec(text) ?? [];
  if (scheme === undefined || authority === undefined) {
    return addressOf('http', split(text, text, format), true, text);
  }
  const rest = authority.replace(/\/$/, '');
  if (/[/?#\\\s]/.test(rest)) {
    refuse(
      text,
      'it must not have a path, a query or a fragment (in credentials, / ? # are written %2F %3F %23)',
    );
  }
  return addressOf(scheme.toLowerCase(), split(rest, text, format), false, text);
}
