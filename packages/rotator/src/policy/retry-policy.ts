import { exponential, fixed, linear, type Backoff } from '@whirl/backoff';
import { z } from 'zod';
import { InvalidPolicyError } from '../errors.ts';
import * as kinds from '@whirl/check';
import { nearestName, shown, type Kind } from '@whirl/check';

/**
 * When and how a request is tried again. Durations are milliseconds. A field that is unknown or out of its bounds is
 * refused with an `InvalidPolicyError`, which names each of them.
 */
export interface RetryPolicyOptions {
  /** Attempts in all, the first one included. An integer from 1 to 10, default 3. */
  readonly maxAttempts?: number | undefined;
  /** How the delays grow: by `multiplier`, by `baseDelayMs`, or not. Default `exponential`. */
  readonly backoffStrategy?: 'exponential' | 'linear' | 'fixed' | undefined;
  /** The delay before the first retry. 100 to 60,000, default 1,000. */
  readonly baseDelayMs?: number | undefined;
  /** The factor from one delay to the next under `exponential`. 1.1 to 10, default 2. */
  readonly multiplier?: number | undefined;
  /** Bounds each delay. 1,000 to 300,000, ≥ `baseDelayMs`; default 30,000, or `baseDelayMs` if that is larger. */
  readonly maxBackoffDelayMs?: number | undefined;
  /** Spreads each delay evenly by ±50 %. Default false. */
  readonly jitter?: boolean | undefined;
  /** Statuses that are failures and retried. Integers from 400 to 599, default 502, 503 and 504. */
  readonly retryStatusCodes?: readonly number[] | undefined;
  /** Bounds the whole request with its delays and the body of its response. > 0, default: no bound. */
  readonly timeoutMs?: number | undefined;
  /**
   * Bounds one attempt up to its response headers, from when it has a connection; the wait for one of
   * the proxy's `connections` before that is bounded by the same time. > 0, default 30,000.
   */
  readonly attemptTimeoutMs?: number | undefined;
  /**
   * Bounds the way through the proxy inside `attemptTimeoutMs`: its name, TCP, TLS with it, CONNECT or
   * SOCKS. > 0, default 10,000.
   */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Bounds the silence between two chunks of a response body. Chunk extensions and other framing
   * without content do not end it; while the reader holds the body back, no time passes. ≥ 0, 0: no bound.
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
  /** A longer Retry-After returns the response at once. ≥ 0, default 60,000. */
  readonly maxRetryAfterMs?: number | undefined;
  /** The label of its requests in metrics and events. 1 to 100 characters, default: none. */
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

const must = (kind: Kind) => `must be ${kind.wanted}`;

const number = (min: number, max = Infinity) => {
  const error = must(kinds.number(min, max));
  return z.number(error).min(min, error).max(max, error);
};
const above0 = () => z.number(must(kinds.above(0))).positive(must(kinds.above(0)));
const integer = (min: number, max: number) => {
  const error = must(kinds.integer(min, max));
  return z.int(error).min(min, error).max(max, error);
};
const oneOf = <const Word extends string>(...words: Word[]) =>
  z.enum(words, must(kinds.oneOf(...words)));
const flag = () => z.boolean(must(kinds.boolean));
const nameError = 'must be a string of 1 to 100 characters';

const schema = z.strictObject(
  {
    maxAttempts: integer(1, 10).default(3),
    backoffStrategy: oneOf('exponential', 'linear', 'fixed').default('exponential'),
    baseDelayMs: number(100, 60_000).default(1000),
    multiplier: number(1.1, 10).default(2),
    maxBackoffDelayMs: number(1000, 300_000).optional(),
    jitter: flag().default(false),
    retryStatusCodes: z
      .array(integer(400, 599), 'must be an array of statuses from 400 to 599')
      .default([502, 503, 504]),
    timeoutMs: above0().optional(),
    attemptTimeoutMs: above0().default(30_000),
    connectTimeoutMs: above0().default(10_000),
    bodyTimeoutMs: number(0).default(300_000),
    retryNonIdempotent: flag().default(false),
    failoverDelay: oneOf('backoff', 'none').default('backoff'),
    failoverOnProxyAuth: flag().default(false),
    respectRetryAfter: flag().default(true),
    maxRetryAfterMs: number(0).default(60_000),
    name: z.string(nameError).min(1, nameError).max(100, nameError).optional(),
  },
  { error: (issue) => (issue.code === 'invalid_type' ? must(kinds.object) : undefined) },
);

export const policyFieldNames: readonly string[] = Object.keys(schema.shape);

/** A value that is out of bounds in two ways is so once. */
function withoutRepeats<Issue extends { readonly path: readonly PropertyKey[] }>(
  issues: readonly Issue[],
): Issue[] {
  return [...new Map(issues.map((issue) => [issue.path.join('.'), issue])).values()];
}

/** Fills in the defaults. Throws `InvalidPolicyError`, which names each field, bound and value. */
export function resolvePolicy(options: RetryPolicyOptions = {}): RetryPolicy {
  const result = schema.safeParse(options);
  if (!result.success) {
    throw new InvalidPolicyError(
      withoutRepeats(result.error.issues).flatMap(({ code, path, message, ...issue }) => {
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
