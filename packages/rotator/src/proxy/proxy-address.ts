import { trimEdges } from './clean-line.ts';
import { hiddenIn, normalHost, whyNoHost } from './host.ts';
import { hintFor } from './hints.ts';
import {
  hasPlaceholders,
  longestOf,
  markPlaceholders,
  placeholdersIn,
  withoutMarks,
  whyNoPlaceholders,
  type Placeholder,
} from './placeholders.ts';
import {
  defaultPorts,
  protocolOf,
  protocols,
  whyNotScheme,
  type ProxyProtocol,
} from './protocols.ts';
import { Refusal, refuse } from './refusal.ts';
import { isPort, splitLine, type ColonFormat, type Written } from './split-line.ts';
import { loneSurrogate } from './well-formed.ts';

/** Where a proxy is, and the credentials for it. Placeholders in user name and password are marked. */
export interface ProxyAddress {
  readonly protocol: ProxyProtocol;
  /** In lower case, IPv6 in brackets. */
  readonly host: string;
  readonly port: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Undefined: it has none, and is an ordinary proxy. */
  readonly placeholders?: ReadonlySet<Placeholder> | undefined;
}

/** What holds for what a text does not say itself. */
export interface AddressDefaults {
  readonly colons?: ColonFormat | undefined;
  readonly defaultProtocol?: ProxyProtocol | undefined;
  readonly defaultPort?: number | undefined;
}

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const controls = /[\u0000-\u001f\u007f]/;

/** What the wire can carry: RFC 7617 for Basic, RFC 1929 for SOCKS5. */
function whyNoCredentials(
  protocol: ProxyProtocol,
  username: string,
  password: string,
): string | undefined {
  if (username === '' && password === '') return undefined;
  if (controls.test(username) || controls.test(password)) {
    return 'its credentials hold control characters';
  }
  if (protocol.startsWith('http')) {
    return username.includes(':') ? 'Basic credentials allow no ":" in the user name' : undefined;
  }
  return Buffer.byteLength(username) > 255 || Buffer.byteLength(password) > 255
    ? 'SOCKS credentials hold at most 255 bytes each'
    : undefined;
}

/** Finishes what was written in whatever form. `text` is what a message may describe. */
export function addressOf(
  protocol: string,
  written: Written,
  portRequired: boolean,
  text: string,
): ProxyAddress | Refusal {
  const known = protocolOf(protocol);
  if (known === undefined) {
    return refuse(text, `its scheme must be one of ${protocols.join(', ')}`);
  }
  if (written.host === '') return refuse(text, 'it has no host');
  if (hasPlaceholders(written.host)) {
    return refuse(text, 'placeholders stand in the user name and the password alone');
  }
  const host = normalHost(written.host);
  if (host === undefined) return refuse(text, whyNoHost(written.host));
  if (written.port === undefined && portRequired) return refuse(text, 'it has no port');
  const port = written.port ?? String(defaultPorts[known]);
  if (!isPort(port)) return refuse(text, 'its port must be 1 to 65535');
  const whyNot = whyNoPlaceholders(written);
  if (whyNot !== undefined) return refuse(text, whyNot);
  const { username, password } = withoutMarks(written);
  const named = hasPlaceholders(username) || hasPlaceholders(password);
  const placeholders = named ? placeholdersIn(username + password) : undefined;
  if (loneSurrogate.test(longestOf(username)) || loneSurrogate.test(longestOf(password))) {
    const why = 'must be well-formed Unicode';
    return new Refusal(
      `its credentials ${why}`,
      `the credentials of the proxy ${host}:${port} ${why}`,
    );
  }
  const why = whyNoCredentials(known, longestOf(username), longestOf(password));
  if (why !== undefined) return refuse(text, why);
  return {
    protocol: known,
    host,
    port: Number(port),
    username: username === '' ? undefined : username,
    password: password === '' ? undefined : password,
    ...(placeholders && { placeholders }),
  };
}

function parseUrl(text: string, scheme: string, colons: ColonFormat | undefined) {
  const protocol = scheme.toLowerCase();
  if (protocolOf(protocol) === undefined) return refuse(text, whyNotScheme(protocol));
  const authority = text.slice(scheme.length + 3);
  const rest = authority.endsWith('/') ? authority.slice(0, -1) : authority;
  if (/^t\.me\/(?:proxy|socks)\b/i.test(rest)) {
    return refuse(text, 'it is a link to a proxy for Telegram: write its server and port as a URL');
  }
  if (/[/?#\\\s]/.test(rest)) {
    return refuse(
      text,
      'it must not have a path, a query or a fragment (in credentials, / ? # are written %2F %3F %23)',
    );
  }
  const written = splitLine(rest, true, colons);
  return typeof written === 'string'
    ? refuse(text, written)
    : addressOf(protocol, written, false, text);
}

/** Whether a text begins with a scheme; then no template and no default applies to it. */
export function hasScheme(text: string): boolean {
  return /^\s*[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

/**
 * Understands a URL, `host:port`, `host:port:user:pass`, `user:pass@host:port` and, where they have one
 * reading, `host:port@user:pass` and `user:pass:host:port`. Escapes (%40) are decoded where there is an
 * `@`. A refusal never shows the password.
 */
export function parseAddress(given: string, how: AddressDefaults): ProxyAddress | Refusal {
  const text = markPlaceholders(trimEdges(given));
  if (text === '') return new Refusal('a proxy must not be empty');
  const [, scheme] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text) ?? [];
  if (scheme !== undefined) return parseUrl(text, scheme, how.colons);
  const result = parseBare(text, how);
  if (!(result instanceof Refusal)) return result;
  const hint = hintFor(text);
  if (hint !== undefined) return refuse(text, hint);
  const hidden = hiddenIn(text);
  return hidden === undefined || result.why.includes(hidden)
    ? result
    : refuse(text, `it holds an invisible character, ${hidden}`);
}

/** A text without a scheme. */
function parseBare(text: string, how: AddressDefaults): ProxyAddress | Refusal {
  const { defaultProtocol = 'http', defaultPort } = how;
  const split = splitLine(text, false, how.colons);
  if (typeof split === 'string') return refuse(text, split);
  const port = split.port ?? (defaultPort === undefined ? undefined : String(defaultPort));
  return addressOf(defaultProtocol, { ...split, port }, true, text);
}
