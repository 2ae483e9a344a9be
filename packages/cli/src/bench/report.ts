import { tableLines } from '../terminal/table.ts';
import { count, duration, listed, paint, type Output } from '../terminal/terminal.ts';
import type { Measurements } from './measurements.ts';

const shares = [0.5, 0.9, 0.95, 0.99, 1] as const;
const barCells = 40;
const right = new Set(['attempts', 'succeeded', 'success %', 'mean ms']);

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((1000 * part) / whole) / 10;
}

function ms(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value * 10) / 10;
}

/** What was measured, for programs. Times in milliseconds. */
export function toJson(measured: Measurements, elapsedMs: number): string {
  const { requests, successes, failures, attempts, bytes, proxies } = measured;
  const [p50, p90, p95, p99, max] = measured.quantiles(shares).map(ms);
  const report = {
    requests,
    succeeded: successes,
    failures: Object.fromEntries(failures),
    elapsed_ms: ms(elapsedMs),
    requests_per_second: ms((requests * 1000) / elapsedMs),
    attempts,
    attempts_per_request: requests === 0 ? null : Math.round((1000 * attempts) / requests) / 1000,
    body_bytes: bytes,
    latency_ms: { p50, p90, p95, p99, max },
    histogram: measured.histogram().map(({ belowMs, count: number }) => ({
      below_ms: belowMs === Infinity ? null : belowMs,
      count: number,
    })),
    proxies: [...proxies].map(([proxy, { attempts: tried, succeeded, latencyMs, reasons }]) => ({
      proxy,
      attempts: tried,
      succeeded,
      mean_latency_ms: succeeded === 0 ? null : ms(latencyMs / succeeded),
      failures: Object.fromEntries(reasons),
    })),
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

/** The same for people. */
export function toText(measured: Measurements, elapsedMs: number, stream: Output): string {
  const { requests, successes, failures, attempts, bytes } = measured;
  const title = (text: string) => paint(stream, 'bold', text.padEnd(12));
  const rate = ((requests * 1000) / elapsedMs).toFixed(1);
  const lines = [
    `${title('requests')}${count(requests)} in ${duration(elapsedMs)}, ${rate}/s`,
    `${title('succeeded')}${count(successes)} (${percent(successes, requests)} %)`,
  ];
  if (failures.size > 0) lines.push(`${title('failed')}${listed(failures)}`);
  // Stopped before the first request ended, there are attempts and no ratio.
  const each = requests === 0 ? '' : `, ${(attempts / requests).toFixed(2)} per request`;
  lines.push(`${title('attempts')}${count(attempts)}${each}`);
  lines.push(`${title('bodies')}${count(bytes)} bytes`);
  if (successes > 0) lines.push(...latencyLines(measured, title('latency')));
  lines.push('', ...proxyLines(measured, stream));
  return `${lines.join('\n').trimEnd()}\n`;
}

function latencyLines(measured: Measurements, title: string): string[] {
  const [p50, p90, p95, p99, max] = measured
    .quantiles(shares)
    .map((value) => Math.round(value ?? 0));
  const buckets = measured.histogram();
  const most = Math.max(...buckets.map(({ count: number }) => number));
  return [
    `${title}p50 ${p50} ms, p90 ${p90} ms, p95 ${p95} ms, p99 ${p99} ms, max ${max} ms`,
    '',
    ...buckets.map(({ belowMs, count: number }) => {
      const label = belowMs === Infinity ? '50 s and more' : `below ${bound(belowMs)}`;
      const bar = '█'.repeat(Math.ceil((number / most) * barCells));
      return `${label.padStart(14)}  ${bar} ${count(number)}`;
    }),
  ];
}

function bound(belowMs: number): string {
  return belowMs < 1000 ? `${belowMs} ms` : `${belowMs / 1000} s`;
}

/** The proxies with the most attempts first. */
function proxyLines({ proxies }: Measurements, stream: Output): string[] {
  const rows = [...proxies]
    .toSorted(([, a], [, b]) => b.attempts - a.attempts)
    .map(([proxy, { attempts, succeeded, latencyMs, reasons }]) => ({
      proxy,
      attempts,
      succeeded,
      'success %': percent(succeeded, attempts),
      'mean ms': succeeded === 0 ? null : Math.round(latencyMs / succeeded),
      failures: reasons.size === 0 ? null : listed(reasons),
    }));
  return tableLines(rows, right).map((line, i) => (i === 0 ? paint(stream, 'bold', line) : line));
}
