import type { Blame } from '@whirl/events';
import type { Verdict } from './ban-rules.ts';
import type { Engine } from './engine.ts';
import type { Failure } from './failure.ts';
import type { Controller } from './handler.ts';
import type { Member } from './member.ts';
import type { RetryPolicy } from './policy.ts';
import { retryAfterOf } from './retry-after.ts';

/** The head of an answer. */
export interface Head {
  readonly controller: Controller;
  readonly statusCode: number;
  readonly headers: Record<string, string | string[]>;
  readonly statusMessage: string | undefined;
}

/** What the ban rules made of it: `'none'` of them had a verdict. */
export type Found = 'none' | { readonly rule: string; readonly verdict: Verdict };

/**
 * What is wrong with an answer, if anything. A listed status inside a tunnel is the target's; in
 * absolute form it cannot be told from the proxy's own, and is the proxy's (behaviour C5).
 */
export function failureOf(
  { statusCode, headers }: Head,
  found: Found,
  policy: RetryPolicy,
  tunnel: boolean,
  wallNow: number,
): Failure | undefined {
  let blame: Blame;
  let error: Error;
  if (found === 'none') {
    if (!policy.retryStatusCodes.includes(statusCode)) return undefined;
    blame = tunnel ? 'target' : 'proxy';
    error = new Error(`status ${statusCode}`);
  } else {
    const { rule, verdict } = found;
    if (verdict === 'ok') return undefined;
    blame = typeof verdict !== 'string' && verdict.action === 'banProxy' ? 'proxy' : 'target';
    error = new Error(`the rule "${rule}" refused the answer (status ${statusCode})`);
  }
  const after = headers['retry-after'];
  const limited = statusCode === 429 || statusCode === 503;
  return {
    outcome: 'failure',
    phase: 'headers',
    reason: found === 'none' ? 'status' : 'banned',
    blame,
    ambiguous: false,
    statusCode,
    retryAfterMs: limited ? retryAfterOf(after, wallNow) : undefined,
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
  if (action !== 'banTarget') member.breaker?.trip({ reason: 'custom', openMs: forMs });
}
