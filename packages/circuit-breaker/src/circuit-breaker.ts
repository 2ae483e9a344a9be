import type { CircuitReason, CircuitState, CircuitTransition } from '@whirl/events';
import { CircuitOpenError, rejectSoon } from './errors.ts';
import {
  failed,
  ignored,
  observe,
  succeeded,
  type BoundedCall,
  type Call,
  type ExecuteOptions,
  type Verdict,
} from './execute.ts';
import { resolveOptions, type CircuitBreakerOptions, type ResolvedOptions } from './options.ts';
import { ownBus } from './own-bus.ts';
import {
  resetKinds,
  tripKinds,
  type CircuitSnapshot,
  type CircuitStats,
  type ResetOptions,
  type TripOptions,
} from './shapes.ts';
import type { TripWindow } from './trip-rule.ts';
import { resolve } from './validate.ts';

/** The handlers that settle the calls of one closed era. */
interface Settlers {
  readonly ticket: number;
  readonly succeed: <Result>(result: Result) => Result;
  readonly fail: (error: unknown) => never;
}

/** What a call without a signal and a limit is given. */
const unbounded = { signal: undefined } as unknown as BoundedCall;

/** The tests that are out of a breaker that is not half-open. Never added to. */
const none = new Map<number, number>();

/** One sequence for all breakers: a ticket can never be mistaken for another breaker's. */
let serial = 0;

/**
 * Refuses calls to a resource that keeps failing, and tests it now and then. It owns no timer: time
 * passes when somebody asks. A ticket is good for the era it was given in, so a verdict that comes
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
  /** Failed tests in a row: the exponent of the open time. */
  #streak = 0;
  /** While half-open: the tests that are out, oldest first, and when their leases end. */
  #probes = none;
  #successes = 0;
  readonly #onTransition;
  /** What settles the calls of one closed era. */
  #shared: Settlers | undefined;
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
    const ticket = this.#admit();
    if (ticket) this.#inFlight++;
    else this.#counts[3]!++;
    return ticket;
  }

  #admit(): number {
    if (this.#admits()) return this.#era;
    const at = this.#options.now();
    if (!this.isDue(at)) return 0;
    if (this.#state === 'open') {
      this.#move('half_open', 'timeout', at);
      // A listener may have changed the state, or taken the permit.
      return this.#admit();
    }
    // No permit free: the oldest one's lease has ended, and its verdict counts no more.
    const [oldest] = this.#probes.keys();
    if (this.#probes.size >= this.#options.halfOpenPermits) this.#probes.delete(oldest!);
    this.#probes.set(++serial, at + this.#options.probeLeaseMs);
    return serial;
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
    this.#settle(ticket, ignored, 0);
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
    const { now, trip } = this.#options;
    let call: Promise<Result>;
    let settlers: Settlers | undefined;
    try {
      if (options || trip.needsDuration || typeof fn !== 'function') {
        return observe(fn, options ?? {}, () => {
          const ticket = this.acquire();
          if (!ticket) throw this.#refusal();
          const clock = trip.needsDuration ? now : () => 0;
          const startedAt = clock();
          return (verdict, outcome) => this.#settle(ticket, verdict, clock() - startedAt, outcome);
        });
      }
      const ticket = this.acquire();
      if (!ticket) return rejectSoon(this.#refusal());
      settlers = this.#settlersOf(ticket);
      call = Promise.resolve(fn(unbounded));
    } catch (error) {
      call = Promise.reject(error);
    }
    return settlers ? call.then(settlers.succeed, settlers.fail) : call;
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
    if (this.#state === 'closed') {
      this.#era = ++serial;
      this.#window = undefined;
    } else this.#move('closed', reason);
  }

  /** Refuses everything until `reset` or `disable`; time does not lift it. */
  forceOpen(): void {
    if (this.#state !== 'forced_open') this.#move('forced_open', 'forced');
  }

  /** Admits everything and records nothing until `reset` or `forceOpen`. */
  disable(): void {
    if (this.#state !== 'disabled') this.#move('disabled', 'disabled');
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
    // Past the deadline, and nobody has noticed yet.
    if (this.state !== this.#state) this.#move('half_open', 'timeout');
    if (this.#state === 'open') {
      this.#nextTestAt = Math.max(this.#nextTestAt!, this.#options.now() + (openMs ?? 0));
    } else if (this.#state === 'closed' || this.#state === 'half_open') this.#open(reason, openMs);
  }

  /** A copy to look at; nothing can be restored from it. */
  snapshot(): CircuitSnapshot {
    return {
      name: this.name,
      state: this.state,
      failureCount: this.failureCount,
      failureTimes: this.failureTimes,
      generation: this.generation,
      nextTestAt: this.nextTestAt,
      lastTransitionAt: this.lastTransitionAt,
    };
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

  #settle(ticket: number, verdict: Verdict, durationMs: number, outcome?: unknown): void {
    if (!ticket) return;
    this.#inFlight--;
    this.#counts[verdict]!++;
    if (ticket === this.#era) {
      if (this.#state !== 'closed' || verdict === ignored) return;
      this.#window ??= this.#options.trip.create();
      const reason = this.#window.record(verdict === failed, this.#options.now, durationMs);
      if (reason) this.#open(reason, undefined, verdict ? outcome : undefined);
    } else if (this.#probes.delete(ticket) && verdict !== ignored) {
      if (verdict) this.#open('probe_failed', undefined, outcome);
      else if (++this.#successes >= this.#options.successThreshold) {
        this.#move('closed', 'recovered');
      }
    }
  }

  #refusal(): CircuitOpenError {
    return new CircuitOpenError(this.name, this.#state, this.retryAfterMs, this.#cause);
  }

  #open(reason: CircuitReason, forMs?: number, cause?: unknown): void {
    this.#cause = cause;
    const { now, random, openMs, openMultiplier, maxOpenMs, openJitter } = this.#options;
    const at = now();
    if (this.#state === 'closed') this.#trippedAt = at;
    else this.#streak++;
    const grownMs = Math.min(openMs * openMultiplier ** this.#streak, maxOpenMs);
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
    this.#state = to;
    this.#era = ++serial;
    this.#generation++;
    this.#lastTransitionAt = at;
    this.#probes = to === 'half_open' ? new Map() : none;
    this.#successes = 0;
    this.#nextTestAt = nextTestAt;
    if (to !== 'open' && to !== 'half_open') {
      this.#streak = 0;
      this.#window = this.#trippedAt = this.#cause = undefined;
    }
    this.#onTransition?.(this);
    // Last of all, so that a listener may call any method.
    const bus = this.#own ?? this.#options.bus;
    if (bus.has('circuit:transition')) {
      bus.emit('circuit:transition', {
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

  /** What settles the call of this ticket; the calls of one closed era share it. */
  #settlersOf(ticket: number): Settlers {
    if (this.#shared?.ticket === ticket) return this.#shared;
    return (this.#shared = {
      ticket,
      succeed: (result) => {
        this.#settle(ticket, succeeded, 0);
        return result;
      },
      fail: (error) => {
        this.#settle(ticket, failed, 0, error);
        throw error;
      },
    });
  }
}
