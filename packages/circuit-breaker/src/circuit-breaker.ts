import type { CircuitReason, CircuitState, CircuitTransition } from '@whirl/events';
import { announce, type Listener } from './announce.ts';
import { CircuitOpenError } from './errors.ts';
import {
  callKinds,
  judge,
  type BoundedCall,
  type Call,
  type ExecuteOptions,
  type ResolvedCall,
} from './execute.ts';
import { resolveOptions, type CircuitBreakerOptions, type ResolvedOptions } from './options.ts';
import type {
  AdoptOptions,
  CircuitSnapshot,
  CircuitStats,
  ResetOptions,
  TripOptions,
} from './shapes.ts';
import type { TripWindow } from './trip-rule.ts';
import { check, resolve } from './validate.ts';

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
  /** The ticket of every call admitted while closed since the last transition or reset. */
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
  #probes: Map<number, number> | undefined;
  #successes = 0;
  readonly #onTransition;
  /** Of `on`; made for the first one. */
  #listeners: Set<Listener> | undefined;
  /** While open and half-open: the failure that opened. */
  #cause: unknown;
  #inFlight = 0;
  readonly #stats = { successes: 0, failures: 0, ignored: 0, refused: 0 };

  /**
   * Throws a TypeError or RangeError that names the option, the bound and the value. `onTransition` is
   * called at each transition, before the bus: for what keeps many breakers, as a group does.
   */
  constructor(options?: CircuitBreakerOptions, onTransition?: (breaker: CircuitBreaker) => void) {
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
    if (this.#state === 'forced_open') return undefined;
    const leftMs = this.#admitsAt() - this.#options.now();
    return leftMs < 1 ? 0 : Math.ceil(leftMs);
  }

  /** Whether `acquire` would admit now. A pure read: no permit is taken. */
  canAttempt(): boolean {
    // Only what was tripped depends on the time.
    if (this.#trippedAt === undefined) return this.#state !== 'forced_open';
    return this.isDue(this.#options.now());
  }

  /**
   * Whether a test could be admitted at `now`: open past the deadline, or a permit is free. Less than
   * a millisecond before the deadline counts: timers of Node fire as early as that.
   */
  isDue(now: number): boolean {
    return this.#trippedAt !== undefined && now > this.#admitsAt() - 1;
  }

  /** Calls that were admitted and are not settled. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** What became of the calls so far, whatever the state was; `reset` keeps the counts. */
  stats(): CircuitStats {
    return { ...this.#stats };
  }

  /** Admits a call: a ticket to settle exactly once, or 0 if refused. */
  acquire(): number {
    if (!this.canAttempt()) {
      this.#stats.refused++;
      return 0;
    }
    if (this.#state === 'open') {
      this.#move('half_open', 'timeout');
      // Asks again: a listener may have changed everything.
      return this.acquire();
    }
    this.#inFlight++;
    if (this.#state === 'closed') return this.#era;
    if (this.#state === 'disabled') return ++serial;
    // No permit free: the oldest one's lease has ended, and its verdict counts no more.
    const [oldest] = this.#probes!.keys();
    if (this.#probes!.size >= this.#options.halfOpenPermits) this.#probes!.delete(oldest!);
    this.#probes!.set(++serial, this.#options.now() + this.#options.probeLeaseMs);
    return serial;
  }

  /** The call of this ticket succeeded. A stale ticket is counted, and changes nothing else. */
  succeed(ticket: number, durationMs?: number): void {
    this.#settle(ticket, false, durationMs);
  }

  /**
   * The call of this ticket failed. A stale ticket is counted, and changes nothing else. `error` is
   * kept while the circuit is open if this is what opens it: as the `cause` of refusals.
   */
  fail(ticket: number, durationMs?: number, error?: unknown): void {
    this.#settle(ticket, true, durationMs, error);
  }

  /** The call of this ticket was cancelled: no verdict, and a test's permit is free again. */
  release(ticket: number): void {
    this.#settle(ticket, 'ignore');
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
      return this.#observe(fn, options);
    }
    // The same as below without options: two closures, where an async function costs twice as much.
    let ticket = 0;
    let call: Promise<Result>;
    try {
      ticket = this.acquire();
      if (!ticket) return this.#refusal();
      call = Promise.resolve(fn({ signal: undefined as never }));
    } catch (error) {
      call = Promise.reject(error);
    }
    return call.then(
      (result) => {
        this.#settle(ticket, false);
        return result;
      },
      (error) => {
        this.#settle(ticket, true, 0, error);
        throw error;
      },
    );
  }

  /** `execute` under options, or where the rule needs to know how long the call took. */
  async #observe<Result>(
    fn: (call: BoundedCall) => Result | PromiseLike<Result>,
    options?: ExecuteOptions<Result>,
  ): Promise<Result> {
    check('fn', fn, [check]);
    const call = resolve<ResolvedCall>(options, callKinds);
    call.signal?.throwIfAborted();
    const ticket = this.acquire();
    if (!ticket) return this.#refusal();
    const startedAt = this.#options.now();
    return judge(fn, call, (failed, outcome) =>
      this.#settle(ticket, failed, this.#options.now() - startedAt, outcome),
    );
  }

  /**
   * Hears this breaker's transitions, as a bus of its own would; returns what ends that. What a
   * listener throws, or rejects with, is written to the console.
   */
  on(type: 'circuit:transition', listener: (event: CircuitTransition) => unknown): () => void {
    resolve({ [type]: listener ?? null }, { 'circuit:transition': [resolve] });
    // A subscription of its own, even if the function is subscribed already.
    const own: Listener = async (event) => listener(event);
    const listeners = (this.#listeners ??= new Set());
    listeners.add(own);
    return () => void listeners.delete(own);
  }

  /** Closed and empty; tickets given before are ignored. Lifts every override. */
  reset(options?: ResetOptions): void {
    const { reason } = resolve<{ reason: CircuitReason }>(options, { reason: ['reset'] });
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
  trip(options?: TripOptions): void {
    const { reason, openMs } = resolve<{ reason: CircuitReason; openMs: number }>(options, {
      reason: ['custom'],
      openMs: [0],
    });
    if (this.state !== this.#state) this.#move('half_open', 'timeout');
    if (this.#state === 'open') {
      this.#nextTestAt = Math.max(this.#nextTestAt!, this.#options.now() + openMs);
    } else if (!['forced_open', 'disabled'].includes(this.#state)) {
      this.#move('open', reason, undefined, openMs);
    }
  }

  /**
   * Takes over what another process decided about the same resource, with the reason `fleet`. Milliseconds
   * to stay open: `openMs`, default as failures would. False, and nothing happens, under an override and
   * where it is in that state already: a closed circuit keeps its failures.
   */
  adopt(state: 'open' | 'closed', options?: AdoptOptions): boolean {
    const { openMs } = resolve<{ openMs: number }>(options, { openMs: [0] });
    if (!['open', 'closed'].includes(state)) {
      throw new RangeError(`state must be open or closed, got ${state as string}`);
    }
    if ([state, 'forced_open', 'disabled'].includes(this.#state)) return false;
    this.#move(state, 'fleet', undefined, openMs);
    return true;
  }

  /**
   * Moves the deadline of an open circuit, later or earlier, to epoch milliseconds, and emits
   * `circuit:rescheduled`. False, and nothing happens, where it is not open.
   */
  reschedule(nextTestAt: number): boolean {
    check('nextTestAt', nextTestAt, [0]);
    if (this.#state !== 'open') return false;
    this.#nextTestAt = nextTestAt;
    this.#onTransition?.(this);
    announce(this.#options.bus, 'circuit:rescheduled', {
      name: this.name,
      nextTestAt,
      at: this.#options.now(),
    });
    return true;
  }

  /** A copy to look at; nothing can be restored from it. */
  snapshot(): CircuitSnapshot {
    // One list of names twice is the smallest form: the second one is compressed to a reference.
    const { name, state, failureCount, failureTimes, generation, nextTestAt, lastTransitionAt } =
      this;
    return { name, state, failureCount, failureTimes, generation, nextTestAt, lastTransitionAt };
  }

  /** When a test is admitted, if nothing changes until then. */
  #admitsAt(): number {
    if (!this.#probes || this.#probes.size < this.#options.halfOpenPermits) {
      return this.#nextTestAt ?? -Infinity;
    }
    // Leases are of one length, so the oldest test's ends first.
    const [leaseEndsAt] = this.#probes.values();
    return leaseEndsAt!;
  }

  #refusal(): Promise<never> {
    const error = new CircuitOpenError(this.name, this.#state, this.retryAfterMs, this.#cause);
    // A microtask later the caller listens, and Node does no bookkeeping for an unhandled rejection.
    // Rejecting costs less than throwing, and than an async function.
    return new Promise((_, reject) => Promise.resolve(error).then(reject));
  }

  #settle(ticket: number, failed: boolean | 'ignore', durationMs = 0, outcome?: unknown): void {
    if (!ticket) return;
    this.#inFlight--;
    this.#stats[failed === 'ignore' ? 'ignored' : failed ? 'failures' : 'successes']++;
    const isProbe = ticket !== this.#era;
    if ((isProbe && !this.#probes?.delete(ticket)) || failed === 'ignore') return;
    const reason = isProbe
      ? failed && 'probe_failed'
      : (this.#window ??= this.#options.trip.create()).record(
          failed,
          this.#options.now,
          durationMs,
        );
    if (reason) this.#move('open', reason, failed ? outcome : undefined);
    else if (isProbe && ++this.#successes >= this.#options.successThreshold) {
      this.#move('closed', 'recovered');
    }
  }

  #move(to: CircuitState, reason: CircuitReason, cause?: unknown, forMs?: number): void {
    const from = this.#state;
    const at = this.#options.now();
    let nextTestAt: number | undefined;
    this.#era = ++serial;
    if (to === 'open') {
      this.#trippedAt ??= at;
      this.#cause = cause;
      const { openMs, openMultiplier, maxOpenMs, openJitter, random } = this.#options;
      const grownMs = Math.min(openMs * openMultiplier ** ++this.#streak, maxOpenMs);
      nextTestAt = at + (forMs || grownMs * (1 + openJitter * (2 * random() - 1)));
    } else if (to !== 'half_open') {
      this.#streak = -1;
      this.#window = this.#trippedAt = this.#cause = undefined;
    }
    // Nothing else happens where nothing changes: one check for reset, forceOpen and disable.
    if (to === from) return;
    this.#state = to;
    this.#generation++;
    this.#lastTransitionAt = at;
    this.#probes = to === 'half_open' ? new Map() : undefined;
    this.#successes = 0;
    this.#nextTestAt = nextTestAt;
    this.#onTransition?.(this);
    // Last of all, so that a listener may call any method.
    announce(
      this.#options.bus,
      'circuit:transition',
      {
        name: this.name,
        from,
        to,
        reason,
        generation: this.#generation,
        failureCount: this.failureCount,
        nextTestAt,
        at,
      },
      this.#listeners,
    );
  }
}
