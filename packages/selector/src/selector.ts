import type {
  AttemptEnd,
  CircuitState,
  CircuitTransition,
  Outcome,
  ProxyBanned,
  WhirlBus,
} from '@whirl/events';
import { adaptive } from './adaptive.ts';
import type { CandidateOptions } from './candidate-table.ts';
import { checkAsk } from './check-ask.ts';
import { checkStrategy } from './check-strategy.ts';
import { Pool } from './pool.ts';
import type { SelectContext, Strategy } from './strategy.ts';
import { TargetMemory } from './target-memory.ts';
import { checkFunction, checkNames, checkNumber, checkText } from './validate.ts';

export interface SelectorOptions {
  /** Default `adaptive()`. */
  readonly strategy?: Strategy | undefined;
  /** Epoch milliseconds. Default `performance.timeOrigin + performance.now()`. */
  readonly now?: (() => number) | undefined;
  /** Draws from 0 up to 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Learns from it: attempts, circuits and bans. */
  readonly bus?: Pick<WhirlBus, 'on'> | undefined;
}

/** A candidate that was selected. */
export interface Selection {
  readonly id: string;
  /** True when every available candidate was excluded: the least recently used of them. */
  readonly reused: boolean;
}

/** How an attempt ended. */
export interface AttemptOutcome {
  readonly id: string;
  /** `aborted` and `circuit_open` say nothing about the candidate. */
  readonly outcome: Outcome;
  /** Milliseconds, 0 to 10^12. */
  readonly latencyMs: number;
  /** What the attempt wanted to reach. */
  readonly target?: string | undefined;
}

/** What is known of a candidate. */
export interface CandidateStats {
  /** Of the last 100 outcomes, 0 to 1; 0.5 without any. */
  readonly successRate: number;
  /** Of its successes, in milliseconds; undefined without any. */
  readonly avgLatencyMs: number | undefined;
  /** Outcomes recorded, at most 100. */
  readonly samples: number;
  /** As the strategy in use judges it, 0 to 1. */
  readonly score: number;
  /** Attempts begun and not ended. */
  readonly inFlight: number;
  /** Whether it could be picked now. */
  readonly available: boolean;
}

/** A timeout says more than a failure, and was longer in coming. */
const timeoutWeight = 2;
/** Picks that target memory may refuse one by one; then all that it would refuse are put aside. */
const maxRefusals = 16;

/** More would take a mean beyond what a number can hold. */
const maxLatencyMs = 1e12;

const nothing: SelectContext = Object.freeze({});
const defaultNow = () => globalThis.performance.timeOrigin + globalThis.performance.now();
const outcomes = ['success', 'failure', 'timeout', 'aborted', 'circuit_open'];

/** Candidates, what is known of them, and the strategy that picks one. */
export class Selector {
  readonly #pool: Pool;
  readonly #targets = new TargetMemory();
  readonly #now: () => number;
  readonly #offs: (() => void)[] = [];
  #strategy: Strategy;

