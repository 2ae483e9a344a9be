/** What a client asks of the pool. Undefined: it does not say. */
export interface Wishes {
  readonly session?: string;
  readonly region?: string;
  readonly tags?: readonly string[];
  /** The id of a proxy. */
  readonly proxyId?: string;
  readonly ttlMs?: number;
  /** Further attempts after the first. */
  readonly retries?: number;
  /** Whether a region is a condition. Default true. */
  readonly strict?: boolean;
}

/** A client as its username names it, taken apart. */
export interface ParsedUsername {
  /** To which the password belongs. Without passwords: what the client calls itself; empty if it gives no username. */
  readonly name: string;
  readonly wishes: Wishes;
}

/** A username that cannot be understood. The message names the part. */
export class UsernameError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsernameError';
  }
}

type Key = 'session' | 'region' | 'tag' | 'proxy' | 'ttl' | 'retries' | 'strict';

/** Every spelling of a key, as the providers of proxies have them. */
const keys: ReadonlyMap<string, Key> = new Map([
  ['session', 'session'],
  ['sessid', 'session'],
  ['sid', 'session'],
  ['region', 'region'],
  ['country', 'region'],
  ['cc', 'region'],
  ['tag', 'tag'],
  ['proxy', 'proxy'],
  ['ttl', 'ttl'],
  ['sesstime', 'ttl'],
  ['sessionduration', 'ttl'],
  ['lifetime', 'ttl'],
  ['retries', 'retries'],
  ['strict', 'strict'],
]);

const maxValueLength = 128;
const maxTags = 32;
const maxTtlMinutes = 1440;
/** A retry policy makes at most ten attempts. */
const maxRetries = 9;
const percentEncoded = /^(?:[^%]|%[0-9a-f]{2})*$/i;
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const control = /[\u0000-\u001f\u007f-\u009f]/;

/**
 * Reads what a client says in its username:
 *
 * ```text
 * username = name *( "-" key "-" value )
 * name     = piece *( "-" piece )         ; all pieces before the first that is a key
 * key      = "session" / "sessid" / "sid"
 *          / "region" / "country" / "cc"
 *          / "tag"                         ; may come several times
 *          / "proxy"                       ; the id of a proxy
 *          / "ttl" / "sesstime" / "sessionduration" / "lifetime"   ; minutes
 *          / "retries"                     ; 0 to 9
 *          / "strict"                      ; 0 or 1
 * value    = 1*( unreserved / pct-encoded ) ; 1 to 128 characters once decoded
 * piece    = *( any character but "-" )
 * ```
 *
 * Keys are case-insensitive. A dash in a value is written `%2D`, a colon `%3A`. The first piece always belongs
 * to the name. Throws a `UsernameError` for a key that is unknown, has no value or comes twice, and for a value
 * out of its bounds.
 */
export function readUsername(username: string): ParsedUsername {
  const pieces = username.split('-');
  let at = 1;
  while (at < pieces.length && !keys.has((pieces[at] as string).toLowerCase())) at++;
  const name = pieces.slice(0, at).join('-');
  const wishes: { -readonly [K in keyof Wishes]: Wishes[K] } = {};
  const seen = new Set<Key>();
  for (; at < pieces.length; at += 2) {
    const spelling = pieces[at] as string;
    const key = keys.get(spelling.toLowerCase());
    if (key === undefined) throw new UsernameError(`unknown key ${quoted(spelling)}`);
    const value = pieces[at + 1];
    if (value === undefined || value === '') {
      throw new UsernameError(`the key "${spelling}" has no value`);
    }
    if (seen.has(key) && key !== 'tag') {
      throw new UsernameError(`the key "${spelling}" is given twice`);
    }
    seen.add(key);
    take(wishes, key, decode(spelling, value), spelling);
  }
  return { name, wishes };
}

/** Adds one wish. `said`: how the client calls it. Throws a `UsernameError`. */
export function take(
  wishes: { -readonly [K in keyof Wishes]: Wishes[K] },
  key: Key,
  value: string,
  said: string,
): void {
  checkValue(said, value);
  switch (key) {
    case 'session':
    case 'region':
      wishes[key] = value;
      break;
    case 'proxy':
      wishes.proxyId = value;
      break;
    case 'tag':
      wishes.tags = [...(wishes.tags ?? []), value];
      if (wishes.tags.length > maxTags) {
        throw new UsernameError(`the key "${said}" is given more than ${maxTags} times`);
      }
      break;
    case 'ttl':
      wishes.ttlMs = integer(said, value, 1, maxTtlMinutes) * 60_000;
      break;
    case 'retries':
      wishes.retries = integer(said, value, 0, maxRetries);
      break;
    default:
      wishes.strict = integer(said, value, 0, 1) === 1;
  }
}

function decode(spelling: string, value: string): string {
  try {
    if (percentEncoded.test(value)) return decodeURIComponent(value);
  } catch {
    // Not UTF-8.
  }
  throw new UsernameError(`the value of "${spelling}" is not percent-encoded UTF-8`);
}

function checkValue(said: string, value: string): void {
  if (value.length < 1 || value.length > maxValueLength) {
    throw new UsernameError(`the value of "${said}" must have 1 to ${maxValueLength} characters`);
  }
  if (control.test(value)) {
    throw new UsernameError(`the value of "${said}" holds a control character`);
  }
}

function integer(said: string, value: string, least: number, most: number): number {
  const number = Number(value);
  if (!/^\d{1,9}$/.test(value) || number < least || number > most) {
    throw new UsernameError(`the value of "${said}" must be an integer from ${least} to ${most}`);
  }
  return number;
}

/** A key in a message. A long one may be anything. */
function quoted(key: string): string {
  return JSON.stringify(key.length > 32 ? `${key.slice(0, 32)}…` : key);
}
