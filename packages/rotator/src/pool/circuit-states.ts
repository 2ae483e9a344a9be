import type { CircuitState } from '@whirl/events';

/** The circuits that are not closed, by the transition that was told last: counted in O(1). */
export class CircuitStates {
  readonly #states = new Map<string, CircuitState>();
  readonly #counts: Record<CircuitState, number> = {
    ...{ closed: 0, open: 0, half_open: 0, forced_open: 0, disabled: 0 },
  };

  /** How many refuse requests, or test whether they should. */
  get shut(): number {
    return this.#states.size - this.#counts.disabled;
  }

  isShut(id: string): boolean {
    const state = this.#states.get(id);
    return state !== undefined && state !== 'disabled';
  }

  /** Those that are not closed. */
  ids(): IterableIterator<string> {
    return this.#states.keys();
  }

  *shutIds(): Generator<string, void, undefined> {
    for (const [id, state] of this.#states) if (state !== 'disabled') yield id;
  }

  set(id: string, state: CircuitState): void {
    this.delete(id);
    if (state === 'closed') return;
    this.#states.set(id, state);
    this.#counts[state]++;
  }

  delete(id: string): void {
    const before = this.#states.get(id);
    if (before === undefined) return;
    this.#states.delete(id);
    this.#counts[before]--;
  }

  /** By state, of `size` circuits in all. */
  counts(size: number): Record<CircuitState, number> {
    return { ...this.#counts, closed: size - this.#states.size };
  }
}
