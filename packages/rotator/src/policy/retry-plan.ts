import type { Backoff } from '@whirl/backoff';
import type { RetryRefusalReason } from '@whirl/events';
import type { Failure } from '../blame/failure.ts';
import type { RetryPolicy } from './retry-policy.ts';

const idempotentMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'DELETE']);

/** Whether a request may be sent twice (behaviour F4, stricter than RFC 9110: no PUT). */
export function repeatable(policy: RetryPolicy, method: string, hasKey: boolean): boolean {
  return idempotentMethods.has(method) || policy.retryNonIdempotent || hasKey;
}

/** What may forbid a retry before its delay is known. */
export interface RetryCase {
  readonly policy: RetryPolicy;
  /** Attempts made, hedges not counted. */
  readonly attempts: number;
  /** Something of the request went out in the failed attempt. */
  readonly sent: boolean;
  readonly repeatable: boolean;
  /** The body can be sent from its start once more. */
  readonly replayable: boolean;
  readonly failure: Failure;
  /** The target is down: another attempt would only burden it. */
  readonly targetDown: boolean;
}

/** Why there is no further attempt; undefined when there may be one. */
export function refusal(given: RetryCase): RetryRefusalReason | undefined {
  if (given.attempts >= given.policy.maxAttempts) return 'attempts';
  if (given.sent && !given.repeatable) return 'method';
  if (!given.replayable) return 'body';
  return given.targetDown && burdensTarget(given.failure) ? 'target_down' : undefined;
}

/** Whether the target may be to blame, so that a retry could make its trouble worse. */
function burdensTarget({ blame }: Failure): boolean {
  return blame === 'target' || blame === 'unknown';
}

/** What the wait before a retry depends on. */
export interface DelayCase {
  readonly policy: RetryPolicy;
  readonly backoff: Backoff;
  /** 0 for the first retry. */
  readonly retry: number;
  readonly previousDelayMs: number | undefined;
  readonly failure: Failure;
  /** The next attempt goes through a proxy that this request has not tried. */
  readonly another: boolean;
  /** Until the request's deadline; Infinity without one. */
  readonly remainingMs: number;
}

/** Whether another proxy may fare better at once: always, unless the target or the caller is to blame. */
export function leavesProxy({ blame, reason }: Failure): boolean {
  return blame === 'proxy' || blame === 'route' || blame === 'unknown' || reason === 'banned';
}

/**
 * Milliseconds before the next attempt, or why there is none. The backoff's delay, raised to
 * Retry-After; with `failoverDelay: 'none'` another proxy takes over at once unless the target is to
 * blame, and owes the target's Retry-After nothing; the Retry-After of a refused CONNECT binds
 * that proxy alone.
 */
export function retryDelay(given: DelayCase): number | 'retry_after' | 'deadline' {
  const { policy, failure, remainingMs } = given;
  const eager = policy.failoverDelay === 'none' && given.another;
  let delayMs =
    eager && leavesProxy(failure) ? 0 : given.backoff.delay(given.retry, given.previousDelayMs);
  // With its response to CONNECT a proxy speaks for itself: another one owes it nothing.
  const owed = !eager && !(given.another && failure.phase === 'connect');
  const { retryAfterMs } = failure;
  if (policy.respectRetryAfter && retryAfterMs !== undefined && owed) {
    if (retryAfterMs > policy.maxRetryAfterMs || retryAfterMs >= remainingMs) return 'retry_after';
    delayMs = Math.max(delayMs, retryAfterMs);
  }
  return delayMs >= remainingMs ? 'deadline' : delayMs;
}

/**
 * Whether a retry after this failure draws on the budget (behaviour G3): the budget protects targets,
 * so failovers from a proxy or a route that is to blame are free. So are those from a target of which
 * attempts that are still out may prove that it responds.
 */
export function chargesBudget(failure: Failure): boolean {
  return burdensTarget(failure) && failure.contested !== true;
}
