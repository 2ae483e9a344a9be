import type { CircuitTransition } from '@whirl/events';

/** Transitions held at most. */
export const maxTransitions = 1000;

/** The last 1,000 circuit transitions. */
export class CircuitLog {
  readonly #events: CircuitTransition[] = [];
  #written = 0;

  record(event: CircuitTransition): void {
    this.#events[this.#written++ % maxTransitions] = event;
  }

  /** Those at or after `fromMs`, oldest first. */
  read(fromMs: number): CircuitTransition[] {
    const oldest = this.#written % maxTransitions;
    const inOrder =
      this.#written <= maxTransitions
        ? this.#events
        : [...this.#events.slice(oldest), ...this.#events.slice(0, oldest)];
    return inOrder.filter(({ at }) => at >= fromMs);
  }
}
