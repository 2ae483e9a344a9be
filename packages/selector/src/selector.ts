import {
  anything,
  check,
  checkOptions,
  func,
  integer,
  number,
  string,
  withMethods,
} from '@whirl/check';
import type { AttemptEnd, Blame, CircuitTransition, ProxyBanned } from '@whirl/events';
import { defaultNow } from './clock.ts';
import { Avoided } from './candidates/avoided.ts';
import { adaptive } from './strategies/adaptive.ts';
import type { Ban, CandidateStats, Evidence, Prior } from './candidates/candidate-stats.ts';
import type { CandidateOptions } from './candidates/candidate-table.ts';
import { checkAsk } from './check/check-ask.ts';
import { checkCircuit, checkOutcome, checkPrior, checkRun } from './check/check-fact.ts';
import { checkStrategy } from './check/check-strategy.ts';
import { Lessons } from './candidates/lessons.ts';
import { Picker } from './candidates/picker.ts';
import { CandidatePool } from './candidates/candidate-pool.ts';
import type { AttemptOutcome, Selection, SelectorOptions } from './selector-options.ts';
import type { SelectContext, SessionMove, Strategy } from './strategy.ts';
import { TargetMemory } from './candidates/target-memory.ts';
import { checkInstant } from './check/check-instant.ts';

const optionKinds = {
  strategy: anything,
  now: func,
  random: func,
  bus: withMethods('a bus', 'on'),
};
const counts = integer(1);

/** Averages are kept in 32 bits. */
const keptDigits = 7;

/** An outcome that has been checked. */
interface Judged {
  readonly slot: number;
  readonly blame: Blame;
}

const nothing: SelectContext = Object.freeze({});

/** Candidates, what is known of them, and the strategy that picks one. */
export class Selector {
  readonly #pool: CandidatePool;
  readonly #targets = new TargetMemory();
  readonly #avoided = new Avoided();
  readonly #lessons: Lessons;
  readonly #picker: Picker;
  readonly #now: () => number;
  readonly #offs: (() => void)[] = [];

