import {
  createRetryBudget,
  exponential,
  fixed,
  linear,
  retry,
  type ExponentialOptions,
  type FixedOptions,
  type LinearOptions,
  type RetryBudgetOptions,
  type RetryOptions,
} from '@whirl/backoff';
import { func, number, object, refusing, least0, least1, at } from './refusing.ts';

const jitter = { jitter: { types: [5, null, {}, 'zzz'] }, random: func };

/** What the options of the package refuse. */
export const backoff = [
  refusing<ExponentialOptions>(
    at('ExponentialOptions', '', (options) => exponential(options)),
    { ...jitter, baseMs: least0, multiplier: number(0.5, NaN), maxMs: least0 },
  ),
  refusing<LinearOptions>(
    at('LinearOptions', '', (options) => linear(options)),
    { ...jitter, baseMs: least0, maxMs: least0 },
  ),
  refusing<FixedOptions>(
    at('FixedOptions', '', (options) => fixed(options)),
    { ...jitter, baseMs: least0 },
  ),
  refusing<RetryBudgetOptions>(
    at('RetryBudgetOptions', '', (options) => createRetryBudget(options)),
    { ratio: least0, minPerSecond: least0, ttlMs: least1, capacity: least1, now: func },
  ),
  refusing<RetryOptions>(
    at('RetryOptions', '', (options) => retry(() => 1, options)),
    {
      maxAttempts: number(0, 1.5, NaN),
      backoff: object,
      shouldRetry: func,
      shouldRetryResult: func,
      retryAfter: func,
      timeoutMs: least1,
      attemptTimeoutMs: least1,
      signal: object,
      budget: object,
      onRetry: func,
      now: func,
    },
  ),
];
