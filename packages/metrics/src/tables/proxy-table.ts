import { outcomeIndex } from './label-sets.ts';
import { Histogram } from '../latency/histogram.ts';
import type { Hourly, HourRing } from './hour-ring.ts';
import { bucketCount } from '../latency/latency-scale.ts';
import { grown, NameTable, type RowOwner } from './name-table.ts';
import { addSketch, sketchSize, writeSketch } from '../latency/quantile-sketch.ts';

/** Outcomes an attempt can have: `circuit_open` stops a request before there is one. */
export const attemptOutcomes = ['success', 'failure', 'timeout', 'aborted'] as const;

const outcomeCount = attemptOutcomes.length;
const maxUint16 = 65_535;

/** What a proxy did in some hours. */
export interface ProxyCounts {
  readonly attempts: number;
  readonly failures: number;
  readonly opens: number;
  /** Sum over the successful attempts, to the headers. */
  readonly latencySumMs: number;
  /** Of the successful attempts, to the headers. Good until the next read. */
  readonly latency: Histogram;
}

/**
 * Counts by proxy and hour, in arrays of numbers: with 24 hours about 1.1 kB a proxy. A dense
 * histogram for each proxy and hour would take six times that, so only the current hour has one; of
 * a finished hour 16 quantiles are kept.
 */
export class ProxyTable implements RowOwner, Hourly {
  readonly #slots: number;
  readonly #ring: HourRing;
  readonly #names: NameTable;
  // By row and slot.
  #attempts = new Uint32Array(0);
  #failures = new Uint32Array(0);
  #opens = new Uint16Array(0);
  /** Of finished hours; the current one's is in `#currentSumMs`, to the last digit. */
  #latencySumMs = new Float32Array(0);
  #sketches = new Uint8Array(0);
  // By row.
  #currentLatency = new Uint16Array(0);
  #currentSumMs = new Float64Array(0);
  #outcomes = new Float64Array(0);
  #circuits = new Uint8Array(0);
  #removed = new Uint8Array(0);
  /** Row 0 takes in what others leave, so it keeps whole histograms, and opens without a ceiling. */
  readonly #otherLatency: readonly Histogram[];
  readonly #otherOpens: Float64Array;
  readonly #merged = new Histogram();

  constructor(maxProxies: number, ring: HourRing) {
    this.#slots = ring.slots;
    this.#ring = ring;
    this.#otherLatency = Array.from({ length: ring.slots }, () => new Histogram());
    this.#otherOpens = new Float64Array(ring.slots);
    this.#names = new NameTable(maxProxies, this);
  }

  /** Proxies with a row of their own. */
  get size(): number {
    return this.#names.size;
  }

  /** One attempt; `outcome` as a number of the closed set, and the bucket of its latency. */
  recordAttempt(proxyId: string, outcome: number, latencyMs: number, bucket: number): void {
    const row = this.#names.use(proxyId);
    const at = row * this.#slots + this.#ring.slot;
    this.#attempts[at]! += 1;
    this.#outcomes[
      row * outcomeCount + (outcome < outcomeCount ? outcome : outcomeIndex.failure)
    ]! += 1;
    if (outcome !== outcomeIndex.success) {
      this.#failures[at]! += 1;
      return;
    }
    this.#currentSumMs[row]! += latencyMs;
    if (row === 0) this.#otherLatency[this.#ring.slot]!.record(latencyMs, bucket);
    else {
      const count = row * bucketCount + bucket;
      if (this.#currentLatency[count] === maxUint16) this.#halve(row);
      this.#currentLatency[count]! += 1;
    }
  }