  /** Throws a TypeError or RangeError that names the option and the value. */
  constructor(options: SelectorOptions = {}) {
    checkOptions('', options, optionKinds);
    const { now = defaultNow, random = Math.random, strategy = adaptive(), bus } = options;
    checkStrategy('strategy', strategy);
    this.#pool = new CandidatePool(random);
    this.#lessons = new Lessons(this.#pool, this.#targets);
    this.#now = now;
    this.#picker = new Picker(this.#pool, this.#targets, this.#avoided, strategy);
    strategy.attach?.(this.#pool.root);
    if (bus === undefined) return;
    this.#offs.push(
      bus.on('attempt:start', ({ proxyId }) => this.started(proxyId)),
      bus.on('attempt:end', (event) => this.#attemptEnded(event)),
      bus.on('circuit:transition', (event) => this.circuitChanged(event)),
      bus.on('circuit:rescheduled', ({ name, nextTestAt }) =>
        this.circuitChanged({ name, to: 'open', nextTestAt }),
      ),
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

  /**
   * Replaces what `add()` was told of a candidate: an option that is not given gets its default. Nothing learned
   * of it is lost, and its circuit, its bans and its attempts in flight stay. O(1) for each filter that is kept
   * indexed, O(log n) for a strategy in which it changes place. Throws as `add()` does, and on an unknown id;
   * nothing is changed then.
   */
  update(options: CandidateOptions): void {
    const slot = this.#pool.table.checkUpdate(options);
    this.#tick();
    this.#pool.update(slot, options);
  }

  /** Removes a candidate and what was learned of it. False when there is no such. O(log n). */
  remove(id: string): boolean {
    const slot = this.#pool.table.slot(id);
    if (slot < 0) return false;
    this.#tick();
    this.#pool.remove(slot);
    this.#avoided.forget(slot);
    return true;
  }

  /**
   * Puts another candidate in the place of the one with that id: its circuit is closed, and nothing is known of it, bans
   * included. O(log n). Throws as `add()` does, and on an unknown id; nothing is changed then.
   */
  replace(options: CandidateOptions): void {
    const slot = this.#pool.table.checkUpdate(options);
    this.#tick();
    this.#pool.remove(slot);
    this.#avoided.forget(slot);
    this.#targets.forget(options.id);
    this.#pool.add(options);
  }

  /** Changes the strategy; nothing learned of the candidates is lost. */
  use(strategy: Strategy): void {
    checkStrategy('strategy', strategy);
    this.#tick();
    this.#picker.strategy = strategy;
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
      if (ask.exclude !== undefined) this.#picker.exclude(ask.exclude);
      slot = this.#picker.pick(ask);
      if (slot < 0 && pool.hidden.length > 0) {
        slot = this.#picker.reuse(ask);
        reused = slot >= 0;
      }
    } finally {
      pool.end(slot);
    }
    return slot < 0 ? undefined : { id: pool.table.id(slot), reused };
  }

  /**
   * A pick of it came to nothing: where its circuit is to be tested, the next one may have it at once and
   * not after 30 s. Unknown ids are ignored.
   */
  giveBack(id: string): void {
    const slot = this.#pool.table.slot(id);
    if (slot >= 0) this.#pool.availability.concluded(slot, this.#tick());
  }

  /** An attempt through it began. Unknown ids are ignored: it may have been removed. */
  started(id: string): void {
    const slot = this.#pool.table.slot(id);
    if (slot >= 0) this.#pool.availability.started(slot, this.#tick());
  }

  /** An attempt through it ended, and there is nothing to learn from it. Unknown ids are ignored. */
  settled(id: string): void {
    const slot = this.#pool.table.slot(id);
    if (slot >= 0) this.#pool.availability.settled(slot, this.#tick());
  }

  /**
   * An attempt that `started` was called for has ended: settles it and learns from its outcome. Throws as `record()`
   * does, and nothing is changed then.
   */
  end(attempt: AttemptOutcome): void {
    const { slot, blame } = this.#checked(attempt);
    this.#pool.availability.settled(slot, this.#tick());
    this.#lessons.learn(slot, attempt.outcome, attempt.latencyMs, attempt.target, blame);
    this.#pool.availability.concluded(slot, this.#pool.now);
  }

  /**
   * Learns from an outcome, by its blame, without settling an attempt: for what `started` was not called for, a health
   * check for example. Throws a RangeError or TypeError on an unknown id, outcome or blame, or a latency that is no
   * number from 0 to 10^12; nothing is changed then.
   */
  record(attempt: AttemptOutcome): void {
    const { slot, blame } = this.#checked(attempt);
    this.#tick();
    this.#lessons.learn(slot, attempt.outcome, attempt.latencyMs, attempt.target, blame);
    this.#pool.availability.concluded(slot, this.#pool.now);
  }

  /**
   * The circuit of the candidate `name` changed. Unknown names are ignored. An open one is offered to
   * one request at a time from `nextTestAt` on; without that time, not before its next transition. One that
   * closes clears what was learned of the candidate at single targets; bans stand.
   */
  circuitChanged(event: Pick<CircuitTransition, 'name' | 'to' | 'nextTestAt'>): void {
    const { name, to, nextTestAt } = event;
    const slot = this.#pool.table.slot(name);
    if (slot < 0) return;
    checkCircuit(name, to, nextTestAt);
    const now = this.#tick();
    if (to === 'closed') this.#targets.recovered(name, now);
    this.#pool.availability.circuit(slot, to, nextTestAt, now);
  }

  /**
   * Takes a candidate out until an instant, in epoch milliseconds of the selector's clock. Throws on an unknown id, and on
   * a number that cannot be such an instant.
   */
  ban(id: string, until: number): void {
    const slot = this.#slot(id);
    const now = this.#tick();
    checkInstant(`until of "${id}"`, until, now);
    this.#pool.availability.ban(slot, until, now);
  }

  /**
   * Lifts its ban; what single targets have against it stands. Without a ban nothing changes. Throws on an
   * unknown id.
   */
  unban(id: string): void {
    this.#pool.availability.unban(this.#slot(id), this.#tick());
  }

  /**
   * Avoids a candidate for that target until an instant, in epoch milliseconds, while another is available; all other
   * targets use it. Throws on an unknown id, an empty target, and a number that cannot be such an instant.
   */
  banTarget(id: string, target: string, until: number): void {
    this.#slot(id);
    check(`target of "${id}"`, target, string);
    const now = this.#tick();
    checkInstant(`until of "${id}"`, until, now);
    this.#targets.ban(target, id, until, now);
  }

  /**
   * Avoids a candidate until an instant, in epoch milliseconds, while another is available. Throws on an unknown id,
   * and on a number that cannot be such an instant.
   */
  avoid(id: string, until: number): void {
    const slot = this.#slot(id);
    checkInstant(`until of "${id}"`, until, this.#tick());
    this.#avoided.add(slot, until);
  }

  /**
   * What others have seen of candidates: a prior, not evidence. It is worth at most ten attempts, fades by half every
   * hour, is replaced by the next one, and changes neither `samples` nor `successRate` nor the pool's mean. Under
   * `adaptive()` an untried candidate that is known to be good is offered as if it had proved itself, one that is known
   * to be bad waits. Unknown ids are ignored. Throws on a value out of its bounds; what came before it is learned.
   */
  inform(known: Iterable<Prior>): void {
    this.#tick();
    for (const { id, successRate, successMs, weight } of known) {
      const slot = this.#pool.table.slot(id);
      if (slot < 0) continue;
      checkPrior(id, successRate, successMs, weight);
      this.#pool.inform(slot, successRate, successMs, weight);
    }
  }

  /**
   * Others saw a candidate fail so many times in a row, `latencyMs` each on average: its estimates and its run
   * show it; `samples`, `successRate` and the pool's mean do not. Unknown ids are ignored. Throws on a count that
   * is no whole number from 1 to 100, and on a latency that is no number from 0 to 10^12.
   */
  overheard(id: string, failures: number, latencyMs: number): void {
    const slot = this.#pool.table.slot(id);
    if (slot < 0) return;
    checkRun(id, failures, latencyMs);
    this.#tick();
    this.#pool.overhear(slot, failures, latencyMs);
  }

  /** What attempts taught about each candidate that was tried, faded to now. Reading changes nothing. */
  *evidence(): IterableIterator<Evidence> {
    yield* this.#pool.evidence(this.#now());
  }

  /** The bans that hold, those for all targets first. Reading changes nothing. */
  *bans(): IterableIterator<Ban> {
    const now = this.#now();
    yield* this.#pool.bans(now);
    for (const ban of this.#targets.bans(now)) if (this.has(ban.id)) yield ban;
  }

  /**
   * Sessions that moved since the last call and still are where they moved to, `max` at most: what `consistent()` in
   * another process cannot know. Empty under other strategies. Throws on a `max` that is no whole number ≥ 1.
   */
  sessionMoves(max = 1000): SessionMove[] {
    check('max', max, counts);
    this.#tick();
    return this.#picker.strategy.sessionMoves?.(this.#pool.root, max) ?? [];
  }

  /**
   * Another process moved a session, at an instant in epoch milliseconds: it moves here too, unless it moved here after
   * that. Ignored for an unknown id, and under a strategy that keeps no sessions by hash. Throws on an instant that is no
   * number.
   */
  moveSession(move: Pick<SessionMove, 'session' | 'id'>, at: number): void {
    const now = this.#tick();
    check('at', at, number());
    check('id', move.id, string);
    if (!this.has(move.id)) return;
    check('session', move.session, string);
    this.#picker.strategy.moveSession?.(this.#pool.root, move, Math.min(at, now));
  }

  /**
   * What is known of a candidate, its score as a request for that region would see it. Reading changes
   * nothing. Throws on an unknown id.
   */
  stats(id: string, ask: Pick<SelectContext, 'region'> = nothing): CandidateStats {
    const slot = this.#slot(id);
    const { root, outcomes: history, availability } = this.#pool;
    const now = this.#tick();
    const averageMs = this.#pool.avgLatencyMs(slot);
    return {
      successRate: history.successRate(slot),
      avgLatencyMs: averageMs === undefined ? undefined : Number(averageMs.toPrecision(keptDigits)),
      samples: history.samples(slot),
      score: this.#picker.strategy.score?.(root, slot, ask) ?? root.success(slot),
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

  /** The slot and the blame of an outcome. */
  #checked({ id, outcome, latencyMs, target, blame }: AttemptOutcome): Judged {
    const slot = this.#slot(id);
    const blamed = blame ?? (outcome === 'success' ? 'none' : 'proxy');
    checkOutcome(id, outcome, latencyMs, blamed);
    if (target !== undefined) check(`target of "${id}"`, target, string);
    return { slot, blame: blamed };
  }

  #attemptEnded({ proxyId, origin, blame, outcome, latencyMs }: AttemptEnd): void {
    const slot = this.#pool.table.slot(proxyId);
    if (slot < 0) return;
    // First of all: an event that is refused has ended an attempt all the same.
    this.#pool.availability.settled(slot, this.#tick());
    checkOutcome(proxyId, outcome, latencyMs, blame);
    this.#lessons.learn(slot, outcome, latencyMs, origin, blame);
  }

  #banned({ proxyId, target, until }: ProxyBanned): void {
    if (!this.has(proxyId)) return;
    if (target === undefined) this.ban(proxyId, until);
    else this.banTarget(proxyId, target, until);
  }
}
