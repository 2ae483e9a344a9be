// Retry metrics: what a hundred requests through an unreliable pool came to.
import { ProxyRotator } from '@whirl/rotator';
import { onStage, say } from './stage.ts';

await onStage(
  [
    { kind: 'ok' },
    { kind: 'ok', latencyMs: 20 },
    { kind: 'mix', parts: [{ ratio: 0.5, behaviour: { kind: 'reset' } }] },
    { kind: 'status', statusCode: 502 },
  ],
  async ({ target, urls }) => {
    const rotator = new ProxyRotator({ proxies: urls, retryPolicy: { failoverDelay: 'none' } });
    for (let i = 0; i < 100; i++) await (await rotator.get(target.url)).body.dump();

    const metrics = rotator.getRetryMetrics();
    const summary = metrics.getSummary();
    say(`requests: ${summary.totalRequests}`);
    say(`attempts: ${summary.totalAttempts}, of which retries: ${summary.totalRetries}`);
    for (const [attempt, count] of Object.entries(summary.successByAttempt)) {
      say(`  succeeded at attempt ${attempt}: ${count}`);
    }
    for (const point of metrics.getTimeseries({ hours: 24 })) {
      const rate = ((point.successRate ?? 0) * 100).toFixed(1);
      say(`hour ${point.timestamp}: ${point.totalRequests} requests, ${rate} % succeeded`);
    }
    for (const [id, proxy] of Object.entries(metrics.getByProxy({ hours: 24 }))) {
      const { totalAttempts, successCount, failureCount, circuitBreakerOpens } = proxy;
      say(`${id}: ${totalAttempts} attempts, ${successCount} succeeded, ${failureCount} failed,`);
      say(`  its circuit opened ${circuitBreakerOpens} times`);
    }
    await rotator.close();
  },
);
