import { grown } from '../slots/slot-numbers.ts';
import { check, checkNames, integer, number, object, string, strings } from '@whirl/check';

/** Something that can be picked. */
export interface CandidateOptions {
  /** Unique in its selector; not empty. */
  readonly id: string;
  /** Where it is: for `geo()`, and a bonus in `performance()` and `adaptive()`. Default: nowhere. */
  readonly region?: string | undefined;
  /** Share of the picks under `weighted()`, relative to the others; 0 to 10^15, default 1. */
  readonly weight?: number | undefined;
  /** The cost of an attempt, in any unit, for `costAware()`; finite, ≥ 0, default 0. */
  readonly cost?: number | undefined;
  /** Labels that `select({ tags })` can ask for. Default none. */
  readonly tags?: readonly string[] | undefined;
  /** Attempts in flight at most; an integer ≥ 1. Default: no bound. */
  readonly maxConcurrent?: number | undefined;
}

const noTags: readonly string[] = Object.freeze([]);
const located = 1;
const tagged = 2;

const names = ['id', 'region', 'weight', 'cost', 'tags', 'maxConcurrent'];
const knownNames = new Set(names);
const weights = number(0, 1e15);
const costs = number(0);
const counts = integer(1);

/** Refuses a value out of its bounds. A message is put together only for a refusal: pools are large. */
function checkCandidate(options: CandidateOptions): void {
  check('candidate', options, object);
  for (const name in options) if (!knownNames.has(name)) checkNames('candidate', options, names);
  const { region, weight = 1, cost = 0, tags = noTags, maxConcurrent = Infinity } = options;
  const { id } = options;
  check('id', id, string);
  const of = (name: string) => `${name} of "${id}"`;
  if (region !== undefined) check(of('region'), region, string);
  if (weight !== 1) check(of('weight'), weight, weights);
  if (cost !== 0) check(of('cost'), cost, costs);
  if (maxConcurrent !== Infinity) check(of('maxConcurrent'), maxConcurrent, counts);
  if (tags === noTags) return;
  check(of('tags'), tags, strings);
  for (const tag of tags) check(of('each of tags'), tag, string);
}

/**
 * What was said of each candidate, in columns. A candidate is known by its slot: a small number that
 * is used again after the candidate was removed.
 */
export class CandidateTable {
  /**
   * By id; −1 for one that was removed. A map that ids leave and come back to leaves a trace of each time
   * in its chains: at 100,000 candidates that was 20 times the cost of an addition.
   */
  readonly #slots = new Map<string, number>();
  #removed = 0;
  /**
   * The one asked for last, none while empty. A pick and the start of its attempt follow each other, and
   * so do the attempt's end and its outcome; the map costs half a dozen cache misses at 100,000.
   */
  #lastId = '';
  #lastSlot = -1;
  readonly #free: number[] = [];
  readonly #ids: string[] = [];
  readonly #regions: (string | undefined)[] = [];
  readonly #tags: (readonly string[])[] = [];
  /** Whether there is a region, and tags: most have none, and a byte is at hand where a pointer is not. */
  #traits = new Uint8Array(16);
  #weights = new Float64Array(16);
  #costs = new Float64Array(16);

  get size(): number {
    return this.#slots.size - this.#removed;
  }

  /** Slots handed out so far, empty ones included. */
  get slots(): number {
    return this.#ids.length;
  }

  /** −1 when there is no such candidate. */
  slot(id: string): number {
    if (id === this.#lastId) return this.#lastSlot;
    const slot = this.#slots.get(id) ?? -1;
    if (slot >= 0) {
      this.#lastId = id;
      this.#lastSlot = slot;
    }
    return slot;
  }

  /** The slot it got. Throws on a value out of its bounds or a known id, and changes nothing then. */
  add(options: CandidateOptions): number {
    checkCandidate(options);
    const { id } = options;
    const known = this.#slots.get(id);
    if (known !== undefined && known >= 0)
      throw new RangeError(`id "${id}" is in the selector already`);

    const slot = this.#free.pop() ?? this.#ids.length;
    if (slot >= this.#weights.length) {
      this.#weights = grown(this.#weights, slot + 1);
      this.#costs = grown(this.#costs, this.#weights.length);
      this.#traits = grown(this.#traits, this.#weights.length);
    }
    this.#slots.set(id, slot);
    if (known !== undefined) this.#removed--;
    this.#ids[slot] = id;
    this.describe(slot, options);
    return slot;
  }

  /** The slot of a candidate that may be described again. Throws as `add` does, and on an unknown id. */
  checkUpdate(options: CandidateOptions): number {
    checkCandidate(options);
    const slot = this.slot(options.id);
    if (slot < 0) throw new RangeError(`unknown id "${options.id}"`);
    return slot;
  }

  remove(slot: number): void {
    this.#slots.set(this.id(slot), -1);
    this.#removed++;
    this.#forgetRemoved();
    this.#lastId = '';
    this.#lastSlot = -1;
    this.#ids[slot] = '';
    this.#regions[slot] = undefined;
    this.#tags[slot] = noTags;
    this.#free.push(slot);
  }

  /** Replaces what was said of it. The options have been checked. */
  describe(slot: number, options: CandidateOptions): void {
    const { region, weight = 1, cost = 0, tags = noTags } = options;
    this.#regions[slot] = region;
    this.#tags[slot] = tags.length === 0 ? noTags : [...new Set(tags)];
    this.#traits[slot] = (region === undefined ? 0 : located) | (tags.length === 0 ? 0 : tagged);
    this.#weights[slot] = weight;
    this.#costs[slot] = cost;
  }

  /** Those removed go when they are as many as those that are here: O(1) for each. */
  #forgetRemoved(): void {
    if (this.#removed <= Math.max(this.size, 64)) return;
    for (const [id, slot] of this.#slots) if (slot < 0) this.#slots.delete(id);
    this.#removed = 0;
  }

  /** Whether the candidate of this slot has this id. */
  isAt(slot: number, id: string): boolean {
    return this.#ids[slot] === id;
  }

  /** Whether a candidate has this slot. */
  holds(slot: number): boolean {
    return this.#ids[slot] !== '';
  }

  id(slot: number): string {
    this.#lastSlot = slot;
    return (this.#lastId = this.#ids[slot] as string);
  }

  hasRegion(slot: number): boolean {
    return ((this.#traits[slot] as number) & located) !== 0;
  }

  hasTags(slot: number): boolean {
    return ((this.#traits[slot] as number) & tagged) !== 0;
  }

  region(slot: number): string | undefined {
    return this.#regions[slot];
  }

  tags(slot: number): readonly string[] {
    return this.#tags[slot] as readonly string[];
  }

  weight(slot: number): number {
    return this.#weights[slot] as number;
  }

  cost(slot: number): number {
    return this.#costs[slot] as number;
  }
}
