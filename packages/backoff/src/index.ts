export { exponential, fixed, linear, sequence } from './delays.ts';
export type { Backoff, ExponentialOptions, FixedOptions, LinearOptions } from './delays.ts';
export type { Jitter } from './jitter.ts';
export { parseRetryAfter } from './parse-retry-after.ts';
export { createRetryBudget } from './retry-budget.ts';
export type { RetryBudget, RetryBudgetOptions } from './retry-budget.ts';
export { AttemptTimeoutError, retry, RetryTimeoutError } from './retry.ts';
export type { RetryOptions, TaskContext } from './retry.ts';
