import { grown, type SlotNumbers } from './slot-numbers.ts';

/** Words of an entry: the slot, and the entries before and behind it. */
const entryWords = 3;
const previous = 1;
const next = 2;
const none = -1;

/** Slots in the order in which they were put; insertion, removal and a new turn in O(1). */
export class SlotQueue {
  /** The entry of each slot. */
  readonly #entries: SlotNumbers;
  #words = new Int32Array(16 * entryWords);
  #used = 0;
  #free = none;
  #head = none;
  #tail = none;

  constructor(entries: SlotNumbers) {
    this.#entries = entries;
  }

  /** Puts the slot at the end, from wherever it was. */
  put(slot: number): void {
    let entry = this.#entries.get(slot);
    if (entry >= 0) {
      if (entry === this.#tail) return;
      this.#unlink(entry);
    } else {
      entry = this.#take();
      this.#words[entry * entryWords] = slot;
      this.#entries.set(slot, entry);
    }
    this.#set(entry, previous, this.#tail);
    this.#set(entry, next, none);
    if (this.#tail === none) this.#head = entry;
    else this.#set(this.#tail, next, entry);
    this.#tail = entry;
  }

  delete(slot: number): void {
    const entry = this.#entries.get(slot);
    if (entry < 0) return;
    this.#unlink(entry);
    this.#entries.delete(slot);
    this.#set(entry, next, this.#free);
    this.#free = entry;
  }

  /** The first slot that `accepts` takes, −1 without any. O(those refused). */
  find(accepts: (slot: number) => boolean): number {
    for (let entry = this.#head; entry !== none; entry = this.#get(entry, next)) {
      const slot = this.#get(entry, 0);
      if (accepts(slot)) return slot;
    }
    return -1;
  }

  #take(): number {
    const entry = this.#free;
    if (entry !== none) {
      this.#free = this.#get(entry, next);
      return entry;
    }
    const end = (this.#used + 1) * entryWords;
    if (end > this.#words.length) this.#words = grown(this.#words, end);
    return this.#used++;
  }

  #unlink(entry: number): void {
    const before = this.#get(entry, previous);
    const behind = this.#get(entry, next);
    if (before === none) this.#head = behind;
    else this.#set(before, next, behind);
    if (behind === none) this.#tail = before;
    else this.#set(behind, previous, before);
  }

  #get(entry: number, word: number): number {
    return this.#words[entry * entryWords + word] as number;
  }

  #set(entry: number, word: number, value: number): void {
    this.#words[entry * entryWords + word] = value;
  }
}
