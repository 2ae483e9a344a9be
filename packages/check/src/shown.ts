/** Longer strings, and those with a character of addresses, may hold a password. */
const harmless = /^[^:@]{0,64}$/;

/**
 * A wrong value as messages show it. Of an object only that it is one; a string only when it cannot be an
 * address with a password, which is easily given in the wrong place.
 */
export function shown(value: unknown): string {
  if (typeof value === 'string') return harmless.test(value) ? JSON.stringify(value) : 'a string';
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** What may be an address with a password, given in the place of a path. */
const likeAddress = /:[^]*@/;

/** A path as messages show it: unlike other strings it may be long and hold a colon, as those of Windows do. */
export function shownPath(path: string): string {
  return likeAddress.test(path) ? pathLabel(path) : `"${path}"`;
}

/** The same without quotes, as the label before a colon and as a field of a log. */
export function pathLabel(path: string): string {
  return likeAddress.test(path) ? 'a path that looks like a URL' : path;
}