  /** Throws a TypeError or RangeError that names the option and the value. */
  constructor(options: SelectorOptions = {}) {
    checkNames('options', options, 'strategy now random bus');
    const { now = defaultNow, random = Math.random, strategy = adaptive(), bus } = options;
    checkFunction('now', now);
    checkFunction('random', random);
    checkStrategy('strategy', strategy);
    if (bus !== undefined) checkFunction('bus.on', bus?.on as unknown);
    this.#pool = new Pool(random);
    this.#now = now;
    this.#strategy = strategy;
    strategy.attach?.(this.#pool.root);
    if (bus === undefined) return;
    this.#offs.push(
      bus.on('attempt:start', ({ proxyId }) => this.started(proxyId)),
      bus.on('attempt:end', (event) => this.#attemptEnded(event)),
      bus.on('circuit:transition', (event) => this.circuitChanged(event)),
      bus.on('proxy:banned', (event) => this.#banned(event)),
    );
  }

  /** Candidates, available or not. */
  get size(): number {
    return this.#pool.table.size;
  }

  /** Candidates that could be picked now. Reading changes nothing. */
  get availableCount(): number {
    return this.#pool.root.size + this.#pool.availability.countDue(this.#now());
  }

  has(id: string): boolean {
    return this.#pool.table.slot(id) >= 0;
  }

  /**
   * Adds a candidate: its circuit closed, nothing known of it. O(log n). Throws a TypeError or
   * RangeError on a value out of its bounds and on an id that is there already; nothing is changed
   * then.
   */
  add(options: CandidateOptions): void {
    this.#tick();
    this.#pool.add(options);
  }

  /** Removes a candidate and what was learned of it. False when there is no such. O(log n). */
  remove(id: string): boolean {
    const slot = this.#pool.table.slot(id);
    if (slot < 0) return false;
    this.#tick();
    this.#pool.remove(slot);
    return true;
  }

  /** Changes the strategy; nothing learned of the candidates is lost. */
  use(strategy: Strategy): void {
    checkStrategy('strategy', strategy);
    this.#tick();
    this.#strategy = strategy;
    this.#pool.dropIndices();
    strategy.attach?.(this.#pool.root);
  }

  /**
   * Picks a candidate; undefined when none is available or none passes the filters. Call `started`
   * when the attempt begins: until then it is no load. One whose circuit is to be tested is picked
   * once, and again when that attempt has ended. Throws a TypeError on an option that is unknown or
   * of the wrong type.
   */
  select(ask: SelectContext = nothing): Selection | undefined {
    if (ask !== nothing) checkAsk(ask);
    const pool = this.#pool;
    this.#tick();
    pool.availability.advance(pool.now);
    let slot = -1;
    let reused = false;
    pool.begin();
    try {
      if (ask.exclude !== undefined) this.#exclude(ask.exclude);
      slot = this.#pick(ask);
      if (slot < 0 && pool.hidden.length > 0) {
        slot = this.#reuse(ask);
        reused = slot >= 0;
      }
    } finally {
      pool.end(slot);
    }
    return slot < 0 ? undefined : { id: pool.table.id(slot), reused };
  }

  /** An attempt through it began. Unknown ids are ignored: it may have been removed. */
  started(id: string): void {
    const slot = this.#pool.table.slot(id);
    if (slot >= 0) this.#pool.availability.started(slot, this.#tick());
  }

  /** An attempt through it ended. Unknown ids are ignored. */
  settled(id: string): void {
    const slot = this.#pool.table.slot(id);
    if (slot >= 0) this.#pool.availability.settled(slot, this.#tick());
  }

  /**
   * Learns from an outcome. Throws a RangeError or TypeError on an unknown id or outcome, or a latency
   * that is no number from 0 to 10^12; nothing is changed then.
   */
  record({ id, outcome, latencyMs, target }: AttemptOutcome): void {
    const slot = this.#slot(id);
    checkOutcome(id, outcome, latencyMs);
    if (target !== undefined) checkText(`target of "${id}"`, target);
    this.#tick();
    const tells = outcome !== 'aborted' && outcome !== 'circuit_open';
    if (tells) this.#learn(slot, outcome === 'success', outcome === 'timeout', latencyMs, target);
    this.#pool.availability.concluded(slot, this.#pool.now);
  }

  /**
   * The circuit of the candidate `name` changed. Unknown names are ignored. An open one is offered to
   * one request at a time from `nextTestAt` on; without that time, not before its next transition.
   */
  circuitChanged(event: Pick<CircuitTransition, 'name' | 'to' | 'nextTestAt'>): void {
    const { name, to, nextTestAt } = event;
    const slot = this.#pool.table.slot(name);
    if (slot < 0) return;
    checkState(name, to);
    if (nextTestAt !== undefined) checkNumber(`nextTestAt of "${name}"`, nextTestAt, 0);
    this.#pool.availability.circuit(slot, to, nextTestAt, this.#tick());
  }

  /** Nobody picks it before that time (epoch ms). Throws on an unknown id or a time that is none. */
  ban(id: string, untilMs: number): void {
    const slot = this.#slot(id);
    checkNumber(`untilMs of "${id}"`, untilMs, 0);
    this.#pool.availability.ban(slot, untilMs, this.#tick());
  }

  /**
   * It is avoided for that target before that time (epoch ms), while another is available, and used for
   * all others. Throws on an unknown id, an empty target or a time that is none.
   */
  banTarget(id: string, target: string, untilMs: number): void {
    this.#slot(id);
    checkText(`target of "${id}"`, target);
    checkNumber(`untilMs of "${id}"`, untilMs, 0);
    this.#targets.ban(target, id, untilMs, this.#tick());
  }

  /**
   * What is known of a candidate, its score as a request for that region would see it. Reading changes
   * nothing. Throws on an unknown id.
   */
  stats(id: string, ask: Pick<SelectContext, 'region'> = nothing): CandidateStats {
    const slot = this.#slot(id);
    const { root, outcomes: history, availability } = this.#pool;
    const now = this.#tick();
    return {
      successRate: history.successRate(slot),
      avgLatencyMs: this.#pool.avgLatencyMs(slot),
      samples: history.samples(slot),
      score: this.#strategy.score?.(root, slot, ask) ?? root.success(slot),
      inFlight: availability.inFlight(slot),
      available: availability.isAvailable(slot, now),
    };
  }

  /** Stops listening to the bus. */
  close(): void {
    for (const off of this.#offs.splice(0)) off();
  }

  #tick(): number {
    return (this.#pool.now = this.#now());
  }

  #slot(id: string): number {
    const slot = this.#pool.table.slot(id);
    if (slot < 0) throw new RangeError(`unknown id "${String(id)}"`);
    return slot;
  }

  #exclude(exclude: ReadonlySet<string> | readonly string[]): void {
    for (const id of exclude) {
      const slot = this.#pool.table.slot(id);
      if (slot >= 0) this.#pool.hide(slot);
    }
  }

  /** Asks the strategy until target memory has nothing against its choice. */
  #pick(ask: SelectContext): number {
    const { target } = ask;
    const first = this.#ask(ask);
    if (first < 0 || target === undefined || !this.#avoids(target, first)) return first;
    const { hidden } = this.#pool;
    const excluded = hidden.length;
    let slot = first;
    for (let i = 0; i < maxRefusals && slot >= 0 && this.#avoids(target, slot); i++) {
      this.#pool.hide(slot);
      slot = this.#ask(ask);
    }
    if (slot >= 0 && this.#avoids(target, slot)) {
      for (const id of this.#targets.ids(target)) {
        const other = this.#pool.table.slot(id);
        if (other >= 0 && this.#avoids(target, other)) this.#pool.hide(other);
      }
      slot = this.#ask(ask);
    }
    if (slot >= 0) return slot;
    // Nobody else is left: one that is avoided is better than none.
    while (hidden.length > excluded) this.#pool.show(hidden[excluded] as number);
    return this.#ask(ask);
  }

  #avoids(target: string, slot: number): boolean {
    const { table, now, outcomes } = this.#pool;
    const successes = outcomes.successes(slot);
    return this.#targets.avoids(target, table.id(slot), { now, successes, poolSize: table.size });
  }

  #ask(ask: SelectContext): number {
    const { root } = this.#pool;
    const { tags } = ask;
    const among = tags === undefined || tags.length === 0 ? root : root.withTags(tags);
    const slot = this.#strategy.pick(among, ask);
    if (slot < 0 || among.has(slot)) return slot;
    throw new RangeError(
      `strategy "${this.#strategy.name}" picked ${slot}, which is not among the candidates`,
    );
  }

  /** All are excluded: the least recently used that the strategy would take at all. */
  #reuse(ask: SelectContext): number {
    const pool = this.#pool;
    const { availability } = pool;
    const excluded = pool.hidden.toSorted(
      (a, b) => availability.lastPick(a) - availability.lastPick(b),
    );
    for (const each of excluded) {
      pool.show(each);
      const slot = this.#ask(ask);
      if (slot >= 0) return slot;
      pool.hide(each);
    }
    return -1;
  }

