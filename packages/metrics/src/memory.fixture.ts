// Run alone, with --expose-gc, by memory.test.ts: prints the bytes that metrics hold after a day.
import type { FailureReason } from '@whirl/events';
import {
  attemptEnd,
  circuitTransition,
  midnight,
  requestEnd,
  retryScheduled,
} from './facts.fixture.ts';
import { hourMs } from './tables/hour-ring.ts';
import { RetryMetrics } from './retry-metrics.ts';

const proxies = 10_000;
const collect = (globalThis as { gc?: () => void }).gc;
if (collect === undefined) throw new Error('needs --expose-gc');

function usedBytes(): number {
  for (let i = 0; i < 4; i++) collect?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** A day of `perHour` attempts an hour, the worst that memory can meet. */
function day(perHour: number): RetryMetrics {
  let at = midnight;
  let requests = 0;
  const metrics = new RetryMetrics({ now: () => at });
  const reasons: FailureReason[] = ['tcp', 'status', 'reset'];
  for (let hour = 0; hour < 24; hour++) {
    for (let i = 0; i < perHour; i++) {
      at = midnight + hour * hourMs + (i * hourMs) / perHour;
      // New strings each time: nothing else keeps them. A fifth more proxies than have rows.
      const requestId = `request-${++requests}-of-this-day`;
      const proxyId = `user${i % 7}@proxy-${requests % (proxies * 1.2)}.example.net:8080`;
      const origin = `https://${'a'.repeat(200)}.${requests}.example.org`;
      const outcome = i % 3 === 0 ? 'failure' : 'success';
      metrics.record(
        'attempt:end',
        attemptEnd({
          requestId,
          proxyId,
          origin,
          outcome,
          errorCode: `CODE_${requests}`,
          latencyMs: 1 + ((requests * 7919) % 90_000),
          at,
        }),
      );
      // Retries that never begin and requests that never end.
      const reason = reasons[i % 3]!;
      metrics.record('retry:scheduled', retryScheduled({ requestId, reason, at }));
      metrics.record('circuit:transition', circuitTransition({ name: proxyId, at }));
      if (i % 2 === 0) {
        const policyName = `policy ${requests}`;
        metrics.record('request:end', requestEnd({ requestId: `x${requestId}`, policyName, at }));
      }
    }
  }
  return metrics;
}

day(100).getSummary();
const before = usedBytes();
const metrics = day(Number(process.argv[2]));
const bytes = usedBytes() - before;
process.stdout.write(JSON.stringify({ bytes, sizes: metrics.sizes() }));
