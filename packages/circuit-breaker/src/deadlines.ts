import type { CircuitBreaker } from './circuit-breaker.ts';

/** A pairing heap: the earliest deadline, and the heaps of those that were found to be later. */
export interface Deadline {
  readonly at: number;
  readonly breaker: CircuitBreaker;
  readonly later: Deadline[];
}

/**
 * Joins heaps two by two, then what came of it, until one is left. Adding to a heap is joining it
 * with a single deadline, removing the top is joining those later: O(log n) amortised.
 */
export function join(heaps: Deadline[]): Deadline | undefined {
  for (let i = 1; i < heaps.length; i += 2) {
    let [top, other] = [heaps[i - 1]!, heaps[i]!];
    if (other.at < top.at) [top, other] = [other, top];
    top.later.push(other);
    heaps.push(top);
  }
  return heaps.at(-1);
}
