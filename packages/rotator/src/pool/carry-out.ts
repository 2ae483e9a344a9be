import type { Found } from '../policy/ban-rules.ts';
import type { Member } from './member.ts';
import type { Pool } from './pool.ts';

/**
 * Carries out a rule's verdict: the event is emitted, and a proxy that is to rest has its circuit open. One that
 * has left the pool is spared, and with it another one that has come under its id.
 */
export function carryOut(
  pool: Pool,
  found: Found,
  member: Member,
  origin: string,
  at: number,
): void {
  if (found === 'none' || typeof found.verdict === 'string' || !pool.holds(member)) return;
  const { action, forMs } = found.verdict;
  pool.tell(member, 'proxy:banned', {
    proxyId: member.id,
    target: action === 'banTarget' ? origin : undefined,
    until: at + forMs,
    rule: found.rule,
    at,
  });
  // Another exit is at hand at once, for every target.
  if (pool.renewBanned(member)) return;
  if (action !== 'banTarget') member.trip({ reason: 'custom', openMs: forMs });
}
