export { RetryMetrics } from './retry-metrics.ts';
export type { HoursOptions, RetryMetricsOptions } from './retry-metrics.ts';
export { Histogram } from './histogram.ts';
export { durationBoundsMs } from './duration-counts.ts';
export type { Durations } from './duration-counts.ts';
export type * from './readings.ts';
export type { TargetState } from './target-states.ts';
