import type { Strategy } from '../strategy.ts';

/** Any, with equal chance. O(1). */
export function random(): Strategy {
  return { name: 'random', pick: (among) => among.any() };
}
