import type { CircuitReason, CircuitState, CircuitTransition } from '@whirl/events';
import { CircuitOpenError, rejectSoon } from './errors.ts';
import { prepare, type BoundedCall, type Call, type ExecuteOptions } from './execute.ts';
import { resolveOptions, type CircuitBreakerOptions, type ResolvedOptions } from './options.ts';
import { heard, ownBus } from './own-bus.ts';
import {
  adoptKinds,
  resetKinds,
  tripKinds,
  type AdoptOptions,
  type CircuitSnapshot,
  type CircuitStats,
  type ResetOptions,
  type TripOptions,
} from './shapes.ts';
import type { TripWindow } from './trip-rule.ts';
import { check, resolve, time } from './validate.ts';
import { failed, ignored, succeeded, type Verdict } from './verdict.ts';

/** What a call without a signal and a limit is given. */
const unbounded = { signal: undefined } as unknown as BoundedCall;

/** The tests that are out of a breaker that is not half-open. Never added to. */
const none = new Map<number, number>();

/** One sequence for all breakers: a ticket can never be mistaken for another breaker's. */
let serial = 0;

/**
 * Refuses calls to a resource that keeps failing, and tests it now and then. It owns no timer: time
 * passes when it is asked. A ticket is good for the era it was given in, so a verdict that comes
 * late changes nothing.
 */
export class CircuitBreaker {
  readonly #options: ResolvedOptions;
  #state: CircuitState = 'closed';
  /** The ticket of every call admitted since the last transition or reset. */
  #era = ++serial;
  #generation = 0;
  #lastTransitionAt: number | undefined;
  /** Made by the first outcome, kept while open, dropped by closing. */
  #window: TripWindow | undefined;
  /** While open and half-open: when the window tripped. It is read as of then. */
  #trippedAt: number | undefined;
  #nextTestAt: number | undefined;
  /** Failed tests in a row, -1 before the first opening: the exponent of the open time. */
  #streak = -1;
  /** While half-open: the tests that are out, oldest first, and when their leases end. */
  #probes = none;
  #successes = 0;
  readonly #onTransition;
  /** While open and half-open: the failure that opened. */
  #cause: unknown;
  #inFlight = 0;
  /** Successes, failures, ignored and refused calls. */
  readonly #counts = [0, 0, 0, 0];
  /** The listeners of `on`; made for the first one. */
  #own: ReturnType<typeof ownBus> | undefined;

  /**
   * Throws a TypeError or RangeError that names the option, the bound and the value. `onTransition` is
   * called at each transition, before the bus: for what keeps many breakers, as a group does.
   */
  constructor(
    options: CircuitBreakerOptions = {},
    onTransition?: (breaker: CircuitBreaker) => void,
  ) {
    this.#options = resolveOptions(options);
    this.#onTransition = onTransition;
  }

  get name(): string {
    return this.#options.name;
  }

  /** The first open time in milliseconds, before growth and jitter. */
  get openMs(): number {
    return this.#options.openMs;
  }

  /** Reads `'half_open'` from the moment a test is due. Reading changes and emits nothing. */
  get state(): CircuitState {
    return this.#state === 'open' && this.canAttempt() ? 'half_open' : this.#state;
  }

  /** Failures in the window; while open the count that tripped it. */
  get failureCount(): number {
    return this.#window?.failureCount(this.#trippedAt ?? this.#options.now()) ?? 0;
  }

  /** When they happened, oldest first; empty where the rule keeps no times. */
  get failureTimes(): number[] {
    return this.#window?.failureTimes?.(this.#trippedAt ?? this.#options.now()) ?? [];
  }

  /** Transitions so far. */
  get generation(): number {
    return this.#generation;
  }

  /** Epoch milliseconds from which a test is admitted; undefined unless opened by a trip. */
  get nextTestAt(): number | undefined {
    return this.#nextTestAt;
  }

  /** Epoch milliseconds; undefined before the first one. */
  get lastTransitionAt(): number | undefined {
    return this.#lastTransitionAt;
  }

  /**
   * Milliseconds until a call may be admitted, 0 if now; undefined while forced open. A timer of as
   * many milliseconds waits long enough: see `isDue`.
   */
  get retryAfterMs(): number | undefined {
    const waitMs = this.#admitsAt() - this.#options.now();
    return waitMs < 1 ? 0 : waitMs < Infinity ? Math.ceil(waitMs) : undefined;
  }

  /** Whether `acquire` would admit now. A pure read: no permit is taken. */
  canAttempt(): boolean {
    return this.#admits() || this.isDue(this.#options.now());
  }

  /**
   * Whether a test could be admitted at `now`: open past the deadline, or a permit is free. Less than
   * a millisecond before the deadline counts: timers of Node fire as early as that.
   */
  isDue(now: number): boolean {
    return !this.#admits() && now > this.#admitsAt() - 1;
  }

