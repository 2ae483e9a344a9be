import type { Steps } from '../steps.ts';
import type { Member } from './member.ts';
import type { Pool } from './pool.ts';

/** Below this share of good outcomes a proxy is unhealthy … */
const unhealthyRate = 0.1;
/** … once so many of its outcomes are known. */
const unhealthySamples = 20;

/** Members that one step looks at. */
const membersPerStep = 100;

/** Removes the unhealthy members, each in the step that finds it unhealthy. Returns their ids. */
export function* clearingUnhealthy(pool: Pool): Steps<string[]> {
  const removed: string[] = [];
  let part: Member[] = [];
  // The iterator is live: a member that leaves between two steps is not met, one that joins comes last.
  for (const member of pool.members.values()) {
    part.push(member);
    if (part.length < membersPerStep) continue;
    clear(pool, part, removed);
    part = [];
    yield;
  }
  clear(pool, part, removed);
  return removed;
}

function clear(pool: Pool, part: readonly Member[], removed: string[]): void {
  const gone = part.filter((member) => isUnhealthy(pool, member));
  for (const { id } of gone) if (pool.remove(id)) removed.push(id);
}

function isUnhealthy(pool: Pool, { id, circuit }: Member): boolean {
  const state = circuit?.state;
  if (state === 'open' || state === 'forced_open') return true;
  const { samples, successRate } = pool.selector.stats(id);
  return samples >= unhealthySamples && successRate < unhealthyRate;
}
