import { validateHeaderName, validateHeaderValue } from 'node:http';
import { InvalidRequestError } from '../errors.ts';
import { shown } from '@whirl/check';

/** Headers in any of the shapes that undici and fetch take. */
export type HeadersGiven =
  | Readonly<Record<string, unknown>>
  | Iterable<readonly [string, unknown]>
  | readonly string[]
  | null
  | undefined;

/** They speak of one connection, which is not the caller's to manage; undici refuses them too. */
const refused = new Set(['transfer-encoding', 'keep-alive', 'upgrade', 'expect']);

function* pairsOf(given: NonNullable<HeadersGiven>): Generator<readonly [string, unknown]> {
  if (Array.isArray(given) && !Array.isArray(given[0])) {
    if (given.length % 2 !== 0) {
      throw new InvalidRequestError('a flat list of headers must alternate names and values');
    }
    for (let i = 0; i < given.length; i += 2) yield [String(given[i]), given[i + 1]];
  } else if (Symbol.iterator in given) yield* given as Iterable<readonly [string, unknown]>;
  else yield* Object.entries(given);
}

/**
 * Headers of every shape as one flat list. Two kinds are dropped: `proxy-authorization`, because a
 * target must never see the credentials of a proxy, and a second `content-length`, which the
 * built-in fetch of Node 20 sends beside the user's own ("5, 5"). Several cookies become one line. Throws `InvalidRequestError` for a header
 * that HTTP does not allow, naming the header but not its value.
 */
export function flatHeaders(given: HeadersGiven): string[] {
  const flat: string[] = [];
  if (given === null || given === undefined) return flat;
  if (typeof given !== 'object') {
    throw new InvalidRequestError(
      `headers must be an object, an array or Headers, got ${shown(given)}`,
    );
  }
  let hasLength = false;
  let cookieAt = -1;
  for (const [name, value] of pairsOf(given)) {
    const lower = name.toLowerCase();
    if (lower === 'proxy-authorization' || value === undefined || value === null) continue;
    if (lower === 'content-length') {
      if (hasLength) continue;
      hasLength = true;
    }
    if (refused.has(lower)) {
      throw new InvalidRequestError(
        `the header "${lower}" cannot be set: it belongs to the connection`,
      );
    }
    for (const each of Array.isArray(value) ? value : [value]) {
      const text = lower === 'content-length' ? once(String(each)) : String(each);
      try {
        validateHeaderName(name);
        validateHeaderValue(name, text);
      } catch {
        throw new InvalidRequestError(`the header ${JSON.stringify(name)} is not valid HTTP`);
      }
      if (lower !== 'cookie') flat.push(name, text);
      else if (cookieAt === -1) cookieAt = flat.push(name, text) - 1;
      // Several values go in one line (RFC 6265, section 5.4).
      else flat[cookieAt] += `; ${text}`;
    }
  }
  return flat;
}

/** The one value of a list that says the same again and again. */
function once(list: string): string {
  const [first = '', ...rest] = list.split(',').map((each) => each.trim());
  return rest.every((each) => each === first) ? first : list;
}

/** Whether a flat list has this header; `name` in lower case. */
export function hasHeader(flat: readonly string[], name: string): boolean {
  for (let i = 0; i < flat.length; i += 2) if (flat[i]?.toLowerCase() === name) return true;
  return false;
}
