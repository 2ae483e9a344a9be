export { RetryMetrics } from './retry-metrics.ts';
export type { Point, ProxyTotals, RetryMetricsOptions, Summary } from './retry-metrics.ts';
