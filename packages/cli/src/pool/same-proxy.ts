import { createHash } from 'node:crypto';
import type { Strategy } from '@whirl/selector';

/**
 * Gives a session the same proxy in every process while the list is the same, and the same second one when that has
 * failed: the one whose hash with the session is the least (rendezvous hashing). O(n) for n proxies.
 */
export function sameProxy(session: string): Strategy {
  const ranks = new Map<string, string>();
  const rankOf = (id: string) => {
    let rank = ranks.get(id);
    if (rank === undefined) {
      ranks.set(id, (rank = createHash('sha256').update(`${session}\0${id}`).digest('hex')));
    }
    return rank;
  };
  return {
    name: 'sameProxy',
    pick(among) {
      let best = -1;
      let least = '';
      for (let i = 0; i < among.size; i++) {
        const slot = among.at(i);
        if (among.avoided(slot)) continue;
        const rank = rankOf(among.id(slot));
        if (best === -1 || rank < least) [best, least] = [slot, rank];
      }
      return best === -1 ? among.any() : best;
    },
  };
}
