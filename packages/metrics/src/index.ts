export { RetryMetrics } from './retry-metrics.ts';
export type { HoursOptions, RetryMetricsOptions } from './retry-metrics.ts';
export { Histogram } from './latency/histogram.ts';
export { durationBoundsMs } from './latency/duration-counts.ts';
export type { Durations } from './latency/duration-counts.ts';
export type * from './readings.ts';
export type { TunnelTotals } from './tables/tunnel-counts.ts';
export type { TargetState } from './tables/target-states.ts';
