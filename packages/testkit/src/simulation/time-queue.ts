/** Numbers in order of their time; equal times in no particular order. A binary heap. */
export class TimeQueue {
  readonly #times: number[] = [];
  readonly #entries: number[] = [];

  get size(): number {
    return this.#times.length;
  }

  /** The earliest time, Infinity when empty. */
  get nextTime(): number {
    return this.#times[0] ?? Infinity;
  }

  push(time: number, entry: number): void {
    const times = this.#times;
    const entries = this.#entries;
    let at = times.length;
    times.push(time);
    entries.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (times[parent]! <= time) break;
      times[at] = times[parent]!;
      entries[at] = entries[parent]!;
      at = parent;
    }
    times[at] = time;
    entries[at] = entry;
  }

  /** Takes the earliest entry. Throws when empty. */
  pop(): number {
    const times = this.#times;
    const entries = this.#entries;
    const earliest = entries[0];
    if (earliest === undefined) throw new RangeError('the queue is empty');
    const time = times.pop()!;
    const entry = entries.pop()!;
    const size = times.length;
    if (size === 0) return earliest;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && times[child + 1]! < times[child]!) child++;
      if (times[child]! >= time) break;
      times[at] = times[child]!;
      entries[at] = entries[child]!;
      at = child;
    }
    times[at] = time;
    entries[at] = entry;
    return earliest;
  }
}
