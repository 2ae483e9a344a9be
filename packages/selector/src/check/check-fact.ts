import type { Blame, CircuitState, Outcome } from '@whirl/events';
import { checkNumber } from './validate.ts';

/** More would take a mean beyond what a number can hold. */
export const maxLatencyMs = 1e12;

const outcomes = ['success', 'failure', 'timeout', 'aborted', 'circuit_open'];
const blames = ['none', 'proxy', 'target', 'route', 'unknown', 'caller'];

/** Refuses an unknown outcome or blame, and a latency that is out of bounds. */
export function checkOutcome(id: string, outcome: Outcome, latencyMs: number, blame: Blame): void {
  // The name is put together only for a refusal: this is on the path of every attempt.
  if (typeof latencyMs !== 'number' || !(latencyMs >= 0 && latencyMs <= maxLatencyMs)) {
    checkNumber(`latencyMs of "${id}"`, latencyMs, 0, maxLatencyMs);
  }
  if (!outcomes.includes(outcome)) {
    throw new RangeError(
      `outcome of "${id}" must be one of ${outcomes.join()}, got ${String(outcome)}`,
    );
  }
  if (!blames.includes(blame)) {
    throw new RangeError(`blame of "${id}" must be one of ${blames.join()}, got ${String(blame)}`);
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
