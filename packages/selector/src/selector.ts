import type { AttemptEnd, CircuitState, Outcome, WhirlBus } from '@whirl/events';
import { adaptive, largestLatency, performanceScore } from './strategies.ts';
import type { Candidate, SelectContext, Strategy } from './strategy.ts';

export interface CandidateOptions {
  readonly id: string;
  readonly region?: string | undefined;
  /** For `weighted()`; ≥ 0, default 1. */
  readonly weight?: number | undefined;
  /** ≥ 0, default 0. */
  readonly cost?: number | undefined;
  readonly tags?: readonly string[] | undefined;
  /** Attempts in flight at most; an integer ≥ 1. Default: no bound. */
  readonly maxConcurrent?: number | undefined;
}

export interface SelectorOptions {
  /** Default `adaptive()`. */
  readonly strategy?: Strategy | undefined;
  readonly now?: (() => number) | undefined;
  readonly random?: (() => number) | undefined;
  /** Learns from it: attempts and circuits. */
  readonly bus?: WhirlBus | undefined;
}

export interface Pick {
  readonly id: string;
  /** True when every available candidate was excluded: the least recently used of them. */
  readonly reused: boolean;
}

export interface CandidateStats {
  readonly successRate: number;
  readonly avgLatencyMs: number | undefined;
  readonly samples: number;
  /** The documented performance score, at most 1. */
  readonly score: number;
  readonly inFlight: number;
}

const kept = 100;

class Entry implements Candidate {
  readonly id: string;
  readonly region: string | undefined;
  readonly weight: number;
  readonly cost: number;
  readonly tags: readonly string[];
  readonly maxConcurrent: number;
  inFlight = 0;
  picks = 0;
  lastPick = 0;
  state: CircuitState = 'closed';
  nextTestAt = 0;
  readonly #outcomes: boolean[] = [];
  readonly #latencies: number[] = [];
  #outcomeAt = 0;
  #latencyAt = 0;
  #successes = 0;
  #latencySum = 0;

  constructor(options: CandidateOptions) {
    const { id, region, weight = 1, cost = 0, tags = [], maxConcurrent = Infinity } = options;
    if (typeof id !== 'string' || id === '') throw new TypeError(`id must be a text, got ${id}`);
    for (const [name, value] of Object.entries({ weight, cost })) {
      if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
        throw new RangeError(`${name} of "${id}" must be a number ≥ 0, got ${String(value)}`);
      }
    }
    if (maxConcurrent !== Infinity && (!Number.isInteger(maxConcurrent) || maxConcurrent < 1)) {
      throw new RangeError(`maxConcurrent of "${id}" must be an integer ≥ 1, got ${maxConcurrent}`);
    }
    this.id = id;
    this.region = region;
    this.weight = weight;
    this.cost = cost;
    this.tags = [...tags];
    this.maxConcurrent = maxConcurrent;
  }

  get samples(): number {
    return this.#outcomes.length;
  }

  get successRate(): number {
    return this.#outcomes.length === 0 ? 0.5 : this.#successes / this.#outcomes.length;
  }

  get avgLatencyMs(): number | undefined {
    return this.#latencies.length === 0 ? undefined : this.#latencySum / this.#latencies.length;
  }

  record(success: boolean, latencyMs: number): void {
    if (this.#outcomes[this.#outcomeAt] === true) this.#successes--;
    this.#outcomes[this.#outcomeAt] = success;
    this.#outcomeAt = (this.#outcomeAt + 1) % kept;
    if (!success) return;
    this.#successes++;
    this.#latencySum += latencyMs - (this.#latencies[this.#latencyAt] ?? 0);
    this.#latencies[this.#latencyAt] = latencyMs;
    this.#latencyAt = (this.#latencyAt + 1) % kept;
  }

  available(now: number): boolean {
    if (this.inFlight >= this.maxConcurrent) return false;
    switch (this.state) {
      case 'closed':
      case 'disabled':
        return true;
      case 'forced_open':
        return false;
      case 'open':
      case 'half_open':
        return now >= this.nextTestAt && this.inFlight === 0;
    }
  }
}

/** Candidates, what is known of them, and the strategy that picks one. */
export class Selector {
  readonly #entries = new Map<string, Entry>();
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #offs: (() => void)[] = [];
  #strategy: Strategy;
  #picks = 0;

