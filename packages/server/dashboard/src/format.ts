/** What stands where there is no figure yet. */
export const none = '–';

const counts = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** 12345 → "12,345". */
export function formatCount(count: number | null | undefined): string {
  return count === null || count === undefined ? none : counts.format(count);
}

/** 12345 → "12.3K": for axes and chips. */
export function formatShort(count: number): string {
  return short.format(count);
}

/**
 * A ratio as a percentage with one decimal. Rounds toward the middle at both ends, so that only a
 * flawless record reads "100 %" and only a hopeless one "0 %".
 */
export function formatPercent(ratio: number | null | undefined): string {
  if (ratio === null || ratio === undefined) return none;
  if (ratio >= 1) return '100 %';
  if (ratio <= 0) return '0 %';
  const percent = Math.min(99.9, Math.max(0.1, ratio * 100));
  return `${percent.toFixed(1)} %`;
}

/** A latency in seconds: "8 ms", "212 ms", "1.24 s", "12.4 s". */
export function formatLatency(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return none;
  const ms = seconds * 1000;
  if (ms < 9.95) return `${trim(ms.toFixed(1))} ms`;
  if (ms < 999.5) return `${ms.toFixed(0)} ms`;
  return `${seconds < 9.995 ? seconds.toFixed(2) : seconds.toFixed(1)} s`;
}

/** 12345 → "12.3 kB". */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const power = Math.min(4, Math.floor(Math.log10(bytes) / 3));
  return `${trim((bytes / 1000 ** power).toFixed(1))} ${' kMGT'[power]}B`;
}

/** A wait or an age in milliseconds: "0 s", "42 s", "3 m 05 s", "2 h 10 m", "3 d 4 h". */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${String(seconds % 60).padStart(2, '0')} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, '0')} m`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Local time of day: "14:03:20". */
export function formatTime(at: number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

/** 0 → "1st attempt": attempts are 0-based on the wire and 1-based for people. */
export function formatAttempt(attempt: number): string {
  const n = attempt + 1;
  const suffix = n % 100 >= 11 && n % 100 <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th');
  return `${n}${suffix} attempt`;
}

/** "one proxy", "4 proxies". */
export function formatNumber(count: number, one: string, many: string): string {
  return count === 1 ? `one ${one}` : `${formatCount(count)} ${many}`;
}

/** A word of the wire for people: "tls_proxy" → "tls proxy". */
export function formatWord(word: string): string {
  return word.replaceAll('_', ' ');
}

function trim(text: string): string {
  return text.replace(/\.0$/, '');
}
