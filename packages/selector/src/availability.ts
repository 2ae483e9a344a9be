import type { CircuitState } from '@whirl/events';
import type { CandidateTable } from './candidate-table.ts';
import { SlotHeap } from './slot-heap.ts';
import { grown } from './slot-positions.ts';

const closed = 0;
const open = 1;
const forcedOpen = 2;

/**
 * An offer of a candidate whose circuit is half-open lasts until the attempt ends; one that was never
 * begun or never reported is forgotten after this time, as a breaker reclaims a lost probe.
 */
const offerLeaseMs = 30_000;

/**
 * Which candidates may be picked: their load, circuits and bans. Whatever time changes waits in a heap
 * for its moment, so nobody looks at those that are out.
 */
export class Availability {
  readonly #table: CandidateTable;
  readonly #changed: (slot: number, available: boolean) => void;
  readonly #due = new SlotHeap();
  #states = new Uint8Array(16);
  #inFlight = new Uint32Array(16);
  #busySince = new Float64Array(16);
  #openUntil = new Float64Array(16);
  #offeredUntil = new Float64Array(16);
  #bannedUntil = new Float64Array(16);

  constructor(table: CandidateTable, changed: (slot: number, available: boolean) => void) {
    this.#table = table;
    this.#changed = changed;
  }

  /** Makes the slot known: closed, idle, not banned. */
  add(slot: number, now: number): void {
    if (slot >= this.#states.length) {
      this.#states = grown(this.#states, slot + 1);
      const { length } = this.#states;
      this.#inFlight = grown(this.#inFlight, length);
      this.#busySince = grown(this.#busySince, length);
      this.#openUntil = grown(this.#openUntil, length);
      this.#offeredUntil = grown(this.#offeredUntil, length);
      this.#bannedUntil = grown(this.#bannedUntil, length);
    }
    this.#states[slot] = closed;
    this.#inFlight[slot] = 0;
    this.#openUntil[slot] = this.#offeredUntil[slot] = this.#bannedUntil[slot] = -Infinity;
    this.#refresh(slot, now);
  }

  remove(slot: number): void {
    this.#due.delete(slot);
    this.#changed(slot, false);
  }

  inFlight(slot: number): number {
    return this.#inFlight[slot] as number;
  }

  /** Since when attempts are in flight without one having ended. Epoch milliseconds. */
  busySince(slot: number): number {
    return this.#busySince[slot] as number;
  }

  /** Whether it may be picked at that time. */
  isAvailable(slot: number, now: number): boolean {
    if ((this.#inFlight[slot] as number) >= this.#table.maxConcurrent(slot)) return false;
    return now >= this.#blockedUntil(slot);
  }

  /** Lets in what has become due. */
  advance(now: number): void {
    while (this.#due.topKey <= now) this.#refresh(this.#due.top, now);
  }

  /** How many are due that `advance` has not let in yet. Reads only. */
  countDue(now: number): number {
    return this.#due.countUpTo(now, (slot) => this.isAvailable(slot, now));
  }

  /** It was picked: a half-open candidate is then out until the attempt ends. */
  picked(slot: number, now: number): void {
    if (this.#states[slot] !== open) return;
    this.#offeredUntil[slot] = now + offerLeaseMs;
    this.#refresh(slot, now);
  }

  started(slot: number, now: number): void {
    const inFlight = this.#inFlight[slot] as number;
    this.#inFlight[slot] = inFlight + 1;
    if (inFlight === 0) this.#busySince[slot] = now;
    if (inFlight + 1 >= this.#table.maxConcurrent(slot)) this.#refresh(slot, now);
  }

  settled(slot: number, now: number): void {
    const inFlight = this.#inFlight[slot] as number;
    if (inFlight === 0) return;
    this.#inFlight[slot] = inFlight - 1;
    this.#busySince[slot] = now;
    this.concluded(slot, now);
    if (inFlight >= this.#table.maxConcurrent(slot)) this.#refresh(slot, now);
  }

  /** An attempt's verdict is in: an offer of an idle candidate has been used up. */
  concluded(slot: number, now: number): void {
    if (this.#inFlight[slot] !== 0 || this.#offeredUntil[slot] === -Infinity) return;
    this.#offeredUntil[slot] = -Infinity;
    this.#refresh(slot, now);
  }

  circuit(slot: number, state: CircuitState, nextTestAt: number | undefined, now: number): void {
    switch (state) {
      case 'closed':
      case 'disabled':
        this.#states[slot] = closed;
        this.#offeredUntil[slot] = -Infinity;
        break;
      case 'forced_open':
        this.#states[slot] = forcedOpen;
        this.#offeredUntil[slot] = -Infinity;
        break;
      case 'open':
        this.#states[slot] = open;
        this.#openUntil[slot] = nextTestAt ?? Infinity;
        this.#offeredUntil[slot] = -Infinity;
        break;
      case 'half_open':
        // The request that was offered it has entered: the offer stands.
        this.#states[slot] = open;
        this.#openUntil[slot] = -Infinity;
        break;
    }
    this.#refresh(slot, now);
  }

  ban(slot: number, untilMs: number, now: number): void {
    this.#bannedUntil[slot] = Math.max(this.#bannedUntil[slot] as number, untilMs);
    this.#refresh(slot, now);
  }

  /** From when on time alone stands in its way no more. Infinity: until a further fact. */
  #blockedUntil(slot: number): number {
    const banned = this.#bannedUntil[slot] as number;
    switch (this.#states[slot]) {
      case closed:
        return banned;
      case open:
        return Math.max(
          banned,
          this.#openUntil[slot] as number,
          this.#offeredUntil[slot] as number,
        );
      default:
        return Infinity;
    }
  }

  #refresh(slot: number, now: number): void {
    const blockedUntil = this.#blockedUntil(slot);
    if (blockedUntil > now && blockedUntil < Infinity) this.#due.set(slot, blockedUntil);
    else this.#due.delete(slot);
    this.#changed(slot, this.isAvailable(slot, now));
  }
}
