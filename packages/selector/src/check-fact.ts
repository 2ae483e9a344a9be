import type { CircuitState, Outcome } from '@whirl/events';
import { checkNumber } from './validate.ts';

/** More would take a mean beyond what a number can hold. */
const maxLatencyMs = 1e12;

const outcomes = ['success', 'failure', 'timeout', 'aborted', 'circuit_open'];

/** Refuses an outcome that there is not, and a latency that is none. */
export function checkOutcome(id: string, outcome: Outcome, latencyMs: number): void {
  // The name is put together only for a refusal: this is on the path of every attempt.
  if (typeof latencyMs !== 'number' || !(latencyMs >= 0 && latencyMs <= maxLatencyMs)) {
    checkNumber(`latencyMs of "${id}"`, latencyMs, 0, maxLatencyMs);
  }
  if (!outcomes.includes(outcome)) {
    throw new RangeError(
      `outcome of "${id}" must be one of ${outcomes.join()}, got ${String(outcome)}`,
    );
  }
}

/** Refuses a state that circuits do not have. */
export function checkState(name: string, state: CircuitState): void {
  switch (state) {
    case 'closed':
    case 'open':
    case 'half_open':
    case 'forced_open':
    case 'disabled':
      return;
    default:
      throw new RangeError(`state of "${name}" is unknown: ${String(state)}`);
  }
}
