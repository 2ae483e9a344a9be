const months = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const imf = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/;
const rfc850 =
  /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\d\d)-(\w{3})-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/;
const asctime = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (\w{3}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/;

function httpDate(text: string, now: number): number | undefined {
  let parts = imf.exec(text) ?? rfc850.exec(text);
  let [, day, month, year, hour, minute, second] = parts ?? [];
  if (parts === null) {
    parts = asctime.exec(text);
    if (parts === null) return undefined;
    [, month, day, hour, minute, second, year] = parts;
  }
  const index = months.indexOf(month as string);
  if (index % 3 !== 0) return undefined;
  let fullYear = Number(year);
  if (year?.length === 2) {
    // RFC 9110 5.6.7: a two-digit year more than 50 years ahead is in the past.
    const thisYear = new Date(now).getUTCFullYear();
    fullYear += thisYear - (thisYear % 100);
    if (fullYear > thisYear + 50) fullYear -= 100;
  }
  const [d, h, m, s] = [day, hour, minute, second].map(Number) as [number, number, number, number];
  const at = Date.UTC(fullYear, index / 3, d, h, m, s);
  if (h > 23 || m > 59 || s > 60 || new Date(at - (s === 60 ? 1000 : 0)).getUTCDate() !== d) {
    return undefined;
  }
  return at;
}

/**
 * Milliseconds that a `Retry-After` asks to wait (RFC 9110, 10.2.3): a number of seconds, or an
 * HTTP-date in any of its three forms. A date in the past is 0; anything else is undefined.
 */
export function parseRetryAfter(value: unknown, now: number): number | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  if (/^\d+$/.test(text)) {
    const ms = Number(text) * 1000;
    return Number.isFinite(ms) ? ms : undefined;
  }
  const at = httpDate(text, now);
  return at === undefined ? undefined : Math.max(0, at - now);
}
