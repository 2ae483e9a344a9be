import { InvalidProxyError } from '../errors.ts';
import { hostLikeness } from './host.ts';
import { isKnownScheme } from './protocols.ts';

/** Why something is not a proxy. A value, no `Error`: a list may hold 100,000 of them. */
export class Refusal {
  /** Equal for equal mistakes, whatever they were made in. */
  readonly why: string;
  readonly #message: string | (() => string);

  constructor(why: string, message: string | (() => string) = why) {
    this.why = why;
    this.#message = message;
  }

  /** With what may be shown of the proxy. Made when it is read: a report has the first 20 alone. */
  get message(): string {
    const message = this.#message;
    return typeof message === 'string' ? message : message();
  }
}

/** The value, or a throw of `InvalidProxyError`. */
export function orThrow<T>(result: T | Refusal): T {
  if (result instanceof Refusal) throw new InvalidProxyError(result.message);
  return result;
}

export function refuse(text: string, why: string): Refusal {
  return new Refusal(why, () => `${describe(text)} is not a proxy: ${why}`);
}

/** For a text that is no list as a whole. */
export function wholeList(why: string, line = 1): InvalidProxyError {
  return new InvalidProxyError(why, { issues: [{ line, reason: why.slice(0, 299) }] });
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

const maxDescribed = 1000;

/** What a text is as a whole, without a character of it; undefined: perhaps parts between separators. */
function wholeShapeOf(text: string): string | undefined {
  if (text.length > maxDescribed) return `a text of ${text.length} characters`;
  if (text.startsWith('{')) return 'a JSON object';
  if (/^\[\s*["{[\]]/.test(text)) return 'a JSON array';
  if (text.startsWith('<')) return 'markup';
  const query = text.indexOf('?');
  if (query !== -1 && text.indexOf('=', query) !== -1) return 'a query';
  return text.includes('@') ? 'a text with "@"' : undefined;
}

/** What stands between the columns of a text, as `commas` or `blanks`; undefined: it has none, or colons at most. */
export function separatorIn(text: string): string | undefined {
  if (wholeShapeOf(text) !== undefined) return undefined;
  if (text.includes(',')) return 'commas';
  if (text.includes(';')) return 'semicolons';
  if (text.includes('|')) return 'bars';
  if (text.includes('\t')) return 'tabs';
  return /\s/.test(text) ? 'blanks' : undefined;
}

/** What a text looks like, without a character of it. */
export function shapeOf(text: string): string {
  const whole = wholeShapeOf(text);
  if (whole !== undefined) return whole;
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
