const leastBits = 4;
const leastSpill = 16;

/**
 * Slots by the hash of their id, in the order of the hashes. A table with open addressing whose places rise with the
 * hashes: adding, removing and finding the next one take a constant number of steps on average, whatever the size.
 */
export class Ring {
  #bits = leastBits;
  /** Places at the end, for what does not fit where its hash says. */
  #spill = leastSpill;
  #hashes = new Uint32Array((1 << leastBits) + leastSpill);
  /** −1: the place is free. */
  #slots = new Int32Array(this.#hashes.length).fill(-1);
  #size = 0;

  /** Slots of the same hash stand in the order of their slots' ids. */
  readonly #idOf: (slot: number) => string;

  constructor(idOf: (slot: number) => string) {
    this.#idOf = idOf;
  }

  get size(): number {
    return this.#size;
  }

  add(slot: number, hash: number): void {
    if (this.#find(slot, hash) >= 0) return;
    if (2 * (this.#size + 1) > 1 << this.#bits) this.#resize(this.#bits + 1);
    this.#insert(slot, hash);
    this.#size++;
  }

  delete(slot: number, hash: number): void {
    let at = this.#find(slot, hash);
    if (at < 0) return;
    const [hashes, slots] = [this.#hashes, this.#slots];
    for (; (slots[at + 1] ?? -1) >= 0 && this.#placeOf(hashes[at + 1] as number) <= at; at++) {
      hashes[at] = hashes[at + 1] as number;
      slots[at] = slots[at + 1] as number;
    }
    slots[at] = -1;
    this.#size--;
    if (this.#bits > leastBits && 8 * this.#size < 1 << this.#bits) this.#resize(this.#bits - 1);
  }

  /** The place of the first one at or after a hash, around the ring; −1 when there is none. */
  from(hash: number): number {
    if (this.#size === 0) return -1;
    let at = this.#placeOf(hash);
    while ((this.#slots[at] ?? 0) < 0 || (this.#hashes[at] ?? Infinity) < hash) at++;
    return at < this.#slots.length ? at : this.after(-1);
  }

  /** The place of the next one. */
  after(place: number): number {
    let at = place + 1;
    while ((this.#slots[at] ?? 0) < 0) at++;
    return at < this.#slots.length ? at : this.after(-1);
  }

  slotAt(place: number): number {
    return this.#slots[place] as number;
  }

  hashAt(place: number): number {
    return this.#hashes[place] as number;
  }

  #placeOf(hash: number): number {
    return hash >>> (32 - this.#bits);
  }

  #find(slot: number, hash: number): number {
    let at = this.#placeOf(hash);
    while ((this.#slots[at] ?? -1) >= 0 && this.#slots[at] !== slot) at++;
    return this.#slots[at] === slot ? at : -1;
  }

  #insert(slot: number, hash: number): void {
    const [hashes, slots] = [this.#hashes, this.#slots];
    let at = this.#placeOf(hash);
    while ((slots[at] ?? -1) >= 0 && this.#isBefore(at, slot, hash)) at++;
    let end = at;
    while ((slots[end] ?? -1) >= 0) end++;
    if (end >= slots.length) {
      this.#spill *= 2;
      this.#resize(this.#bits);
      this.#insert(slot, hash);
      return;
    }
    hashes.copyWithin(at + 1, at, end);
    slots.copyWithin(at + 1, at, end);
    hashes[at] = hash;
    slots[at] = slot;
  }

  #isBefore(place: number, slot: number, hash: number): boolean {
    const there = this.#hashes[place] as number;
    if (there !== hash) return there < hash;
    return this.#idOf(this.#slots[place] as number) < this.#idOf(slot);
  }

  #resize(bits: number): void {
    const [hashes, slots] = [this.#hashes, this.#slots];
    this.#bits = bits;
    this.#hashes = new Uint32Array((1 << bits) + this.#spill);
    this.#slots = new Int32Array(this.#hashes.length).fill(-1);
    for (const [at, slot] of slots.entries())
      if (slot >= 0) this.#insert(slot, hashes[at] as number);
  }
}
