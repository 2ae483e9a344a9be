import { noRetries, type RetryPolicy, type RetryPolicyOptions } from '@whirl/rotator';
import { z } from 'zod';

/** Timers of the platform end at 2^31 − 1 ms. */
const maxSeconds = 2_147_483;

const fields = {
  max_attempts: z.int().min(1).max(10).meta({ description: 'Attempts, the first try included.' }),
  backoff_strategy: z.enum(['exponential', 'linear', 'fixed']),
  base_delay: z.number().min(0.1).max(60).meta({ description: 'Seconds.' }),
  multiplier: z.number().min(1.1).max(10),
  max_backoff_delay: z.number().min(1).max(300).meta({
    description: 'Seconds; at least base_delay. Default 30, or base_delay if that is larger.',
  }),
  jitter: z.boolean().meta({ description: '±50 % of each delay.' }),
  retry_status_codes: z.array(z.int().min(400).max(599)).max(200),
  timeout: z.number().min(0.001).max(maxSeconds).nullable().meta({
    description: 'Seconds for the whole request, body included; null: no bound.',
  }),
  attempt_timeout: z.number().min(0.001).max(maxSeconds).meta({
    description: 'Seconds for one attempt, up to the response headers.',
  }),
  connect_timeout: z.number().min(0.001).max(maxSeconds).meta({
    description: 'Seconds to reach the proxy and to get through it, inside attempt_timeout.',
  }),
  body_timeout: z.number().min(0).max(maxSeconds).meta({
    description: 'Seconds of silence between two chunks of a response body; 0: no bound.',
  }),
  retry_non_idempotent: z.boolean(),
  failover_delay: z.enum(['backoff', 'none']),
  failover_on_proxy_auth: z.boolean(),
  respect_retry_after: z.boolean(),
  max_retry_after: z.number().min(0).max(maxSeconds).meta({ description: 'Seconds.' }),
  name: z.string().min(1).max(100).nullable(),
};

/** A retry policy as it is given: snake_case, durations in seconds, everything optional. */
export const policySchema = z
  .strictObject(fields)
  .partial()
  .superRefine(({ base_delay: base = 1, max_backoff_delay: cap }, context) => {
    if (cap !== undefined && cap < base) {
      context.addIssue({
        code: 'custom',
        path: ['max_backoff_delay'],
        message: `must be at least base_delay (${base}), got ${cap}`,
      });
    }
  })
  .meta({ id: 'RetryPolicyInput', description: 'What is absent has its default.' });

/** As sent to the policy route, where what was read may be sent back unchanged. */
export const policyChangeSchema = policySchema
  .safeExtend({
    updated_at: z.string().optional().meta({ description: 'Ignored.', readOnly: true }),
  })
  .meta({ id: 'RetryPolicyChange', description: 'A retry policy, or the part to change.' });

/** A whole policy, as responses have it. */
export const policyViewSchema = z
  .strictObject({ ...fields, updated_at: z.iso.datetime() })
  .meta({ id: 'RetryPolicy' });

export type WirePolicy = z.infer<typeof policySchema>;

const ms = (seconds: number | null | undefined) =>
  seconds === undefined || seconds === null ? undefined : Math.round(seconds * 1e6) / 1e3;

export function policyFromWire(wire: WirePolicy): RetryPolicyOptions {
  return {
    maxAttempts: wire.max_attempts,
    backoffStrategy: wire.backoff_strategy,
    baseDelayMs: ms(wire.base_delay),
    multiplier: wire.multiplier,
    maxBackoffDelayMs: ms(wire.max_backoff_delay),
    jitter: wire.jitter,
    retryStatusCodes: wire.retry_status_codes,
    timeoutMs: ms(wire.timeout),
    attemptTimeoutMs: ms(wire.attempt_timeout),
    connectTimeoutMs: ms(wire.connect_timeout),
    bodyTimeoutMs: ms(wire.body_timeout),
    retryNonIdempotent: wire.retry_non_idempotent,
    failoverDelay: wire.failover_delay,
    failoverOnProxyAuth: wire.failover_on_proxy_auth,
    respectRetryAfter: wire.respect_retry_after,
    maxRetryAfterMs: ms(wire.max_retry_after),
    name: wire.name ?? undefined,
  };
}

/** `null`, as the rotator gives it while retries are off, is a policy of one attempt. */
export function policyToWire(given: RetryPolicy | null) {
  const policy = given ?? noRetries;
  return {
    max_attempts: policy.maxAttempts,
    backoff_strategy: policy.backoffStrategy,
    base_delay: policy.baseDelayMs / 1000,
    multiplier: policy.multiplier,
    max_backoff_delay: policy.maxBackoffDelayMs / 1000,
    jitter: policy.jitter,
    retry_status_codes: [...policy.retryStatusCodes],
    timeout: policy.timeoutMs === undefined ? null : policy.timeoutMs / 1000,
    attempt_timeout: policy.attemptTimeoutMs / 1000,
    connect_timeout: policy.connectTimeoutMs / 1000,
    body_timeout: policy.bodyTimeoutMs / 1000,
    retry_non_idempotent: policy.retryNonIdempotent,
    failover_delay: policy.failoverDelay,
    failover_on_proxy_auth: policy.failoverOnProxyAuth,
    respect_retry_after: policy.respectRetryAfter,
    max_retry_after: policy.maxRetryAfterMs / 1000,
    name: policy.name ?? null,
  };
}
