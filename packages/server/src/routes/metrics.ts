import type { ProxyTotals } from '@whirl/metrics';
import { z } from 'zod';
import { failures } from '../http/errors.ts';
import { listEnd, listQuery } from '../listing/list-query.ts';
import { listRows, recordOf, sendText } from '../listing/list-rows.ts';
import { seconds } from '../wire/time-wire.ts';
import type { Routes } from './route-context.ts';
import { MinuteSeries } from '../minute-series.ts';
import { hoursSchema, minutesSchema } from './hours.ts';

const tags = ['Metrics'];
const count = z.int().min(0);
const rate = z.number().min(0).max(1).nullable();
const latency = z.number().min(0).nullable().meta({ description: 'Seconds; null without any.' });
const counts = z.record(z.string(), count);
const quantiles = { p50: latency, p95: latency, p99: latency };

const summarySchema = z
  .strictObject({
    total_requests: count,
    refused_requests: count,
    total_attempts: count,
    total_retries: count,
    success_by_attempt: counts.meta({ description: 'By the attempt that succeeded, from "0".' }),
    retries_refused: counts,
    failure_by_reason: counts,
    circuit_breaker_events_count: count,
    retention_hours: count,
  })
  .meta({ id: 'RetryMetrics' });
const timeseriesSchema = z
  .strictObject({
    data_points: z.array(
      z.strictObject({
        timestamp: z.iso.datetime().meta({ description: 'The start of the hour or the minute.' }),
        total_requests: count,
        total_retries: count,
        success_rate: rate,
        avg_latency: latency,
        ...quantiles,
      }),
    ),
  })
  .meta({ id: 'RetryTimeseries' });
const timeseriesQuery = z.strictObject({ ...hoursSchema.shape, minutes: minutesSchema });
const proxyFigures = {
  total_attempts: count,
  success_count: count,
  failure_count: count,
  avg_latency: latency,
  ...quantiles,
  circuit_breaker_opens: count,
};
type ProxyField = 'proxy_id' | keyof typeof proxyFigures;
const proxyFields = ['proxy_id', ...Object.keys(proxyFigures)] as [ProxyField, ...ProxyField[]];
const byProxyQuery = z.strictObject({
  ...hoursSchema.shape,
  ...listQuery(proxyFields, proxyFields),
});
const byProxySchema = z
  .strictObject({
    proxies: z.record(
      z.string(),
      z
        .strictObject({ proxy_id: z.string(), ...proxyFigures })
        .partial()
        .meta({ id: 'ProxyMetricsRow', description: 'With the fields that were asked for.' }),
    ),
    ...listEnd,
  })
  .meta({ id: 'RetryMetricsByProxy' });
const byPolicySchema = z
  .strictObject({
    policies: z.record(z.string(), z.strictObject({ total_requests: count, success_rate: rate })),
  })
  .meta({ id: 'RetryMetricsByPolicy' });

const json = (description: string, schema: z.ZodType) => ({
  200: { description, content: { 'application/json': { schema } } },
});

/** An object without a prototype: an id such as `__proto__` is a key like any other. */
function byName<Value>(entries: Iterable<readonly [string, Value]>): Record<string, Value> {
  const object = Object.create(null) as Record<string, Value>;
  for (const [name, value] of entries) object[name] = value;
  return object;
}

function proxyTotalsToWire(id: string, totals: ProxyTotals) {
  return {
    proxy_id: id,
    total_attempts: totals.totalAttempts,
    success_count: totals.successCount,
    failure_count: totals.failureCount,
    avg_latency: seconds(totals.avgLatencyMs),
    p50: seconds(totals.p50Ms),
    p95: seconds(totals.p95Ms),
    p99: seconds(totals.p99Ms),
    circuit_breaker_opens: totals.circuitBreakerOpens,
  };
}

/** What retries and failover did, in figures. */
export const metricsRoutes: Routes = (app, { rotator, now }) => {
  const metrics = rotator.getRetryMetrics();
  const minuteSeries = new MinuteSeries(rotator.bus, now);
  app.addHook('onClose', async () => minuteSeries.close());

  app.get(
    '/metrics/retries',
    {
      schema: {
        operationId: 'getRetryMetrics',
        summary: 'Totals over the retained hours',
        tags,
        response: json('The totals.', summarySchema),
      },
    },
    () => {
      const summary = metrics.getSummary();
      return {
        total_requests: summary.totalRequests,
        refused_requests: summary.refusedRequests,
        total_attempts: summary.totalAttempts,
        total_retries: summary.totalRetries,
        success_by_attempt: { ...summary.successByAttempt },
        retries_refused: { ...summary.retriesRefused },
        failure_by_reason: { ...summary.failureByReason },
        circuit_breaker_events_count: summary.circuitBreakerEventsCount,
        retention_hours: summary.retentionHours,
      };
    },
  );
  app.get(
    '/metrics/retries/timeseries',
    {
      schema: {
        operationId: 'getRetryTimeseries',
        summary: 'One point per started hour, or per started minute, ascending',
        tags,
        querystring: timeseriesQuery,
        response: { ...json('The points.', timeseriesSchema), ...failures(400) },
      },
    },
    ({ query: { hours, minutes } }) => ({
      data_points: (minutes === undefined
        ? metrics.getTimeseries({ hours })
        : minuteSeries.points(minutes)
      ).map((point) => ({
        timestamp: point.timestamp,
        total_requests: point.totalRequests,
        total_retries: point.totalRetries,
        success_rate: point.successRate,
        avg_latency: seconds(point.avgLatencyMs),
        p50: seconds(point.p50Ms),
        p95: seconds(point.p95Ms),
        p99: seconds(point.p99Ms),
      })),
    }),
  );
  app.get(
    '/metrics/retries/by-proxy',
    {
      schema: {
        operationId: 'getRetryMetricsByProxy',
        summary: 'Attempts and latencies of each proxy',
        tags,
        querystring: byProxyQuery,
        response: {
          ...json('By proxy id; only proxies that did something in these hours.', byProxySchema),
          ...failures(400),
        },
      },
    },
    async ({ query }, reply) => {
      const { hours } = query;
      const read = (id: string) => {
        const totals = metrics.getProxy(id, { hours });
        return totals && proxyTotalsToWire(id, totals);
      };
      const rows = await listRows(rotator, query, {
        ids: () => metrics.proxyIds(),
        valueOf: (id, key) => {
          const row = read(id);
          return row && (key === 'proxy_id' ? null : row[key]);
        },
        read,
      });
      return sendText(reply, recordOf('proxies', rows));
    },
  );
  app.get(
    '/metrics/retries/by-policy',
    {
      schema: {
        operationId: 'getRetryMetricsByPolicy',
        summary: 'Success by the name of the retry policy',
        tags,
        querystring: hoursSchema,
        response: { ...json('By policy name.', byPolicySchema), ...failures(400) },
      },
    },
    ({ query: { hours } }) => ({
      policies: byName(
        Object.entries(metrics.getByPolicy({ hours })).map(([name, each]) => [
          name,
          { total_requests: each.totalRequests, success_rate: each.successRate },
        ]),
      ),
    }),
  );
};