  #learn(
    slot: number,
    success: boolean,
    timeout: boolean,
    latencyMs: number,
    target: string | undefined,
  ): void {
    this.#pool.record(slot, success, timeout ? timeoutWeight : 1, latencyMs);
    if (target === undefined) return;
    const id = this.#pool.table.id(slot);
    if (success) this.#targets.succeeded(target, id, this.#pool.now);
    else this.#targets.failed(target, id, this.#pool.now, this.#pool.outcomes.successes(slot));
  }

  #attemptEnded({ proxyId, origin, blame, outcome, latencyMs }: AttemptEnd): void {
    const slot = this.#pool.table.slot(proxyId);
    if (slot < 0) return;
    // First of all: an event that is refused has ended an attempt all the same.
    this.#pool.availability.settled(slot, this.#tick());
    checkOutcome(proxyId, outcome, latencyMs);
    if (blame !== 'caller' && outcome !== 'aborted' && outcome !== 'circuit_open') {
      // To the proxy's credit: it led to a target that is to blame.
      const success = outcome === 'success' || blame !== 'proxy';
      const target = outcome === 'success' || blame === 'proxy' ? origin : undefined;
      this.#learn(slot, success, outcome === 'timeout', latencyMs, target);
    }
  }

  #banned({ proxyId, target, untilMs }: ProxyBanned): void {
    if (!this.has(proxyId)) return;
    if (target === undefined) this.ban(proxyId, untilMs);
    else this.banTarget(proxyId, target, untilMs);
  }
}

function checkOutcome(id: string, outcome: Outcome, latencyMs: number): void {
  // The name is put together only for a refusal: this is on the path of every attempt.
  if (typeof latencyMs !== 'number' || !(latencyMs >= 0 && latencyMs <= maxLatencyMs)) {
    checkNumber(`latencyMs of "${id}"`, latencyMs, 0, maxLatencyMs);
  }
  if (!outcomes.includes(outcome)) {
    throw new RangeError(
      `outcome of "${id}" must be one of ${outcomes.join()}, got ${String(outcome)}`,
    );
  }
}

function checkState(name: string, state: CircuitState): void {
  switch (state) {
    case 'closed':
    case 'open':
    case 'half_open':
    case 'forced_open':
    case 'disabled':
      return;
    default:
      throw new RangeError(`state of "${name}" is unknown: ${String(state)}`);
  }
}
