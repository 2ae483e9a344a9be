export { CircuitBreaker } from './circuit-breaker.ts';
export type {
  AdoptOptions,
  CircuitSnapshot,
  CircuitStats,
  ResetOptions,
  TripOptions,
} from './shapes.ts';
export { allOf, anyOf } from './combine.ts';
export { consecutiveFailures } from './consecutive-failures.ts';
export { CircuitOpenError, TimeoutError } from './errors.ts';
export type { BoundedCall, Call, ExecuteOptions } from './execute.ts';
export { failureCount, type FailureCountOptions } from './failure-count.ts';
export { failureRate, type FailureRateOptions } from './failure-rate.ts';
export {
  CircuitBreakerGroup,
  type CircuitBreakerGroupOptions,
  type GroupedBreakerOptions,
} from './circuit-breaker-group.ts';
export type { CircuitBreakerOptions } from './options.ts';
export { slowCallRate, type SlowCallRateOptions } from './slow-call-rate.ts';
export type { TripRule, TripWindow } from './trip-rule.ts';
