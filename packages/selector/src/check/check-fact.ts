import type { Blame, CircuitState, Outcome } from '@whirl/events';
import { check, number, oneOf } from '@whirl/check';

/** More would take a mean beyond what a number can hold. */
const maxLatencyMs = 1e12;
export const latencies = number(0, maxLatencyMs);

const outcomes = ['success', 'failure', 'timeout', 'aborted', 'circuit_open'];
const blames = ['none', 'proxy', 'target', 'route', 'unknown', 'caller'];

/** Refuses an unknown outcome or blame, and a latency that is out of bounds. */
export function checkOutcome(id: string, outcome: Outcome, latencyMs: number, blame: Blame): void {
  // The name is put together only for a refusal: this is on the path of every attempt.
  if (typeof latencyMs !== 'number' || !(latencyMs >= 0 && latencyMs <= maxLatencyMs)) {
    check(`latencyMs of "${id}"`, latencyMs, latencies);
  }
  if (!outcomes.includes(outcome)) {
    check(`outcome of "${id}"`, outcome, oneOf(...outcomes));
  }
  if (!blames.includes(blame)) {
    check(`blame of "${id}"`, blame, oneOf(...blames));
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
      check(
        `state of "${name}"`,
        state,
        oneOf('closed', 'open', 'half_open', 'forced_open', 'disabled'),
      );
  }
}
