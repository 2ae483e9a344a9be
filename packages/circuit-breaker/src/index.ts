export { CircuitBreaker } from './circuit-breaker.ts';
export type {
  CircuitBreakerOptions,
  CircuitSnapshot,
  ExecuteOptions,
  TripOptions,
} from './circuit-breaker.ts';
export { allOf, anyOf } from './combine.ts';
export { consecutiveFailures } from './consecutive-failures.ts';
export { CircuitOpenError } from './errors.ts';
export { failureCount, type FailureCountOptions } from './failure-count.ts';
export { failureRate, type FailureRateOptions } from './failure-rate.ts';
export { CircuitBreakerGroup, type CircuitBreakerGroupOptions } from './group.ts';
export { slowCallRate, type SlowCallRateOptions } from './slow-calls.ts';
export type { TripRule, TripWindow } from './trip-rule.ts';
