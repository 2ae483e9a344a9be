import { InvalidProxyError } from '../errors.ts';
import { hostLikeness } from './host.ts';
import { isKnownScheme } from './protocols.ts';

/** Why something is not a proxy. A value, no `Error`: a list may hold 100,000 of them. */
export class Refusal {
  /** Equal for equal mistakes, whatever they were made in. */
  readonly why: string;
  /** With what may be shown of the proxy. */
  readonly message: string;

  constructor(why: string, message = why) {
    this.why = why;
    this.message = message;
  }
}

/** The value, or a throw of `InvalidProxyError`. */
export function orThrow<T>(result: T | Refusal): T {
  if (result instanceof Refusal) throw new InvalidProxyError(result.message);
  return result;
}

export function refuse(text: string, why: string): Refusal {
  return new Refusal(why, `${describe(text)} is not a proxy: ${why}`);
}

const hostPort = /^(?:\[[0-9a-f:.]{2,45}\]|[a-z0-9_.-]{1,100}):\d{1,5}$/i;
const separators: readonly (readonly [RegExp, string])[] = [
  [/,/g, 'commas'],
  [/;/g, 'semicolons'],
  [/\|/g, 'bars'],
  [/\t+/g, 'tabs'],
  [/\s+/g, 'blanks'],
  [/:/g, 'colons'],
];

/** What a text looks like, without a character of it. */
export function shapeOf(text: string): string {
  if (text.length > 1000) return `a text of ${text.length} characters`;
  if (text.startsWith('{')) return 'a JSON object';
  if (/^\[\s*["{[\]]/.test(text)) return 'a JSON array';
  if (text.startsWith('<')) return 'markup';
  const query = text.indexOf('?');
  if (query !== -1 && text.indexOf('=', query) !== -1) return 'a query';
  if (text.includes('@')) return 'a text with "@"';
  for (const [separator, name] of separators) {
    const count = text.match(separator)?.length ?? 0;
    if (count > 0) return `a text of ${count + 1} parts between ${name}`;
  }
  return text === '' ? 'an empty text' : 'a single word';
}

const likenessOf = (place: string) => hostLikeness(place.slice(0, place.lastIndexOf(':')));

/** The `host:port` behind an `@`, if it cannot be a user and a password. */
function placeAfter(rest: string, at: number): string | undefined {
  const right = rest.slice(at + 1);
  const left = rest.slice(0, at);
  if (!hostPort.test(right)) return undefined;
  const surer = hostPort.test(left) ? likenessOf(right) > likenessOf(left) : !/[.[]/.test(left);
  return surer || (likenessOf(right) === 2 && !hostPort.test(left)) ? right : undefined;
}

/**
 * A proxy's text as it may be shown: a known scheme and a `host:port`, in quotes, or what the text looks
 * like. Nothing else of it, since any other part may be a password.
 */
export function describe(text: string): string {
  const [, scheme] = /^([a-z][a-z0-9+.-]{0,19}):\/\//i.exec(text) ?? [];
  if (scheme !== undefined && !isKnownScheme(scheme.toLowerCase())) {
    return 'a URL of an unknown scheme';
  }
  const prefix = scheme === undefined ? '' : `${scheme.toLowerCase()}://`;
  const rest = text.slice(prefix.length).replace(/\/$/, '');
  const at = rest.lastIndexOf('@');
  const place = at === -1 ? (hostPort.test(rest) ? rest : undefined) : placeAfter(rest, at);
  if (place !== undefined) return `"${prefix}${at === -1 ? '' : '***@'}${place}"`;
  return scheme === undefined ? shapeOf(text) : `a URL that begins with ${prefix}`;
}
