import { grown, SlotNumbers } from './slot-numbers.ts';

/** Words of an entry: its slot, and the entries before and behind it. */
const entryWords = 3;
const previous = 1;
const next = 2;
const none = -1;
/** Before an entry that stands in no queue. */
const outside = -2;
/** How many entries `putByNumber` passes at most. */
const maxPassed = 8;

/** Entries that some queues share: a slot has at most one, which stands in one of the queues or in none. */
export class SlotEntries {
  /** The entry of each slot. */
  readonly #entries: SlotNumbers;
  #words = new Int32Array(16 * entryWords);
  #numbers = new Float64Array(16);
  #used = 0;
  #free = none;

  constructor(sparse: boolean) {
    this.#entries = new SlotNumbers(sparse);
  }

  has(slot: number): boolean {
    return this.#entries.get(slot) >= 0;
  }

  /** The number that the slot was put with last. */
  number(slot: number): number {
    return this.#numbers[this.#entries.get(slot)] as number;
  }

  /** Forgets a slot that stands in no queue. */
  delete(slot: number): void {
    const entry = this.#entries.get(slot);
    if (entry < 0) return;
    this.#entries.delete(slot);
    this.set(entry, next, this.#free);
    this.#free = entry;
  }

  /** For queues: the entry of a slot, made on demand. */
  entry(slot: number): number {
    const known = this.#entries.get(slot);
    if (known >= 0) return known;
    let entry = this.#free;
    if (entry === none) {
      entry = this.#used++;
      const end = this.#used * entryWords;
      if (end > this.#words.length) this.#words = grown(this.#words, end);
      if (this.#used > this.#numbers.length) this.#numbers = grown(this.#numbers, this.#used);
    } else this.#free = this.get(entry, next);
    this.set(entry, 0, slot);
    this.set(entry, previous, outside);
    this.#entries.set(slot, entry);
    return entry;
  }

  numberOf(entry: number): number {
    return this.#numbers[entry] as number;
  }

  setNumber(entry: number, number: number): void {
    this.#numbers[entry] = number;
  }

  get(entry: number, word: number): number {
    return this.#words[entry * entryWords + word] as number;
  }

  set(entry: number, word: number, value: number): void {
    this.#words[entry * entryWords + word] = value;
  }
}

/** Slots in the order in which they were put, each with a number; insertion and removal in O(1). */
export class SlotQueue {
  readonly #entries: SlotEntries;
  #head = none;
  #tail = none;

  constructor(entries: SlotEntries) {
    this.#entries = entries;
  }

  get isEmpty(): boolean {
    return this.#head === none;
  }

  /** Puts a slot that stands in no queue at the end. */
  put(slot: number, number: number): void {
    const entry = this.#entries.entry(slot);
    this.#entries.setNumber(entry, number);
    this.#link(entry, this.#tail, none);
  }

  /**
   * Puts a slot that stands in no queue behind those whose numbers are not larger than its own, in a queue that
   * is in order of its numbers. False when the place is not among the last few: then nothing is changed.
   */
  putByNumber(slot: number): boolean {
    const entries = this.#entries;
    const entry = entries.entry(slot);
    const number = entries.numberOf(entry);
    let before = this.#tail;
    let behind = none;
    for (let passed = 0; before !== none && entries.numberOf(before) > number; passed++) {
      if (passed === maxPassed) return false;
      behind = before;
      before = entries.get(before, previous);
    }
    this.#link(entry, before, behind);
    return true;
  }

  /** Takes out a slot, which keeps its entry. False when it stands in no queue; it must be in no other one. */
  take(slot: number): boolean {
    const entries = this.#entries;
    const entry = entries.entry(slot);
    const before = entries.get(entry, previous);
    if (before === outside) return false;
    const behind = entries.get(entry, next);
    if (before === none) this.#head = behind;
    else entries.set(before, next, behind);
    if (behind === none) this.#tail = before;
    else entries.set(behind, previous, before);
    entries.set(entry, previous, outside);
    return true;
  }

  /** The first slot that `accepts` takes, −1 without any. O(those refused). */
  find(accepts: (slot: number) => boolean): number {
    for (let entry = this.#head; entry !== none; entry = this.#entries.get(entry, next)) {
      const slot = this.#entries.get(entry, 0);
      if (accepts(slot)) return slot;
    }
    return -1;
  }

  #link(entry: number, before: number, behind: number): void {
    const entries = this.#entries;
    entries.set(entry, previous, before);
    entries.set(entry, next, behind);
    if (before === none) this.#head = entry;
    else entries.set(before, next, entry);
    if (behind === none) this.#tail = entry;
    else entries.set(behind, previous, entry);
  }
}
