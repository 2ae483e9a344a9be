import type { CircuitState } from '@whirl/events';
import { availabilityColumns, rowNumbers as row, type CandidateRows } from './candidate-rows.ts';
import { SlotHeap } from './slot-heap.ts';
import { grown } from './slot-positions.ts';

const closed = 0;
const open = 1;
const forcedOpen = 2;

/** Columns of the candidate's row. */
const inFlight = availabilityColumns;
const busySince = availabilityColumns + 1;
const offeredUntil = availabilityColumns + 2;
const maxConcurrent = availabilityColumns + 3;

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
  readonly #changed: (slot: number, available: boolean) => void;
  readonly #due = new SlotHeap();
  readonly #rows: CandidateRows;
  /** Columns of their own for what a pick touches: small enough for a processor's cache. */
  #states = new Uint8Array(16);
  #lastPicks = new Float64Array(16);
  /** What attempts do not look at. */
  #openUntil = new Float64Array(16);
  #bannedUntil = new Float64Array(16);

  constructor(rows: CandidateRows, changed: (slot: number, available: boolean) => void) {
    this.#rows = rows;
    this.#changed = changed;
  }

  /** Makes the slot known: closed, idle, not banned, for at most so many attempts at a time. */
  add(slot: number, bound: number, now: number): void {
    const start = slot * row;
    const { numbers } = this.#rows;
    numbers[start + inFlight] = 0;
    numbers[start + busySince] = -Infinity;
    numbers[start + offeredUntil] = -Infinity;
    numbers[start + maxConcurrent] = bound;
    if (slot >= this.#states.length) {
      this.#states = grown(this.#states, slot + 1);
      this.#lastPicks = grown(this.#lastPicks, this.#states.length);
      this.#openUntil = grown(this.#openUntil, this.#states.length);
      this.#bannedUntil = grown(this.#bannedUntil, this.#states.length);
    }
    this.#openUntil[slot] = this.#bannedUntil[slot] = -Infinity;
    this.#states[slot] = closed;
    this.#lastPicks[slot] = 0;
    this.#refresh(slot, now);
  }

  remove(slot: number): void {
    this.#due.delete(slot);
    this.#changed(slot, false);
  }

  inFlight(slot: number): number {
    return this.#rows.numbers[slot * row + inFlight] as number;
  }

  /** Since when attempts are in flight without one having ended. Epoch milliseconds. */
  busySince(slot: number): number {
    return this.#rows.numbers[slot * row + busySince] as number;
  }

  /** Whether it may be picked at that time. */
  isAvailable(slot: number, now: number): boolean {
    return !this.#isFull(slot) && now >= this.#blockedUntil(slot);
  }

  /** Lets in what has become due. */
  advance(now: number): void {
    while (this.#due.topKey <= now) this.#refresh(this.#due.top, now);
  }

  /** How many are due that `advance` has not let in yet. Reads only. */
  countDue(now: number): number {
    return this.#due.countUpTo(now, (slot) => this.isAvailable(slot, now));
  }

  /** The number of its last pick, 0 when never picked. */
  lastPick(slot: number): number {
    return this.#lastPicks[slot] as number;
  }

  /** It was picked: a half-open candidate is then out until the attempt ends. */
  picked(slot: number, pickNumber: number, now: number): void {
    this.#lastPicks[slot] = pickNumber;
    if (this.#states[slot] !== open) return;
    this.#rows.numbers[slot * row + offeredUntil] = now + offerLeaseMs;
    this.#refresh(slot, now);
  }

  started(slot: number, now: number): void {
    const count = this.#rows.numbers[slot * row + inFlight] as number;
    this.#rows.numbers[slot * row + inFlight] = count + 1;
    if (count === 0) this.#rows.numbers[slot * row + busySince] = now;
    if (this.#isFull(slot)) this.#refresh(slot, now);
  }

  settled(slot: number, now: number): void {
    const count = this.#rows.numbers[slot * row + inFlight] as number;
    if (count === 0) return;
    const wasFull = this.#isFull(slot);
    this.#rows.numbers[slot * row + inFlight] = count - 1;
    this.#rows.numbers[slot * row + busySince] = now;
    this.concluded(slot, now);
    if (wasFull) this.#refresh(slot, now);
  }

  /** An attempt's verdict is in: an offer of an idle candidate has been used up. */
  concluded(slot: number, now: number): void {
    if (
      this.#rows.numbers[slot * row + inFlight] !== 0 ||
      this.#rows.numbers[slot * row + offeredUntil] === -Infinity
    )
      return;
    this.#rows.numbers[slot * row + offeredUntil] = -Infinity;
    this.#refresh(slot, now);
  }

  circuit(slot: number, to: CircuitState, nextTestAt: number | undefined, now: number): void {
    switch (to) {
      case 'closed':
      case 'disabled':
        this.#states[slot] = closed;
        this.#rows.numbers[slot * row + offeredUntil] = -Infinity;
        break;
      case 'forced_open':
        this.#states[slot] = forcedOpen;
        this.#rows.numbers[slot * row + offeredUntil] = -Infinity;
        break;
      case 'open':
        this.#states[slot] = open;
        this.#openUntil[slot] = nextTestAt ?? Infinity;
        this.#rows.numbers[slot * row + offeredUntil] = -Infinity;
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

  #isFull(slot: number): boolean {
    const at = slot * row;
    return (
      (this.#rows.numbers[at + inFlight] as number) >=
      (this.#rows.numbers[at + maxConcurrent] as number)
    );
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
          this.#rows.numbers[slot * row + offeredUntil] as number,
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
