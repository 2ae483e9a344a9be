import type { Found } from './ban-rules.ts';
import type { RetryPolicy } from './retry-policy.ts';
import { retryAfterOf } from '../message/retry-after.ts';
import type { Failure } from '../blame/failure.ts';
import type { ResponseHead } from '../blame/response-head.ts';
import { statedBy } from '../blame/stated.ts';

/** Through which proxy a response came, and how. */
export interface Way {
  readonly proxyHost: string;
  /** Only the target can have sent it; in absolute form it may be the proxy's own. */
  readonly tunnel: boolean;
}

/**
 * What is wrong with a response, if anything. A listed status inside a tunnel is the target's. In
 * absolute form the evidence decides, unless the headers state where the response comes from. A rule that bans the proxy
 * for the target speaks of the route.
 */
export function failureOf(
  head: ResponseHead,
  found: Found,
  policy: RetryPolicy,
  { proxyHost, tunnel }: Way,
  wallNow: () => number,
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
    retryAfterMs: limited ? retryAfterOf(head.headers['retry-after'], wallNow()) : undefined,
    error,
  };
}
