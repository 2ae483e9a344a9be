import type { Candidates, Strategy } from '../strategy.ts';
import type { CandidateView } from '../candidates/candidate-view.ts';
import { WarmSet } from './warm-set.ts';

const create = (among: Candidates) => new WarmSet(among as CandidateView);

/**
 * The least expected time to a success among a few random looks at candidates that have proved
 * themselves: (E[ms of a success] + (1 − p) ÷ p · E[ms of a failure]) · (in flight + 1). A small share
 * of the picks looks at all others. The cost of a pick does not depend on the number of candidates.
 *
 * p is estimated from evidence that fades, and shrunk towards the pool's mean. A matching region
 * divides the cost by 1.1. `stats().score` shows p.
 */
export function adaptive(): Strategy {
  const strategy: Strategy = {
    name: 'adaptive',
    pick: (among, ask) => among.index(strategy, create).pick(ask),
  };
  return strategy;
}
