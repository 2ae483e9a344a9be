import type { Verdict } from '../policy/ban-rules.ts';
import type { Engine } from '../request/engine.ts';
import type { Member } from '../pool/member.ts';
import type { RetryPolicy } from '../policy/retry-policy.ts';
import { retryAfterOf } from '../message/retry-after.ts';
import type { Failure } from './failure.ts';
import type { ResponseHead } from './response-head.ts';
import { statedBy } from './stated.ts';

/** What the ban rules made of it: `'none'` of them had a verdict. */
export type Found = 'none' | { readonly rule: string; readonly verdict: Verdict };

/** Through which proxy a response came, and how. */
export interface Way {
  readonly proxyHost: string;
  /** Only the target can have sent it; in absolute form it may be the proxy's own. */
  readonly tunnel: boolean;
}

/**
 * What is wrong with a response, if anything. A listed status inside a tunnel is the target's. In
 * absolute form the evidence decides, unless the headers say who speaks. A rule that bans the proxy
 * for the target speaks of the route.
 */
export function failureOf(
  head: ResponseHead,
  found: Found,
  policy: RetryPolicy,
  { proxyHost, tunnel }: Way,
  wallNow: number,
): Failure | undefined {
  const { statusCode } = head;
  let blamed: Pick<Failure, 'blame' | 'doubt'> = { blame: 'target' };
  let error: Error;
  if (found === 'none') {
    if (!policy.retryStatusCodes.includes(statusCode)) return undefined;
    const stated = tunnel ? 'target' : statedBy(head.headers, proxyHost);
    if (stated === 'proxy') blamed = { blame: 'proxy' };
    else if (stated === 'refused') blamed = { blame: 'unknown', doubt: 'refused' };
    else if (stated === undefined) blamed = { blame: 'unknown', doubt: 'failed' };
    error = new Error(`status ${statusCode}`);
  } else {
    const { rule, verdict } = found;
    if (verdict === 'ok') return undefined;
    const action = typeof verdict === 'string' ? undefined : verdict.action;
    if (action === 'banProxy') blamed = { blame: 'proxy' };
    else if (action === 'banTarget') blamed = { blame: 'route' };
    error = new Error(`the rule "${rule}" refused the response (status ${statusCode})`);
  }
  const limited = statusCode === 429 || statusCode === 503;
  return {
    outcome: 'failure',
    phase: 'headers',
    reason: found === 'none' ? 'status' : 'banned',
    ...blamed,
    statusCode,
    retryAfterMs: limited ? retryAfterOf(head.headers['retry-after'], wallNow) : undefined,
    error,
  };
}

/**
 * Carries out a rule's verdict: the fact is told, and a proxy that is to rest has its circuit open. One that
 * has left the pool is spared, and with it another one that has come under its id.
 */
export function carryOut(
  { pool, now }: Pick<Engine, 'pool' | 'now'>,
  found: Found,
  member: Member,
  origin: string,
): void {
  if (found === 'none' || typeof found.verdict === 'string' || !pool.holds(member)) return;
  const { action, forMs } = found.verdict;
  const at = now();
  pool.tell(member, 'proxy:banned', {
    proxyId: member.id,
    target: action === 'banTarget' ? origin : undefined,
    until: at + forMs,
    rule: found.rule,
    at,
  });
  if (action !== 'banTarget') member.trip({ reason: 'custom', openMs: forMs });
}
