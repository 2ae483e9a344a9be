import type { CircuitState } from '@whirl/events';
import { circuitStateIndex, circuitStates } from './label-sets.ts';
import { byWord } from './pool-counts.ts';

/** What is so at the moment, as far as the facts that were heard tell. */
export class PoolGauges {
  #proxies = 0;
  #requestsInFlight = 0;
  /** Circuits by state. Those that are closed are not counted: they follow from `#proxies`. */
  readonly #circuits = new Float64Array(circuitStates.length);

  /** Proxies in the pool. */
  get proxies(): number {
    return this.#proxies;
  }

  /** Requests that have started and not ended. */
  get requestsInFlight(): number {
    return this.#requestsInFlight;
  }

  /** Circuits by state. */
  circuits(): Record<CircuitState, number> {
    let others = 0;
    for (const count of this.#circuits) others += count;
    const closed = Math.max(0, this.#proxies - others);
    return byWord(circuitStates, (i) => (i === 0 ? closed : this.#circuits[i]!), 'keep');
  }

  requestStarted(): void {
    this.#requestsInFlight++;
  }

  requestEnded(): void {
    // Never below 0, though the start of a request may have been missed.
    if (this.#requestsInFlight > 0) this.#requestsInFlight--;
  }

  proxyAdded(): void {
    this.#proxies++;
  }

  /** With the number of the state that its circuit was in. */
  proxyRemoved(state: number): void {
    if (this.#proxies > 0) this.#proxies--;
    this.#leave(state);
  }

  /** Numbers of states. */
  circuitMoved(from: number, to: number): void {
    this.#leave(from);
    if (to !== circuitStateIndex.closed) this.#circuits[to]! += 1;
  }

  #leave(state: number): void {
    if (state !== circuitStateIndex.closed && this.#circuits[state]! > 0) {
      this.#circuits[state]! -= 1;
    }
  }
}