  /** One circuit that opened. */
  recordOpen(proxyId: string): void {
    const row = this.#names.use(proxyId);
    const { slot } = this.#ring;
    if (row === 0) this.#otherOpens[slot]! += 1;
    else {
      const at = row * this.#slots + slot;
      if (this.#opens[at]! < maxUint16) this.#opens[at]! += 1;
    }
  }

  /** Remembers a circuit's state; `state` as a number of the closed set, 0 for closed. */
  setCircuit(proxyId: string, state: number): void {
    const row = state === 0 ? this.#names.find(proxyId) : this.#names.use(proxyId);
    if (row !== undefined && row !== 0) this.#circuits[row] = state;
  }

  circuitOf(row: number): number {
    return this.#circuits[row]!;
  }

  /** Notes that a proxy is in the pool, or no longer; says which state its circuit was in. */
  setInPool(proxyId: string, inPool: boolean): number {
    const row = this.#names.find(proxyId);
    if (row === undefined || row === 0) return 0;
    const state = this.#circuits[row]!;
    this.#removed[row] = inPool ? 0 : 1;
    this.#circuits[row] = 0;
    return state;
  }

  /** Whether a proxy is known to have left the pool. */
  isRemoved(proxyId: string): boolean {
    const row = this.#names.find(proxyId);
    return row !== undefined && this.#removed[row] === 1;
  }

  /** The row of a proxy, `other` included; undefined when it has none. */
  rowOf(proxyId: string): number | undefined {
    return this.#names.find(proxyId);
  }

  /** Every row with a name, `other` first. */
  rows(): Generator<readonly [row: number, proxyId: string]> {
    return this.#names.entries();
  }

  /** Attempts of a row since the start, by a number of `attemptOutcomes`. */
  outcomeCount(row: number, outcome: number): number {
    return this.#outcomes[row * outcomeCount + outcome]!;
  }

  /** What a row did in these slots; `undefined` when nothing. */
  read(row: number, slots: readonly number[]): ProxyCounts | undefined {
    let attempts = 0;
    let failures = 0;
    let opens = 0;
    let latencySumMs = 0;
    for (const slot of slots) {
      const at = row * this.#slots + slot;
      attempts += this.#attempts[at]!;
      failures += this.#failures[at]!;
      opens += row === 0 ? this.#otherOpens[slot]! : this.#opens[at]!;
      latencySumMs += this.#sumMs(row, slot);
    }
    if (attempts === 0 && opens === 0) return undefined;
    this.#merged.clear();
    for (const slot of slots) this.#addLatency(row, slot, this.#merged);
    return { attempts, failures, opens, latencySumMs, latency: this.#merged };
  }

  finishHour(slot: number): void {
    for (let row = 0; row < this.#names.rowCount; row++) {
      const at = row * this.#slots + slot;
      this.#latencySumMs[at] = this.#currentSumMs[row]!;
      if (row === 0 || this.#attempts[at] === this.#failures[at]) continue;
      writeSketch(this.#currentLatency, row * bucketCount, this.#sketches, at * sketchSize);
    }
    this.#currentLatency.fill(0);
    this.#currentSumMs.fill(0);
  }

  startHour(slot: number): void {
    for (let at = slot; at < this.#attempts.length; at += this.#slots) {
      this.#attempts[at] = this.#failures[at] = this.#opens[at] = this.#latencySumMs[at] = 0;
    }
    this.#otherLatency[slot]!.clear();
    this.#otherOpens[slot] = 0;
    this.#releaseForgotten();
  }

  grow(capacity: number): void {
    const hours = capacity * this.#slots;
    this.#attempts = grown(this.#attempts, hours);
    this.#failures = grown(this.#failures, hours);
    this.#opens = grown(this.#opens, hours);
    this.#latencySumMs = grown(this.#latencySumMs, hours);
    this.#sketches = grown(this.#sketches, hours * sketchSize);
    this.#currentLatency = grown(this.#currentLatency, capacity * bucketCount);
    this.#currentSumMs = grown(this.#currentSumMs, capacity);
    this.#outcomes = grown(this.#outcomes, capacity * outcomeCount);
    this.#circuits = grown(this.#circuits, capacity);
    this.#removed = grown(this.#removed, capacity);
  }

  fold(row: number): void {
    for (let slot = 0; slot < this.#slots; slot++) {
      const at = row * this.#slots + slot;
      if (this.#attempts[at] === 0 && this.#opens[at] === 0) continue;
      this.#addLatency(row, slot, this.#otherLatency[slot]!);
      this.#attempts[slot]! += this.#attempts[at]!;
      this.#failures[slot]! += this.#failures[at]!;
      this.#latencySumMs[slot]! += this.#latencySumMs[at]!;
      this.#otherOpens[slot]! += this.#opens[at]!;
      this.#attempts[at] = this.#failures[at] = this.#opens[at] = this.#latencySumMs[at] = 0;
    }
    this.#currentSumMs[0]! += this.#currentSumMs[row]!;
    this.#currentSumMs[row] = 0;
    this.#currentLatency.fill(0, row * bucketCount, (row + 1) * bucketCount);
    for (let outcome = 0; outcome < outcomeCount; outcome++) {
      this.#outcomes[outcome]! += this.#outcomes[row * outcomeCount + outcome]!;
      this.#outcomes[row * outcomeCount + outcome] = 0;
    }
    this.#circuits[row] = 0;
    this.#removed[row] = 0;
  }

  #sumMs(row: number, slot: number): number {
    return slot === this.#ring.slot
      ? this.#currentSumMs[row]!
      : this.#latencySumMs[row * this.#slots + slot]!;
  }

  #addLatency(row: number, slot: number, into: Histogram): void {
    if (row === 0) {
      into.merge(this.#otherLatency[slot]!);
      return;
    }
    const at = row * this.#slots + slot;
    const successes = this.#attempts[at]! - this.#failures[at]!;
    if (successes === 0) return;
    if (slot !== this.#ring.slot) {
      addSketch(this.#sketches, at * sketchSize, successes, into);
      return;
    }
    const first = row * bucketCount;
    let kept = 0;
    for (let bucket = 0; bucket < bucketCount; bucket++)
      kept += this.#currentLatency[first + bucket]!;
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      const count = this.#currentLatency[first + bucket]!;
      if (count > 0) into.addToBuckets(bucket, bucket, (count * successes) / kept);
    }
  }

  /** A bucket is full: halving all of the row keeps the shape, and `attempts` keeps the weight. */
  #halve(row: number): void {
    for (let at = row * bucketCount; at < (row + 1) * bucketCount; at++) {
      this.#currentLatency[at] = (this.#currentLatency[at]! + 1) >> 1;
    }
  }

  /** Gives up the rows of proxies that left the pool and did nothing in all of the hours held. */
  #releaseForgotten(): void {
    for (let row = 1; row < this.#names.rowCount; row++) {
      if (this.#removed[row] === 1 && this.#isIdle(row)) this.#names.release(row);
    }
  }

  #isIdle(row: number): boolean {
    for (let at = row * this.#slots; at < (row + 1) * this.#slots; at++) {
      if (this.#attempts[at]! > 0 || this.#opens[at]! > 0) return false;
    }
    return true;
  }
}
