import type { RetryRefusalReason } from '@whirl/events';
import type { Engine } from './engine.ts';
import type { Admission } from '../pool/member.ts';
import type { Ask } from '../pool/proxy-query.ts';
import {
  chargesBudget,
  refusal,
  retryDelay,
  type DelayCase,
  type RetryCase,
} from '../policy/retry-plan.ts';

/** What follows a failure. */
export interface Plan {
  readonly delayMs: number;
  /** The proxy that takes over at once. */
  readonly admission: Admission | undefined;
}

/**
 * When and through which proxy the next attempt goes, or why there is none. Asked before a response is
 * discarded, so that the caller can still get the last one. A plan has drawn on the budget, and its admission must
 * be used or given back.
 */
export function planNext(
  { pool, budget }: Pick<Engine, 'pool' | 'budget'>,
  ask: Ask,
  given: RetryCase & Omit<DelayCase, 'another' | 'retry'>,
): Plan | RetryRefusalReason {
  const refused = refusal(given);
  if (refused !== undefined) return refused;
  const retry = given.attempts - 1;
  // Only where it matters: with tags this looks at each proxy.
  const { policy, failure } = given;
  const counts = policy.failoverDelay === 'none' || failure.retryAfterMs !== undefined;
  const another = counts && pool.availability.hasAnother(ask);
  let delay = retryDelay({ ...given, retry, another });
  let admission: Admission | undefined;
  if (delay === 0) {
    admission = pool.admit(ask, { fresh: true });
    // There is another one, but not for this request, or not now.
    if (admission === undefined) delay = retryDelay({ ...given, retry, another: false });
  }
  if (typeof delay === 'string') return delay;
  if (admission === undefined && !pool.availability.couldServe(ask, delay)) return 'no_proxy';
  if (chargesBudget(failure) && budget?.tryWithdraw() === false) {
    if (admission !== undefined) pool.giveBack(admission);
    return 'budget';
  }
  return { delayMs: delay, admission };
}
