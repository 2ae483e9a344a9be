import { InvalidArgumentError } from 'commander';

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `10s`, `500ms`, `2m`; a number alone is seconds. Milliseconds, more than 0 and at most a day. */
export function parseDuration(text: string): number {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const ms = Number(number) * (units[unit] as number);
  if (ms > 0 && ms <= 86_400_000) return ms;
  throw new InvalidArgumentError('It must be a time such as 500ms, 10s or 2m, at most 24h.');
}

/** A parser of whole numbers. */
export function parseInteger(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be an integer from ${least} to ${most}.`);
  };
}

/** An absolute http or https URL without credentials. */
export function parseUrl(text: string): URL {
  if (!/^https?:\/\//i.test(text)) {
    throw new InvalidArgumentError('It must begin with http:// or https://.');
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.port === '0') {
    throw new InvalidArgumentError('It must be a URL with a valid host and port.');
  }
  if (url.username !== '' || url.password !== '') {
    throw new InvalidArgumentError('It must not hold credentials.');
  }
  return url;
}

export interface HostPort {
  /** IPv6 in brackets. */
  readonly host: string;
  readonly port: number;
}

/** `example.com:443`, `[2001:db8::1]:443`. */
export function parseHostPort(text: string): HostPort {
  const [, host = '', digits] = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+):(\d{1,5})$/i.exec(text) ?? [];
  const port = Number(digits);
  if (port >= 1 && port <= 65_535 && URL.canParse(`http://${text}`)) return { host, port };
  throw new InvalidArgumentError('It must be host:port, such as example.com:443.');
}

/** Where to listen: `127.0.0.1:8001`, `[::1]:0`; undefined for `off`. A port of 0 picks a free one. */
export function parseListen(text: string): HostPort | 'off' {
  if (text === 'off') return text;
  const [, host = '', digits] = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+):(\d{1,5})$/i.exec(text) ?? [];
  const port = Number(digits);
  if (port <= 65_535 && URL.canParse(`http://${text}`)) return { host, port };
  throw new InvalidArgumentError('It must be host:port, such as 127.0.0.1:8001, or off.');
}

/** Which statuses are wanted. */
export type StatusTest = (status: number) => boolean;

/** `200`, `2xx`, `200-399`, and lists of these. */
export function parseStatuses(text: string): StatusTest {
  const ranges = text.split(',').map((part): readonly [number, number] => {
    const [, one, to, hundreds] = /^([1-5]\d\d)(?:-([1-5]\d\d))?$|^([1-5])xx$/i.exec(part) ?? [];
    if (hundreds !== undefined) return [Number(hundreds) * 100, Number(hundreds) * 100 + 99];
    if (one !== undefined) return [Number(one), Number(to ?? one)];
    throw new InvalidArgumentError('It must be a status such as 200, 2xx or 200-399, or a list.');
  });
  return (status) => ranges.some(([from, to]) => status >= from && status <= to);
}

/** Collects the values of an option that may be repeated. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
