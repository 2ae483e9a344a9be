import { createBus, type AttemptEnd, type WhirlEvents } from '@whirl/events';
import { RetryMetrics } from '@whirl/metrics';
import { renderPrometheus } from '@whirl/metrics/prometheus';
import { Histogram, Registry } from 'prom-client';
import { compareNs, median } from '../measure.ts';
import { printTable } from '../table.ts';

const proxies = 10_000;
const hourMs = 3_600_000;
const start = 1_700_006_400_000;
const scrape = 'scrape, 200 proxies shown';
const isScrape = (name: string) => name.startsWith('scrape');

/** What recording costs beside prom-client, and what 10,000 proxies and a day take and cost. */
export async function run(): Promise<void> {
  const ratios = [await recording(100), await recording(proxies)];
  const overBus = [await hearing(100), await hearing(proxies)];
  const { megabytes, readsMs } = aDay();
  const times = Object.entries(readsMs);
  const slowest = Math.max(...times.filter(([name]) => !isScrape(name)).map(([, ms]) => ms));
  console.log(
    `\nOne attempt costs ${ratios.map((ratio) => ratio.toFixed(2)).join(' and ')} of one prom-client ` +
      `observation with two labels, heard on the bus ` +
      `${overBus.map((ratio) => ratio.toFixed(2)).join(' and ')} of one with one label ` +
      `(bars: < 1); ${proxies} proxies over 24 hours hold ${megabytes.toFixed(1)} MB ` +
      `(bar: 15); the slowest read takes ${slowest.toFixed(0)} ms (bar: 100), a scrape ` +
      `${readsMs[scrape]?.toFixed(0)} ms (bar: 200).`,
  );
}

/** One attempt into everything that metrics keep, against one histogram observation with labels. */
async function recording(count: number): Promise<number> {
  const attempts = Array.from({ length: count }, (_, i) => attempt(i, start));
  const metrics = new RetryMetrics({ now: () => start });
  const histogram = new Histogram({
    name: 'attempt_duration_seconds',
    help: 'Attempts.',
    labelNames: ['proxy', 'outcome'],
    registers: [new Registry()],
  });
  let next = 0;
  const ns = await compareNs({
    whirl(times) {
      for (let i = 0; i < times; i++) {
        metrics.record('attempt:end', attempts[next++ % count] as AttemptEnd);
      }
    },
    promClient(times) {
      for (let i = 0; i < times; i++) {
        const { proxyId, outcome, latencyMs } = attempts[next++ % count] as AttemptEnd;
        histogram.observe({ proxy: proxyId, outcome }, latencyMs / 1000);
      }
    },
  });
  const ratio = ns.whirl / ns.promClient;
  printTable(`one attempt, ${count} proxies`, [
    { what: '@whirl/metrics, attempt:end', ns: ns.whirl, ratio },
    { what: 'prom-client, histogram.observe()', ns: ns.promClient, ratio: 1 },
  ]);
  return ratio;
}

/** One attempt from the bus into the metrics, against one histogram observation with one label. */
async function hearing(count: number): Promise<number> {
  const attempts = Array.from({ length: count }, (_, i) => attempt(i, start));
  const bus = createBus<WhirlEvents>();
  void new RetryMetrics({ now: () => start, bus });
  const histogram = new Histogram({
    name: 'attempt_duration_seconds',
    help: 'Attempts.',
    labelNames: ['proxy'],
    registers: [new Registry()],
  });
  let next = 0;
  const ns = await compareNs({
    whirl(times) {
      for (let i = 0; i < times; i++) bus.emit('attempt:end', attempts[next++ % count]!);
    },
    promClient(times) {
      for (let i = 0; i < times; i++) {
        const { proxyId, latencyMs } = attempts[next++ % count]!;
        histogram.observe({ proxy: proxyId }, latencyMs / 1000);
      }
    },
  });
  const ratio = ns.whirl / ns.promClient;
  printTable(`one attempt over the bus, ${count} proxies`, [
    { what: '@whirl/metrics on a bus, emit()', ns: ns.whirl, ratio },
    { what: 'prom-client, one label, histogram.observe()', ns: ns.promClient, ratio: 1 },
  ]);
  return ratio;
}

function aDay(): { megabytes: number; readsMs: Record<string, number> } {
  const before = usedBytes();
  let now = start;
  const metrics = new RetryMetrics({ now: () => now });
  for (let i = 0; i < 24 * proxies * 3; i++) {
    now = start + (i / (3 * proxies)) * hourMs;
    metrics.record('attempt:end', attempt(i, now));
  }
  const megabytes = (usedBytes() - before) / 1e6;
  const reads = {
    'getSummary()': () => metrics.getSummary(),
    'getTimeseries()': () => metrics.getTimeseries(),
    'getByProxy()': () => metrics.getByProxy(),
    'getByPolicy()': () => metrics.getByPolicy(),
    'recentAttempts({ limit: 10,000 })': () => metrics.recentAttempts({ limit: 10_000 }),
    [scrape]: () => renderPrometheus(metrics),
    'scrape, all shown': () => renderPrometheus(metrics, { maxProxySeries: proxies }),
  };
  const readsMs = Object.fromEntries(
    Object.entries(reads).map(([name, read]) => [
      name,
      median(Array.from({ length: 7 }, () => timeMs(read))),
    ]),
  );
  printTable(
    `${proxies} proxies, 24 hours`,
    Object.entries(readsMs).map(([what, ms]) => ({
      what,
      ms,
      bar: isScrape(what) ? 200 : 100,
    })),
  );
  printTable('memory', [{ what: 'heap and array buffers', MB: megabytes, bar: 15 }]);
  return { megabytes, readsMs };
}

function attempt(i: number, at: number): AttemptEnd {
  const failed = i % 10 === 0;
  return {
    requestId: `r${i}`,
    attempt: 0,
    proxyId: `user@10.0.${Math.floor((i % proxies) / 256)}.${(i % proxies) % 256}:8080`,
    origin: `https://shop${i % 50}.example.com`,
    outcome: failed ? 'failure' : 'success',
    blame: failed ? 'proxy' : 'none',
    phase: failed ? 'tcp' : 'body',
    ...(failed ? { reason: 'tcp' as const } : {}),
    latencyMs: 20 + ((i * 7919) % 3000),
    delayBeforeMs: 0,
    hedge: false,
    at,
  };
}

function timeMs(read: () => unknown): number {
  const begin = process.hrtime.bigint();
  read();
  return Number(process.hrtime.bigint() - begin) / 1e6;
}

/** Exact only under `--expose-gc`, with which `npm run bench` starts. */
function usedBytes(): number {
  for (let i = 0; i < 4; i++) (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
