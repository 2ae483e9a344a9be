import type { Blame, CircuitState, Outcome } from '@whirl/events';
import { check, integer, number, oneOf } from '@whirl/check';

/** More would take a mean beyond what a number can hold. */
const maxLatencyMs = 1e12;
const latencies = number(0, maxLatencyMs);
const rates = number(0, 1);
const weights = number(0);
const runs = integer(1, 100);
const instants = number(0);

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

/** Refuses what others cannot have seen of a candidate. */
export function checkPrior(id: string, rate: number, latencyMs: unknown, weight: number): void {
  check(`successRate of "${id}"`, rate, rates);
  if (latencyMs !== undefined) check(`successMs of "${id}"`, latencyMs, latencies);
  check(`weight of "${id}"`, weight, weights);
}

/** Refuses a run of failures that is not 1 to 100 long, and a latency that is out of bounds. */
export function checkRun(id: string, failures: number, latencyMs: number): void {
  check(`failures of "${id}"`, failures, runs);
  check(`latencyMs of "${id}"`, latencyMs, latencies);
}

/** Refuses a state that circuits do not have, and a time for the next test that is no number ≥ 0. */
export function checkCircuit(name: string, state: CircuitState, nextTestAt?: number): void {
  switch (state) {
    case 'closed':
    case 'open':
    case 'half_open':
    case 'forced_open':
    case 'disabled':
      break;
    default:
      check(
        `state of "${name}"`,
        state,
        oneOf('closed', 'open', 'half_open', 'forced_open', 'disabled'),
      );
  }
  if (nextTestAt !== undefined) check(`nextTestAt of "${name}"`, nextTestAt, instants);
}
