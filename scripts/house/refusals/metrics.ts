import { createBus } from '@whirl/events';
import { RetryMetrics, type HoursOptions, type RetryMetricsOptions } from '@whirl/metrics';
import { observeRetryMetrics, type OpenTelemetryOptions } from '@whirl/metrics/opentelemetry';
import { registerRetryMetrics, type PromClientOptions } from '@whirl/metrics/prom-client';
import {
  renderPrometheus,
  type PrometheusOptions,
  type PrometheusSource,
} from '@whirl/metrics/prometheus';
import { flag, func, number, refusing, withMethods, words, count, labels, at } from './refusing.ts';

const metrics = new RetryMetrics();
const bus = createBus();

const series = { maxProxySeries: number(-1, 1e7), maxTargetSeries: number(-1, 1001) };
const source = {
  labels,
  circuits: { types: [5, null] },
  inFlight: number(-1, 0.5),
  proxies: number(-1, 0.5),
};

/** What the options of the package refuse. */
export const metricsCases = [
  refusing<RetryMetricsOptions>(
    at('RetryMetricsOptions', '', (options) => new RetryMetrics(options)),
    {
      bus: withMethods,
      retentionHours: number(0, 1.5, 169),
      maxProxies: number(0, 1_000_001),
      now: func,
    },
  ),
  refusing<HoursOptions>(
    at('HoursOptions', '', (options) => metrics.getByProxy(options)),
    { hours: count },
  ),
  refusing<{ limit: number }>(
    at('recentAttempts()', '', (options) => metrics.recentAttempts(options)),
    { limit: number(0, 10_001) },
  ),
  refusing<PrometheusOptions>(
    at('PrometheusOptions', '', (options) => renderPrometheus(metrics, options)),
    { ...series, ...source, format: words() },
  ),
  refusing<PrometheusSource>(
    {
      ...at('PrometheusSource', 'sources[0]', (options) => renderPrometheus([options])),
      besides: { metrics },
    },
    { ...source, metrics: withMethods },
  ),
  refusing<PromClientOptions>(
    {
      ...at('PromClientOptions', '', (options) => registerRetryMetrics(metrics, options)),
      besides: {
        registry: {
          registerMetric() {},
          removeSingleMetric() {},
          getSingleMetric() {},
        },
      },
    },
    { ...series, labels, registry: withMethods },
  ),
  refusing<OpenTelemetryOptions>(
    {
      ...at('OpenTelemetryOptions', '', (options) => observeRetryMetrics(metrics, options)),
      besides: { bus },
    },
    { ...series, bus: withMethods, meter: withMethods, attributes: labels, serverAddress: flag },
  ),
];
