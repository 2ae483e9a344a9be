import type { CircuitState } from '@whirl/events';
import { inFlight, maxConcurrent, rowWords as row, type CandidateRows } from './candidate-rows.ts';
import { SlotHeap } from '../slots/slot-heap.ts';
import { grown } from '../slots/slot-numbers.ts';

/** A byte for each slot: its circuit in two bits, and whether it may be picked. */
const closed = 0;
const open = 1;
const forcedOpen = 2;
const circuits = 3;
const offered = 4;

/** What a word of the candidate's row holds for no bound. */
const unbounded = 2 ** 31 - 1;

/**
 * An offer of a candidate whose circuit is half-open lasts until the attempt ends; one that was never
 * begun or never reported is forgotten after this time, as a breaker reclaims a lost probe.
 */
const offerLeaseMs = 30_000;

/**
 * Which candidates may be picked: their load, circuits and bans. Whatever time changes waits in a heap
 * for its moment, so those that are out are not looked at.
 */
export class Availability {
  readonly #changed: (slot: number, available: boolean) => void;
  readonly #due = new SlotHeap();
  readonly #rows: CandidateRows;
  /** Columns of their own for what a pick touches: small enough for a processor's cache. */
  #states = new Uint8Array(16);
  #lastPicks = new Float64Array(16);
  #busySince = new Float64Array(16);
  /** What attempts do not look at, unless the circuit is open. */
  #openUntil = new Float64Array(16);
  #offeredUntil = new Float64Array(16);
  #bannedUntil = new Float64Array(16);

  constructor(rows: CandidateRows, changed: (slot: number, available: boolean) => void) {
    this.#rows = rows;
    this.#changed = changed;
  }

  /** Makes the slot known: closed, idle, not banned, for at most so many attempts at a time. */
  add(slot: number, bound: number, now: number): void {
    this.#rows.words[slot * row + inFlight] = 0;
    this.#bind(slot, bound);
    if (slot >= this.#states.length) {
      this.#states = grown(this.#states, slot + 1);
      this.#lastPicks = grown(this.#lastPicks, this.#states.length);
      this.#busySince = grown(this.#busySince, this.#states.length);
      this.#openUntil = grown(this.#openUntil, this.#states.length);
      this.#offeredUntil = grown(this.#offeredUntil, this.#states.length);
      this.#bannedUntil = grown(this.#bannedUntil, this.#states.length);
    }
    this.#busySince[slot] = this.#offeredUntil[slot] = -Infinity;
    this.#openUntil[slot] = this.#bannedUntil[slot] = -Infinity;
    this.#states[slot] = closed;
    this.#lastPicks[slot] = 0;
    this.#refresh(slot, now);
  }

  /** Changes the bound; what is in flight counts against the new one. */
  rebind(slot: number, bound: number, now: number): void {
    this.#bind(slot, bound);
    this.#refresh(slot, now);
  }

  remove(slot: number): void {
    this.#due.delete(slot);
    this.#states[slot] = closed;
    this.#changed(slot, false);
  }

  /** Whether it is one of those that a pick may see: available when time last moved on. */
  isOffered(slot: number): boolean {
    return ((this.#states[slot] as number) & offered) !== 0;
  }

  inFlight(slot: number): number {
    return this.#rows.words[slot * row + inFlight] as number;
  }

  /** Whether it is closed and not banned, and full. */
  isOnlyFull(slot: number, now: number): boolean {
    return this.#isFull(slot) && this.#circuit(slot) === closed && now >= this.#blockedUntil(slot);
  }

  /** Whether a pick of it would test its circuit. */
  tests(slot: number): boolean {
    return this.#circuit(slot) === open;
  }

  /** Since when attempts are in flight without one having ended. Epoch milliseconds. */
  busySince(slot: number): number {
    return this.#busySince[slot] as number;
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
    if (this.#circuit(slot) !== open) return;
    this.#offeredUntil[slot] = now + offerLeaseMs;
    this.#refresh(slot, now);
  }

  started(slot: number, now: number): void {
    const count = this.#rows.words[slot * row + inFlight] as number;
    this.#rows.words[slot * row + inFlight] = count + 1;
    if (count === 0) this.#busySince[slot] = now;
    if (this.#isFull(slot)) this.#refresh(slot, now);
  }

  settled(slot: number, now: number): void {
    const count = this.#rows.words[slot * row + inFlight] as number;
    if (count === 0) return;
    const wasFull = this.#isFull(slot);
    this.#rows.words[slot * row + inFlight] = count - 1;
    this.#busySince[slot] = now;
    this.concluded(slot, now);
    if (wasFull) this.#refresh(slot, now);
  }

  /** An attempt's verdict is in: an offer of an idle candidate has been used up. */
  concluded(slot: number, now: number): void {
    if (this.#circuit(slot) !== open || this.#offeredUntil[slot] === -Infinity) return;
    if (this.#rows.words[slot * row + inFlight] !== 0) return;
    this.#offeredUntil[slot] = -Infinity;
    this.#refresh(slot, now);
  }

  circuit(slot: number, to: CircuitState, nextTestAt: number | undefined, now: number): void {
    switch (to) {
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

  ban(slot: number, until: number, now: number): void {
    this.#bannedUntil[slot] = Math.max(this.#bannedUntil[slot] as number, until);
    this.#refresh(slot, now);
  }

  /** Until when it is banned, in epoch milliseconds; −Infinity without a ban. */
  bannedUntil(slot: number): number {
    return this.#bannedUntil[slot] as number;
  }

  unban(slot: number, now: number): void {
    this.#bannedUntil[slot] = -Infinity;
    this.#refresh(slot, now);
  }

  #bind(slot: number, bound: number): void {
    this.#rows.words[slot * row + maxConcurrent] = Math.min(bound, unbounded);
  }

  #circuit(slot: number): number {
    return (this.#states[slot] as number) & circuits;
  }

  #isFull(slot: number): boolean {
    const at = slot * row;
    return (
      (this.#rows.words[at + inFlight] as number) >=
      (this.#rows.words[at + maxConcurrent] as number)
    );
  }

  /** From when on time alone stands in its way no more. Infinity: until a further fact. */
  #blockedUntil(slot: number): number {
    const banned = this.#bannedUntil[slot] as number;
    switch (this.#circuit(slot)) {
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
    const available = this.isAvailable(slot, now);
    this.#states[slot] = this.#circuit(slot) | (available ? offered : 0);
    this.#changed(slot, available);
  }
}
