import { take, UsernameError, type Wishes } from './username.ts';

const fields = {
  'x-whirl-session': 'session',
  'x-whirl-region': 'region',
  'x-whirl-tags': 'tag',
  'x-whirl-proxy': 'proxy',
  'x-whirl-ttl': 'ttl',
} as const;

/** The beginning of every field that is for the gateway alone. */
export const wishPrefix = 'x-whirl-';

/**
 * Reads what a client asks of the pool in `X-Whirl-Session`, `-Region`, `-Tags` (a list with commas), `-Proxy` and
 * `-Ttl` (minutes). Undefined: it asks nothing there. Throws a `UsernameError` that names the field.
 */
export function readWishFields(flat: readonly string[]): Wishes | undefined {
  let wishes: { -readonly [K in keyof Wishes]: Wishes[K] } | undefined;
  let seen: Set<string> | undefined;
  for (let i = 0; i < flat.length; i += 2) {
    const given = flat[i] as string;
    if (given.length <= wishPrefix.length || (given[0] !== 'X' && given[0] !== 'x')) continue;
    const name = given.toLowerCase();
    if (!name.startsWith(wishPrefix)) continue;
    const key = fields[name as keyof typeof fields];
    if (key === undefined) throw new UsernameError(`unknown field ${given.slice(0, 64)}`);
    seen ??= new Set();
    if (seen.has(name)) throw new UsernameError(`the field ${given} is given twice`);
    seen.add(name);
    wishes ??= {};
    const value = flat[i + 1] as string;
    if (key !== 'tag') take(wishes, key, value, given);
    else for (const tag of value.split(',')) take(wishes, key, tag.trim(), given);
  }
  return wishes;
}
