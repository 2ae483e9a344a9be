import type { RetryPolicyOptions } from './retry-policy.ts';

/** Policies for the usual cases; spread one and change what you need. */
export const presets = Object.freeze({
  /** Many attempts after short delays with jitter: for high-volume APIs. */
  highVolume: Object.freeze({
    name: 'highVolume',
    maxAttempts: 5,
    backoffStrategy: 'exponential',
    baseDelayMs: 500,
    maxBackoffDelayMs: 10_000,
    jitter: true,
  }),
  /** Few attempts with long waits, 429 among them: for APIs with a rate limit. */
  rateLimited: Object.freeze({
    name: 'rateLimited',
    maxAttempts: 3,
    backoffStrategy: 'linear',
    baseDelayMs: 5000,
    retryStatusCodes: Object.freeze([429, 502, 503, 504]),
  }),
  /** One retry, 5 s in all: fail fast. */
  critical: Object.freeze({ name: 'critical', maxAttempts: 2, baseDelayMs: 1000, timeoutMs: 5000 }),
  /** Success before speed. */
  successRate: Object.freeze({
    name: 'successRate',
    maxAttempts: 5,
    backoffStrategy: 'exponential',
    baseDelayMs: 1000,
    maxBackoffDelayMs: 30_000,
    jitter: true,
  }),
  /** Speed before success. */
  latency: Object.freeze({
    name: 'latency',
    maxAttempts: 2,
    backoffStrategy: 'fixed',
    baseDelayMs: 500,
    timeoutMs: 3000,
  }),
} satisfies Record<string, RetryPolicyOptions>);