  constructor(options: SelectorOptions = {}) {
    const { now = systemNow, random = Math.random, strategy = adaptive(), bus } = options;
    this.#now = now;
    this.#random = random;
    this.#strategy = strategy;
    if (bus === undefined) return;
    this.#offs.push(
      bus.on('attempt:start', ({ proxyId }) => this.started(proxyId)),
      bus.on('attempt:end', (event) => this.#heard(event)),
      bus.on('circuit:transition', (event) => this.circuitChanged(event)),
    );
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Candidates that could be picked now. */
  get availableCount(): number {
    const now = this.#now();
    let count = 0;
    for (const entry of this.#entries.values()) if (entry.available(now)) count++;
    return count;
  }

  has(id: string): boolean {
    return this.#entries.has(id);
  }

  /** Throws on a duplicate id or a value out of its bounds; nothing is changed then. */
  add(options: CandidateOptions): void {
    const entry = new Entry(options);
    if (this.#entries.has(entry.id))
      throw new RangeError(`id "${entry.id}" is in the pool already`);
    let least = Infinity;
    for (const { picks } of this.#entries.values()) least = Math.min(least, picks);
    entry.picks = least === Infinity ? 0 : least;
    this.#entries.set(entry.id, entry);
  }

  remove(id: string): boolean {
    return this.#entries.delete(id);
  }

  /** Changes the strategy; nothing learned is lost. */
  use(strategy: Strategy): void {
    this.#strategy = strategy;
  }

  /** Picks a candidate, or undefined when none is available or none matches. */
  select(context: SelectContext = {}): Pick | undefined {
    const now = this.#now();
    const { exclude, tags = [] } = context;
    const excluded = exclude instanceof Set ? exclude : new Set(exclude ?? []);
    const open: Entry[] = [];
    let oldest: Entry | undefined;
    for (const entry of this.#entries.values()) {
      if (!entry.available(now) || !tags.every((tag) => entry.tags.includes(tag))) continue;
      if (!excluded.has(entry.id)) open.push(entry);
      else if (oldest === undefined || entry.lastPick < oldest.lastPick) oldest = entry;
    }
    const reused = open.length === 0;
    const picked = reused ? oldest : this.#strategy.pick(open, context, this.#random);
    if (picked === undefined) return undefined;
    const entry = this.#entries.get(picked.id) as Entry;
    entry.picks++;
    entry.lastPick = ++this.#picks;
    return { id: entry.id, reused };
  }

  /** An attempt through it began. Unknown ids are ignored: it may have been removed. */
  started(id: string): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.inFlight++;
  }

  settled(id: string): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined && entry.inFlight > 0) entry.inFlight--;
  }

  /** An outcome of a proxy. Throws on an unknown id or a latency that is no number ≥ 0. */
  record(outcome: { id: string; outcome: Outcome; latencyMs: number; target?: string }): void {
    const { id, latencyMs } = outcome;
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new RangeError(`unknown id "${id}"`);
    if (!Number.isFinite(latencyMs) || latencyMs < 0) {
      throw new RangeError(`latencyMs of "${id}" must be a number ≥ 0, got ${latencyMs}`);
    }
    if (outcome.outcome === 'aborted' || outcome.outcome === 'circuit_open') return;
    entry.record(outcome.outcome === 'success', latencyMs);
  }

  circuitChanged(event: { name: string; to: CircuitState; nextTestAt?: number | undefined }): void {
    const entry = this.#entries.get(event.name);
    if (entry === undefined) return;
    entry.state = event.to;
    entry.nextTestAt = event.nextTestAt ?? 0;
  }

  /** What is known of a candidate; reading changes nothing. Throws on an unknown id. */
  stats(id: string): CandidateStats {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new RangeError(`unknown id "${id}"`);
    const { successRate, avgLatencyMs, samples, inFlight } = entry;
    const score = Math.min(
      1,
      performanceScore(entry, largestLatency(this.#entries.values()), undefined),
    );
    return { successRate, avgLatencyMs, samples, score, inFlight };
  }

  /** Stops listening to the bus. */
  close(): void {
    for (const off of this.#offs.splice(0)) off();
  }

  #heard({ proxyId, blame, outcome, latencyMs }: AttemptEnd): void {
    this.settled(proxyId);
    if (blame === 'caller') return;
    this.#entries.get(proxyId)?.record(blame !== 'proxy' || outcome === 'success', latencyMs);
  }
}

function systemNow(): number {
  return globalThis.performance.timeOrigin + globalThis.performance.now();
}