  /** Calls that were admitted and are not settled. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** What became of the calls so far, whatever the state was; `reset` keeps the counts. */
  stats(): CircuitStats {
    const [successes, failures, ignored, refused] = this.#counts as [
      number,
      number,
      number,
      number,
    ];
    return { successes, failures, ignored, refused };
  }

  /** Admits a call: a ticket to settle exactly once, or 0 if refused. */
  acquire(): number {
    this.#notice();
    let ticket = this.#admits() ? this.#era : 0;
    if (this.#state === 'half_open' && this.canAttempt()) {
      // No permit free: the oldest one's lease has ended, and its verdict counts no more.
      const [oldest] = this.#probes.keys();
      if (this.#probes.size >= this.#options.halfOpenPermits) this.#probes.delete(oldest!);
      this.#probes.set((ticket = ++serial), this.#options.now() + this.#options.probeLeaseMs);
    }
    if (ticket) this.#inFlight++;
    else this.#counts[3]!++;
    return ticket;
  }

  /** The call of this ticket succeeded. A stale ticket is counted, and changes nothing else. */
  succeed(ticket: number, durationMs = 0): void {
    this.#settle(ticket, succeeded, durationMs);
  }

  /**
   * The call of this ticket failed. A stale ticket is counted, and changes nothing else. `error` is
   * kept while the circuit is open if this is what opens it: as the `cause` of refusals.
   */
  fail(ticket: number, durationMs = 0, error?: unknown): void {
    this.#settle(ticket, failed, durationMs, error);
  }

  /** The call of this ticket was cancelled: no verdict, and a test's permit is free again. */
  release(ticket: number): void {
    this.#settle(ticket, ignored);
  }

  /**
   * Calls `fn` if admitted, waits for it and settles. Never throws: rejects with a
   * `CircuitOpenError` if refused, with the signal's reason if that is aborted already, with a
   * `TimeoutError` after `timeoutMs`, else with what `fn` threw.
   */
  execute<Result>(
    fn: (call: BoundedCall) => Result | PromiseLike<Result>,
    options: ExecuteOptions<Result> &
      ({ readonly signal: AbortSignal } | { readonly timeoutMs: number }),
  ): Promise<Result>;
  execute<Result>(
    fn: (call: Call) => Result | PromiseLike<Result>,
    options?: ExecuteOptions<Result>,
  ): Promise<Result>;
  execute<Result>(
    fn: (call: BoundedCall) => Result | PromiseLike<Result>,
    options?: ExecuteOptions<Result>,
  ): Promise<Result> {
    if (options || this.#options.trip.needsDuration || typeof fn !== 'function') {
      return this.#observe(fn, options ?? {});
    }
    // The same as below without options: two closures, where an async function costs twice as much.
    let ticket = 0;
    let call: Promise<Result>;
    try {
      ticket = this.acquire();
      if (!ticket) return this.#refusal();
      call = Promise.resolve(fn(unbounded));
    } catch (error) {
      call = Promise.reject(error);
    }
    return call.then(
      (result) => {
        this.#settle(ticket, succeeded);
        return result;
      },
      (error) => {
        this.#settle(ticket, failed, 0, error);
        throw error;
      },
    );
  }

  /**
   * Hears this breaker's transitions, as a bus of its own would; returns what ends that. What a
   * listener throws, or rejects with, is written to the console.
   */
  on(type: 'circuit:transition', listener: (event: CircuitTransition) => unknown): () => void {
    this.#own ??= ownBus(this.#options.bus);
    return this.#own.on(type, listener);
  }

  /** Closed and empty; tickets given before are ignored. Lifts every override. */
  reset(options: ResetOptions = {}): void {
    const { reason } = resolve<{ reason: CircuitReason }>(options, resetKinds);
    this.#move('closed', reason);
  }

  /** Refuses everything until `reset` or `disable`; time does not lift it. */
  forceOpen(): void {
    this.#move('forced_open', 'forced');
  }

  /** Admits everything and records nothing until `reset` or `forceOpen`. */
  disable(): void {
    this.#move('disabled', 'disabled');
  }

  /**
   * Opens now, as failures would; time lifts it. Already open: the later deadline stands and
   * nothing is emitted. Under an override: ignored.
   */
  trip(options: TripOptions = {}): void {
    const { reason, openMs } = resolve<{ reason: CircuitReason; openMs?: number }>(
      options,
      tripKinds,
    );
    this.#notice();
    if (this.#state === 'open') {
      this.#nextTestAt = Math.max(this.#nextTestAt!, this.#options.now() + (openMs ?? 0));
    } else if (this.#state === 'closed' || this.#state === 'half_open') {
      this.#open(reason, undefined, openMs);
    }
  }

  /**
   * Takes over what another process decided about the same resource, with the reason `fleet`. Milliseconds
   * to stay open: `openMs`, default as failures would. False, and nothing happens, under an override and
   * where it is in that state already: a closed circuit keeps its failures.
   */
  adopt(state: 'open' | 'closed', options: AdoptOptions = {}): boolean {
    const { openMs } = resolve<AdoptOptions>(options, adoptKinds);
    if (state !== 'open' && state !== 'closed') {
      throw new RangeError(`state must be open or closed, got ${String(state)}`);
    }
    const from = this.#state;
    if (from === state || from === 'forced_open' || from === 'disabled') return false;
    if (state === 'open') this.#open('fleet', undefined, openMs);
    else this.#move('closed', 'fleet');
    return true;
  }

  /**
   * Moves the deadline of an open circuit, later or earlier, to epoch milliseconds, and emits
   * `circuit:rescheduled`. False, and nothing happens, where it is not open.
   */
  reschedule(nextTestAt: number): boolean {
    check('nextTestAt', nextTestAt, time);
    if (this.#state !== 'open') return false;
    this.#nextTestAt = nextTestAt;
    this.#onTransition?.(this);
    const { bus, now, name } = this.#options;
    bus.emit('circuit:rescheduled', { name, nextTestAt, at: now() });
    return true;
  }

  /** A copy to look at; nothing can be restored from it. */
  snapshot(): CircuitSnapshot {
    // One list of names twice is the smallest form: the second one is compressed to a reference.
    const { name, state, failureCount, failureTimes, generation, nextTestAt, lastTransitionAt } =
      this;
    return { name, state, failureCount, failureTimes, generation, nextTestAt, lastTransitionAt };
  }

  /** Half-open from the deadline on: before anything is decided by the state. */
  #notice(): void {
    if (this.state !== this.#state) this.#move('half_open', 'timeout');
  }

  /** Whether time and permits do not matter. */
  #admits(): boolean {
    return this.#state === 'closed' || this.#state === 'disabled';
  }

  /** When a test is admitted, if nothing changes until then. */
  #admitsAt(): number {
    if (this.#state === 'forced_open') return Infinity;
    if (this.#probes.size < this.#options.halfOpenPermits) return this.#nextTestAt ?? -Infinity;
    // Leases are of one length, so the oldest test's ends first.
    const [leaseEndsAt] = this.#probes.values();
    return leaseEndsAt!;
  }

  /** `execute` under options, or where the rule needs to know how long the call took. */
  async #observe<Result>(
    fn: (call: BoundedCall) => Result | PromiseLike<Result>,
    options: ExecuteOptions<Result>,
  ): Promise<Result> {
    const [call, judge] = prepare(fn, options);
    const ticket = this.acquire();
    if (!ticket) return this.#refusal();
    const { now, trip } = this.#options;
    const startedAt = trip.needsDuration ? now() : 0;
    let outcome: unknown;
    let verdict: Verdict = failed;
    try {
      try {
        outcome = await call();
      } catch (error) {
        outcome = error;
        verdict = judge(true, error as Result);
        throw error;
      }
      verdict = judge(false, outcome as Result);
      return outcome as Result;
    } finally {
      // Settled even if `judge` throws: else a test's permit would be lost.
      this.#settle(ticket, verdict, trip.needsDuration ? now() - startedAt : 0, outcome);
    }
  }

  #refusal(): Promise<never> {
    return rejectSoon(new CircuitOpenError(this.name, this.#state, this.retryAfterMs, this.#cause));
  }

  #settle(ticket: number, verdict: Verdict, durationMs = 0, outcome?: unknown): void {
    if (!ticket) return;
    this.#inFlight--;
    this.#counts[verdict]!++;
    if (ticket === this.#era) {
      if (this.#state !== 'closed' || verdict === ignored) return;
      this.#window ??= this.#options.trip.create();
      const reason = this.#window.record(verdict === failed, this.#options.now, durationMs);
      if (reason) this.#open(reason, verdict ? outcome : undefined);
    } else if (this.#probes.delete(ticket) && verdict !== ignored) {
      if (verdict) this.#open('probe_failed', outcome);
      else if (++this.#successes >= this.#options.successThreshold) {
        this.#move('closed', 'recovered');
      }
    }
  }

  #open(reason: CircuitReason, cause?: unknown, forMs?: number): void {
    this.#cause = cause;
    const { now, random, openMs, openMultiplier, maxOpenMs, openJitter } = this.#options;
    const at = now();
    this.#trippedAt ??= at;
    const grownMs = Math.min(openMs * openMultiplier ** ++this.#streak, maxOpenMs);
    forMs ??= grownMs * (1 + openJitter * (2 * random() - 1));
    this.#move('open', reason, at, at + forMs);
  }

  #move(
    to: CircuitState,
    reason: CircuitReason,
    at = this.#options.now(),
    nextTestAt?: number,
  ): void {
    const from = this.#state;
    this.#era = ++serial;
    if (to !== 'open' && to !== 'half_open') {
      this.#streak = -1;
      this.#window = this.#trippedAt = this.#cause = undefined;
    }
    // Nothing else happens where nothing changes: one check for reset, forceOpen and disable.
    if (to === from) return;
    this.#state = to;
    this.#generation++;
    this.#lastTransitionAt = at;
    this.#probes = to === 'half_open' ? new Map() : none;
    this.#successes = 0;
    this.#nextTestAt = nextTestAt;
    this.#onTransition?.(this);
    // Last of all, so that a listener may call any method.
    const bus = this.#own ?? this.#options.bus;
    if (bus.has(heard)) {
      bus.emit(heard, {
        name: this.name,
        from,
        to,
        reason,
        generation: this.#generation,
        failureCount: this.failureCount,
        nextTestAt,
        at,
      });
    }
  }
}
