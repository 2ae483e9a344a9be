import { exponential, fixed, linear, type Backoff } from '@whirl/backoff';
import { z } from 'zod';
import { InvalidPolicyError } from '../errors.ts';
import { nearestName, shown } from '@whirl/check';

/** When and how a request is tried again. Every field has a default; durations are milliseconds. */
export interface RetryPolicyOptions {
  /** Attempts in all, the first try included. 1 to 10, default 3. */
  readonly maxAttempts?: number | undefined;
  /** Default `exponential`. */
  readonly backoffStrategy?: 'exponential' | 'linear' | 'fixed' | undefined;
  /** The first delay. 100 to 60,000, default 1,000. */
  readonly baseDelayMs?: number | undefined;
  /** Of `exponential`. 1.1 to 10, default 2. */
  readonly multiplier?: number | undefined;
  /** 1,000 to 300,000; default 30,000, or `baseDelayMs` if that is larger. */
  readonly maxBackoffDelayMs?: number | undefined;
  /** ±50 % of each delay. Default false. */
  readonly jitter?: boolean | undefined;
  /** Each 400 to 599. Default 502, 503, 504. */
  readonly retryStatusCodes?: readonly number[] | undefined;
  /** Bounds the whole request, body included. Default: no bound. */
  readonly timeoutMs?: number | undefined;
  /**
   * Bounds one attempt up to its response headers, from when it has a connection; the wait for one of
   * the proxy's `connections` before that is bounded by the same time. Default 30,000.
   */
  readonly attemptTimeoutMs?: number | undefined;
  /**
   * Bounds the way through the proxy inside `attemptTimeoutMs`: its name, TCP, TLS with it, CONNECT or
   * SOCKS. Greater than 0, default 10,000.
   */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Bounds the silence between two chunks of a response body. Chunk extensions and other framing
   * without content do not end it; while the reader holds the body back, no time passes. 0: no bound.
   * Default 300,000.
   */
  readonly bodyTimeoutMs?: number | undefined;
  /** Retry PUT, POST and PATCH after something was sent. Default false. */
  readonly retryNonIdempotent?: boolean | undefined;
  /** `none`: no wait when the proxy was to blame and another takes over. Default `backoff`. */
  readonly failoverDelay?: 'backoff' | 'none' | undefined;
  /** Fail over from a proxy that responds with 407. Default false. */
  readonly failoverOnProxyAuth?: boolean | undefined;
  /** Treat Retry-After as the least wait. Default true. */
  readonly respectRetryAfter?: boolean | undefined;
  /** A longer Retry-After returns the response at once. Default 60,000. */
  readonly maxRetryAfterMs?: number | undefined;
  /** Shown in metrics and events. */
  readonly name?: string | undefined;
}

/** A policy with every field decided. */
export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly backoffStrategy: 'exponential' | 'linear' | 'fixed';
  readonly baseDelayMs: number;
  readonly multiplier: number;
  readonly maxBackoffDelayMs: number;
  readonly jitter: boolean;
  readonly retryStatusCodes: readonly number[];
  readonly timeoutMs: number | undefined;
  readonly attemptTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly retryNonIdempotent: boolean;
  readonly failoverDelay: 'backoff' | 'none';
  readonly failoverOnProxyAuth: boolean;
  readonly respectRetryAfter: boolean;
  readonly maxRetryAfterMs: number;
  readonly name: string | undefined;
}

const schema = z.strictObject({
  maxAttempts: z.int().min(1).max(10).default(3),
  backoffStrategy: z.enum(['exponential', 'linear', 'fixed']).default('exponential'),
  baseDelayMs: z.number().min(100).max(60_000).default(1000),
  multiplier: z.number().min(1.1).max(10).default(2),
  maxBackoffDelayMs: z.number().min(1000).max(300_000).optional(),
  jitter: z.boolean().default(false),
  retryStatusCodes: z.array(z.int().min(400).max(599)).default([502, 503, 504]),
  timeoutMs: z.number().positive().optional(),
  attemptTimeoutMs: z.number().positive().default(30_000),
  connectTimeoutMs: z.number().positive().default(10_000),
  bodyTimeoutMs: z.number().min(0).default(300_000),
  retryNonIdempotent: z.boolean().default(false),
  failoverDelay: z.enum(['backoff', 'none']).default('backoff'),
  failoverOnProxyAuth: z.boolean().default(false),
  respectRetryAfter: z.boolean().default(true),
  maxRetryAfterMs: z.number().min(0).default(60_000),
  name: z.string().min(1).max(100).optional(),
});

export const policyFieldNames: readonly string[] = Object.keys(schema.shape);

/** Fills in the defaults. Throws `InvalidPolicyError`, which names each field, bound and value. */
export function resolvePolicy(options: RetryPolicyOptions = {}): RetryPolicy {
  const result = schema.safeParse(options);
  if (!result.success) {
    throw new InvalidPolicyError(
      result.error.issues.flatMap(({ code, path, message, ...issue }) => {
        if (code === 'unrecognized_keys') {
          const { keys } = issue as unknown as { keys: string[] };
          return keys.map((field) => {
            const nearest = nearestName(field, policyFieldNames);
            const hint = nearest === undefined ? '' : `: did you mean "${nearest}"?`;
            return { field, message: `unknown field${hint}` };
          });
        }
        let value: unknown = options;
        for (const key of path) value = (value as Record<PropertyKey, unknown>)[key];
        const field = path.length === 0 ? 'retryPolicy' : path.join('.');
        return [{ field, message: `${message}, got ${shown(value)}` }];
      }),
    );
  }
  const policy = result.data;
  const cap = policy.maxBackoffDelayMs ?? Math.max(30_000, policy.baseDelayMs);
  if (cap < policy.baseDelayMs) {
    throw new InvalidPolicyError([
      {
        field: 'maxBackoffDelayMs',
        message: `must be at least baseDelayMs (${policy.baseDelayMs}), got ${cap}`,
      },
    ]);
  }
  return Object.freeze({
    ...policy,
    timeoutMs: policy.timeoutMs,
    name: policy.name,
    maxBackoffDelayMs: cap,
    retryStatusCodes: Object.freeze([...new Set(policy.retryStatusCodes)]),
  });
}

/** What `retryPolicy: null` stands for: the defaults, and one attempt. */
export const noRetries: RetryPolicy = resolvePolicy({ maxAttempts: 1 });

/** The delays of a policy. */
export function backoffOf(policy: RetryPolicy, random: () => number): Backoff {
  const jitter = policy.jitter ? ('proportional' as const) : ('none' as const);
  const { baseDelayMs: baseMs, maxBackoffDelayMs: maxMs, multiplier } = policy;
  switch (policy.backoffStrategy) {
    case 'exponential':
      return exponential({ baseMs, multiplier, maxMs, jitter, random });
    case 'linear':
      return linear({ baseMs, maxMs, jitter, random });
    case 'fixed':
      return fixed({ baseMs, jitter, random });
  }
}
