import { check } from './check-options.ts';

// The three forms of RFC 9110, section 5.6.7; the last two are obsolete, and must be understood. The
// first two are told apart by their year alone.
/** Sun, 06 Nov 1994 08:49:37 GMT, or Sunday, 06-Nov-94 08:49:37 GMT */
const date =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:[a-z]*day)?, (\d\d)([ -])(\w{3})\2(\d\d|\d{4}) (\S{8}) GMT$/;
/** Sun Nov  6 08:49:37 1994 */
const asctime = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (\w{3}) ([ \d]\d) (\S{8}) (\d{4})$/;

/** Epoch ms of an HTTP-date; NaN when it is none. The name of the day is not compared. */
function parseHttpDate(text: string, now: number): number {
  let [, day = '', , month, digits, time] = date.exec(text) ?? [];
  if (!time) [, month, day = '', time, digits] = asctime.exec(text) ?? [];
  let year = Number(digits);
  if (year < 100) {
    const thisYear = new Date(now).getUTCFullYear();
    year += thisYear - (thisYear % 100);
    // Two digits that appear to be more than 50 years ahead are in the past.
    if (year > thisYear + 50) year -= 100;
  }
  const canonical = `${day.replace(' ', '0')} ${month} ${year} ${time} GMT`;
  const at = new Date(canonical);
  // Date takes 31 February for 3 March: only what exists reads the same when it is written again.
  return at.toUTCString().endsWith(canonical) ? at.getTime() : NaN;
}

/** Characters of a header that is looked at: no time needs so many. */
const longest = 1000;

/** Milliseconds that one value asks to wait; NaN when it is neither form. */
function parseOne(text: string, now: number): number {
  return /^\d+(?:\.\d+)?$/.test(text)
    ? Math.min(Math.round(Number(text) * 1000), Number.MAX_VALUE)
    : Math.max(0, parseHttpDate(text, now) - now);
}

/**
 * How many milliseconds a `Retry-After` header asks to wait.
 *
 * Source: RFC 9110, section 10.2.3: a whole number of seconds, or an HTTP-date in any of its three
 * forms. Beyond it, as servers send these: seconds may have a decimal fraction, and a header that comes
 * more than once asks for the longest of its times, as an array or joined by commas.
 *
 * | value                            | now                 |          ms |
 * | -------------------------------- | ------------------- | ----------: |
 * | `120`                            |                     |     120,000 |
 * | `0`                              |                     |           0 |
 * | `1.5`                            |                     |       1,500 |
 * | `120, 60`, `['120', '60']`       |                     |     120,000 |
 * | `Sun, 06 Nov 1994 08:49:37 GMT`  | 1994-11-06 08:49:00 |      37,000 |
 * | `Sunday, 06-Nov-94 08:49:37 GMT` | 1994-11-06 08:49:00 |      37,000 |
 * | `Sun Nov  6 08:49:37 1994`       | 1994-11-06 08:50:00 |           0 |
 * | `soon`, `120, soon`, `.5`, `1e3` |                     | `undefined` |
 * | `0x10`, 31 Feb                   |                     | `undefined` |
 * | more than 1,000 characters       |                     | `undefined` |
 *
 * @param value What the header holds: a string, or an array of strings for repeated ones. Anything else
 *   gives undefined, so that what `headers.get()` returns can be passed as it is.
 * @param now Epoch ms of the wall clock, `Date.now()`: the date is the server's.
 * @returns ms ≥ 0, never NaN, finite; undefined when one of the values is neither
 *   form. It is not bounded otherwise: a server may ask for a day.
 * @throws {TypeError | RangeError} When `now` is no finite number.
 */
export function parseRetryAfter(value: unknown, now: number): number | undefined {
  check('now', now, -Infinity);
  let longestMs = -1;
  for (const field of Array.isArray(value) ? (value as unknown[]) : [value]) {
    // The comma within a date follows the name of a day, one between values a digit or GMT.
    const isText = typeof field === 'string' && field.length <= longest;
    const texts = isText ? field.split(/(?<=[\dT]\s*),/) : [''];
    for (const text of texts) longestMs = Math.max(longestMs, parseOne(text.trim(), now));
  }
  return longestMs >= 0 ? longestMs : undefined;
}
