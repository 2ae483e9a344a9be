import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';

/** Labels of letters, digits, `-` and `_`; the last dot of an absolute name stays. */
const name = /^(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?$/;
/** Its last label is a number, so that resolvers and URL parsers take it for an IPv4 address. */
const numeric = /(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/;
// oxlint-disable-next-line no-control-regex -- the range of ASCII begins with a control character
const ascii = /^[\u0000-\u007f]*$/;
const invisible = /\p{Cf}/u;
const maxLength = 253;

/**
 * One of the four numbers of an IPv4 address. A leading zero is accepted only where the octal and the
 * decimal reading agree: programs differ in which they take.
 */
function ipv4Number(part: string): number | undefined {
  if (!/^\d{1,12}$/.test(part)) return undefined;
  const decimal = Number(part);
  if (decimal > 255) return undefined;
  if (part.length > 1 && part.startsWith('0') && Number.parseInt(part, 8) !== decimal) {
    return undefined;
  }
  return decimal;
}

function ipv4(text: string): string | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const numbers = parts.map(ipv4Number);
  return numbers.includes(undefined) ? undefined : numbers.join('.');
}

/**
 * A host as URLs write it: in lower case, names in ASCII, IPv6 in brackets and its shortest form.
 * Undefined for whatever is neither a name nor an address of one reading.
 */
export function normalHost(given: string): string | undefined {
  if (given.length > maxLength) return undefined;
  // Without leading zeros; most hosts of most lists.
  if (isIPv4(given)) return given;
  const text = given.toLowerCase();
  if (text.startsWith('[')) {
    const inner = text.slice(1, -1);
    if (!text.endsWith(']') || inner.includes('%') || !isIPv6(inner)) return undefined;
    return new URL(`http://${text}/`).hostname;
  }
  if (!ascii.test(text)) {
    // Other digits and dots become ASCII ones: an address that is written with them has two readings.
    if (invisible.test(text)) return undefined;
    const converted = domainToASCII(text);
    return name.test(converted) && !numeric.test(converted) && converted.length <= maxLength
      ? converted
      : undefined;
  }
  if (!name.test(text)) return undefined;
  if (numeric.test(text)) return ipv4(text);
  return text.includes('xn--') && domainToASCII(text) === '' ? undefined : text;
}

/** The first invisible character of a text, such as `U+200B`. */
export function hiddenIn(text: string): string | undefined {
  const hidden = invisible.exec(text)?.[0].codePointAt(0);
  return hidden === undefined
    ? undefined
    : `U+${hidden.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Why `normalHost` refused a host. */
export function whyNoHost(given: string): string {
  if (given.length > maxLength) return `its host is longer than ${maxLength} characters`;
  const hidden = hiddenIn(given);
  if (hidden !== undefined) return `its host holds an invisible character, ${hidden}`;
  if (numeric.test(given.toLowerCase())) {
    return 'its host is no IPv4 address of one reading: write it as four numbers without leading zeros, each 0 to 255';
  }
  return 'its host is neither a name nor an address';
}

/**
 * How sure it is that a text is a host: 2 for an address, 1 for a name with a dot and for `localhost`, 0
 * for a single word, which may as well be a user.
 */
export function hostLikeness(text: string): 0 | 1 | 2 {
  if (text.length > maxLength) return 0;
  if (text.startsWith('[') || isIPv4(text)) return 2;
  const host = text.toLowerCase();
  if (numeric.test(host) && ipv4(host) !== undefined) return 2;
  return host === 'localhost' || (host.includes('.') && normalHost(host) !== undefined) ? 1 : 0;
}
