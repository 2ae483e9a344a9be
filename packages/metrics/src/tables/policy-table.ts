import type { Hourly, HourRing } from './hour-ring.ts';
import { grown, NameTable, type RowOwner } from './name-table.ts';

/** Policies counted apart; beyond it the least recently used fold into `other`. */
const maxPolicies = 100;

/** Requests and successes by policy name and hour. */
export class PolicyTable implements RowOwner, Hourly {
  readonly #ring: HourRing;
  readonly #names: NameTable;
  // By row and slot.
  #requests = new Uint32Array(0);
  #succeeded = new Uint32Array(0);

  constructor(ring: HourRing) {
    this.#ring = ring;
    this.#names = new NameTable(maxPolicies, this);
  }

  record(name: string, succeeded: boolean): void {
    const at = this.#names.use(name) * this.#ring.slots + this.#ring.slot;
    this.#requests[at]! += 1;
    if (succeeded) this.#succeeded[at]! += 1;
  }

  /** Sums over these slots, by name; only of policies that had a request in them. */
  *read(
    slots: readonly number[],
  ): Generator<readonly [name: string, requests: number, succeeded: number]> {
    for (const [row, name] of this.#names.entries()) {
      let requests = 0;
      let succeeded = 0;
      for (const slot of slots) {
        requests += this.#requests[row * this.#ring.slots + slot]!;
        succeeded += this.#succeeded[row * this.#ring.slots + slot]!;
      }
      if (requests > 0) yield [name, requests, succeeded];
    }
  }

  finishHour(): void {}

  startHour(slot: number): void {
    for (let at = slot; at < this.#requests.length; at += this.#ring.slots) {
      this.#requests[at] = this.#succeeded[at] = 0;
    }
  }

  grow(capacity: number): void {
    this.#requests = grown(this.#requests, capacity * this.#ring.slots);
    this.#succeeded = grown(this.#succeeded, capacity * this.#ring.slots);
  }

  fold(row: number): void {
    for (let slot = 0; slot < this.#ring.slots; slot++) {
      const at = row * this.#ring.slots + slot;
      this.#requests[slot]! += this.#requests[at]!;
      this.#succeeded[slot]! += this.#succeeded[at]!;
      this.#requests[at] = this.#succeeded[at] = 0;
    }
  }
}
