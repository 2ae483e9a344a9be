import type { RetryPolicy, RetryPolicyOptions } from '@whirl/rotator';
import { z } from 'zod';

const seconds = (min: number, max: number) => z.number().min(min).max(max);

/** A retry policy as it travels: snake_case, durations in seconds. */
export const policySchema = z.strictObject({
  max_attempts: z.int().min(1).max(10).optional(),
  backoff_strategy: z.enum(['exponential', 'linear', 'fixed']).optional(),
  base_delay: seconds(0.1, 60).optional(),
  multiplier: z.number().min(1.1).max(10).optional(),
  max_backoff_delay: seconds(1, 300).optional(),
  jitter: z.boolean().optional(),
  retry_status_codes: z.array(z.int().min(400).max(599)).optional(),
  timeout: z.number().positive().nullable().optional(),
  attempt_timeout: z.number().positive().optional(),
  retry_non_idempotent: z.boolean().optional(),
  failover_delay: z.enum(['backoff', 'none']).optional(),
  failover_on_proxy_auth: z.boolean().optional(),
  respect_retry_after: z.boolean().optional(),
  max_retry_after: z.number().min(0).optional(),
  name: z.string().min(1).max(100).nullable().optional(),
});

export type WirePolicy = z.infer<typeof policySchema>;

const ms = (value: number | null | undefined) =>
  value === undefined || value === null ? undefined : value * 1000;

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
    retryNonIdempotent: wire.retry_non_idempotent,
    failoverDelay: wire.failover_delay,
    failoverOnProxyAuth: wire.failover_on_proxy_auth,
    respectRetryAfter: wire.respect_retry_after,
    maxRetryAfterMs: ms(wire.max_retry_after),
    name: wire.name ?? undefined,
  };
}

export function policyToWire(policy: RetryPolicy) {
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
    retry_non_idempotent: policy.retryNonIdempotent,
    failover_delay: policy.failoverDelay,
    failover_on_proxy_auth: policy.failoverOnProxyAuth,
    respect_retry_after: policy.respectRetryAfter,
    max_retry_after: policy.maxRetryAfterMs / 1000,
    name: policy.name ?? null,
  };
}

export const requestSchema = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  method: z.enum(['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE']).default('GET'),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.string().optional(),
  retry_policy: policySchema.nullable().optional(),
  region: z.string().optional(),
  session_id: z.string().optional(),
  tags: z.array(z.string()).optional(),
  proxy_id: z.string().optional(),
});

export const hoursSchema = z.strictObject({
  hours: z.string().regex(/^\d+$/).transform(Number).pipe(z.int().min(1).max(168)).default(24),
});

/** An answer that is not a success. */
export class ApiError extends Error {
  readonly statusCode: number;
  readonly error: string;
  readonly details: Readonly<Record<string, string>> | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    statusCode: number,
    error: string,
    message: string,
    details?: Readonly<Record<string, string>>,
    retryAfterMs?: number,
  ) {
    super(message);
    this.statusCode = statusCode;
    this.error = error;
    this.details = details;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Reads an input by its schema; a 400 names every wrong field. */
export function read<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input ?? {});
  if (result.success) return result.data;
  const details: Record<string, string> = {};
  for (const issue of result.error.issues) {
    const fields = issue.code === 'unrecognized_keys' ? issue.keys : [issue.path.join('.')];
    for (const field of fields) details[field === '' ? 'body' : field] = issue.message;
  }
  throw new ApiError(400, 'invalid_input', 'the input is not valid', details);
}
