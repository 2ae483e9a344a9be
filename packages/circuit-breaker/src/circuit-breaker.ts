import type { CircuitReason, CircuitState, WhirlBus } from '@whirl/events';
import { CircuitOpenError } from './errors.ts';
import { failureCount } from './failure-count.ts';
import type { TripRule, TripWindow } from './trip-rule.ts';
import { checkCount, checkNames, checkNumber, checkType } from './validate.ts';

export interface CircuitBreakerOptions {
  /** Names the breaker in events and errors. Default `'circuit'`. */
  readonly name?: string | undefined;
  /** Failures within `windowMs` that open. Default 5. Beside `trip` only a reported figure. */
  readonly failureThreshold?: number | undefined;
  /** Milliseconds. Default 60,000. Beside `trip` only a reported figure. */
  readonly windowMs?: number | undefined;
  /** Milliseconds from opening to the first test. Default 30,000, at least 1. */
  readonly openMs?: number | undefined;
  /** Tests that may be out at once while half-open. Default 1. */
  readonly halfOpenPermits?: number | undefined;
  /** Successful tests that close. Default 1. */
  readonly successThreshold?: number | undefined;
  /** Milliseconds after which a test that did not settle may be replaced. Default `openMs`. */
  readonly probeLeaseMs?: number | undefined;
  /** Bounds the growth of the open time. Default max(openMs, 300,000), at least `openMs`. */
  readonly maxOpenMs?: number | undefined;
  /** The open time grows by this factor with each failed test in a row. Default 1, at least 1. */
  readonly openMultiplier?: number | undefined;
  /** Spreads the open time by ± this ratio, after the cap. Default 0, between 0 and 1. */
  readonly openJitter?: number | undefined;
  /** When to open. Default `failureCount({ threshold: failureThreshold, windowMs })`. */
  readonly trip?: TripRule | undefined;
  /** Epoch milliseconds. Default `performance.timeOrigin + performance.now()`. */
  readonly now?: (() => number) | undefined;
  /** A number from 0 up to 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Hears `circuit:transition`. */
  readonly bus?: Pick<WhirlBus, 'emit' | 'has'> | undefined;
}

export interface ExecuteOptions {
  /** Aborted before: the function is not called. Aborted when it fails: no verdict is recorded. */
  readonly signal?: AbortSignal | undefined;
  /** Whether an error speaks against the resource. Default: every error does. */
  readonly isFailure?: ((error: unknown) => boolean) | undefined;
}

export interface TripOptions {
  /** Default `'custom'`. */
  readonly reason?: CircuitReason | undefined;
  /** Milliseconds to stay open, exactly. Default: as failures would. */
  readonly openMs?: number | undefined;
}

export interface CircuitSnapshot {
  readonly name: string;
  readonly state: CircuitState;
  readonly failureCount: number;
  readonly failureTimes: readonly number[];
  readonly generation: number;
  readonly nextTestAt: number | undefined;
  readonly lastTransitionAt: number | undefined;
}

interface Probe {
  readonly ticket: number;
  readonly leaseEndsAt: number;
}

/** One sequence for all breakers: a ticket can never be mistaken for another breaker's. */
let serial = 0;

const defaultNow = () => performance.timeOrigin + performance.now();

/**
 * Refuses calls to a resource that keeps failing, and tests it now and then. It owns no timer: time
 * passes when somebody asks. A ticket is good for the era it was given in, so a verdict that comes
 * late changes nothing.
 */
export class CircuitBreaker {
  readonly name: string;
  /** For reports: the failures that open, where the rule has such a number. */
  readonly failureThreshold: number | undefined;
  /** For reports: the window in milliseconds, where the rule has one. */
  readonly windowMs: number | undefined;
  /** The first open time in milliseconds, before growth and jitter. */
  readonly openMs: number;
  readonly #options: CircuitBreakerOptions;
  readonly #rule: TripRule;
  readonly #window: TripWindow;
  readonly #now: () => number;
  #state: CircuitState = 'closed';
  /** The ticket of every call admitted since the last transition or reset. */
  #era = ++serial;
  #generation = 0;
  #openUntil = 0;
  /** Failed tests in a row: the exponent of the open time. */
  #streak = 0;
  #tripCount = 0;
  #tripAt = 0;
  #successes = 0;
  #probes: Probe[] | undefined;
  #lastTransitionAt: number | undefined;

  /** Throws a TypeError or RangeError that names the option, the value and the bound. */
  constructor(options: CircuitBreakerOptions = {}) {
    checkNames(
      options,
      'name failureThreshold windowMs openMs halfOpenPermits successThreshold probeLeaseMs maxOpenMs openMultiplier openJitter trip now random bus',
    );
    const { name = 'circuit', trip, openMs = 30_000, now = defaultNow, bus } = options;
    checkType('name', name, 'string');
    checkNumber('openMs', openMs, 1);
    checkCount('halfOpenPermits', options.halfOpenPermits ?? 1);
    checkCount('successThreshold', options.successThreshold ?? 1);
    checkNumber('probeLeaseMs', options.probeLeaseMs ?? openMs, 1);
    checkNumber('maxOpenMs', options.maxOpenMs ?? openMs, openMs);
    checkNumber('openMultiplier', options.openMultiplier ?? 1, 1);
    checkNumber('openJitter', options.openJitter ?? 0, 0, 1);
    checkType('now', now, 'function');
    checkType('random', options.random ?? Math.random, 'function');
    if (bus !== undefined) checkType('bus.emit', bus?.emit as unknown, 'function');
    const { failureThreshold: threshold = trip?.failureThreshold } = options;
    const { windowMs = trip?.windowMs } = options;
    checkCount('failureThreshold', threshold ?? 1);
    checkNumber('windowMs', windowMs ?? 1, 1);
    if (trip !== undefined) checkType('trip.create', trip?.create as unknown, 'function');
    this.#rule = trip ?? failureCount({ threshold, windowMs });
    this.#window = this.#rule.create();
    this.#options = { ...options };
    this.#now = now;
    this.name = name;
    this.openMs = openMs;
    this.failureThreshold = threshold ?? this.#rule.failureThreshold;
    this.windowMs = windowMs ?? this.#rule.windowMs;
  }

  /** Reads `'half_open'` from the moment a test is due. Reading changes and emits nothing. */
  get state(): CircuitState {
    return this.#state === 'open' && this.#now() >= this.#openUntil ? 'half_open' : this.#state;
  }

  /** Failures in the window; while open the count that tripped it. */
  get failureCount(): number {
    return this.#state === 'closed' ? this.#window.failureCount(this.#now()) : this.#tripCount;
  }

  /** When they happened, oldest first; empty where the rule keeps no times. */
  get failureTimes(): number[] {
    const at = this.#state === 'closed' ? this.#now() : this.#tripAt;
    return this.#window.failureTimes?.(at) ?? [];
  }

  /** Transitions so far. */
  get generation(): number {
    return this.#generation;
  }

  /** Epoch milliseconds from which a test is admitted; undefined unless opened by a trip. */
  get nextTestAt(): number | undefined {
    return this.#state === 'open' ? this.#openUntil : undefined;
  }

  get lastTransitionAt(): number | undefined {
    return this.#lastTransitionAt;
  }

  /** Milliseconds until a call may be admitted, 0 if now; undefined while forced open. */
  get retryAfterMs(): number | undefined {
    return this.#waitMs(this.#now());
  }

  /** Whether `acquire` would admit now. A pure read: no permit is taken. */
  canAttempt(): boolean {
    return this.retryAfterMs === 0;
  }

  /** Whether a test could be admitted at `now`: open past the deadline, or a permit is free. */
  isDue(now: number): boolean {
    return (this.#state === 'open' || this.#state === 'half_open') && this.#waitMs(now) === 0;
  }

  /** Admits a call: a ticket to settle exactly once, or 0 if refused. */
  acquire(): number {
    if (this.#state === 'closed' || this.#state === 'disabled') return this.#era;
    const now = this.#now();
    if (this.#waitMs(now) !== 0) return 0;
    if (this.#state === 'open') {
      this.#move('half_open', 'timeout', now);
      // A listener may have changed the state, or taken the permit.
      return this.acquire();
    }
    const probes = (this.#probes ??= []);
    // No permit free: the oldest one's lease has ended, and its verdict counts no more.
    if (probes.length >= (this.#options.halfOpenPermits ?? 1)) probes.shift();
    const ticket = ++serial;
    probes.push({ ticket, leaseEndsAt: now + (this.#options.probeLeaseMs ?? this.openMs) });
    return ticket;
  }

  /** The call of this ticket succeeded. A stale ticket is ignored. */
  succeed(ticket: number, durationMs = 0): void {
    if (ticket === this.#era) {
      if (!this.#rule.ignoresSuccess) this.#record(false, durationMs);
    } else if (
      this.#takeProbe(ticket) &&
      ++this.#successes >= (this.#options.successThreshold ?? 1)
    ) {
      this.#move('closed', 'recovered', this.#now());
    }
  }

  /** The call of this ticket failed. A stale ticket is ignored. */
  fail(ticket: number, durationMs = 0): void {
    if (ticket === this.#era) {
      this.#record(true, durationMs);
    } else if (this.#takeProbe(ticket)) {
      this.#streak++;
      this.#move('open', 'probe_failed', this.#now());
    }
  }

  /** The call of this ticket was cancelled: no verdict, and a test's permit is free again. */
  release(ticket: number): void {
    this.#takeProbe(ticket);
  }

  /**
   * Calls `fn` if admitted, waits for it and settles. Rejects with a `CircuitOpenError` if refused,
   * with the signal's reason if that is aborted already, else with what `fn` threw.
   */
  async execute<Result>(
    fn: () => Result | PromiseLike<Result>,
    options?: ExecuteOptions,
  ): Promise<Result> {
    checkType('fn', fn, 'function');
    const signal = options?.signal;
    if (signal?.aborted) throw signal.reason;
    const ticket = this.acquire();
    if (ticket === 0) throw new CircuitOpenError(this.name, this.state, this.retryAfterMs);
    const timed = this.#rule.needsDuration;
    const startedAt = timed ? this.#now() : 0;
    let result: Result;
    try {
      result = await fn();
    } catch (error) {
      if (signal?.aborted) {
        this.release(ticket);
        throw error;
      }
      const durationMs = timed ? this.#now() - startedAt : 0;
      let failed = true;
      try {
        failed = options?.isFailure?.(error) ?? true;
      } finally {
        // Settled even if isFailure throws: else a test's permit would be lost.
        if (failed) this.fail(ticket, durationMs);
        else this.succeed(ticket, durationMs);
      }
      throw error;
    }
    this.succeed(ticket, timed ? this.#now() - startedAt : 0);
    return result;
  }

  /** Closed and empty; tickets given before are ignored. Lifts every override. */
  reset(): void {
    if (this.#state !== 'closed') {
      this.#move('closed', 'reset', this.#now());
    } else {
      this.#era = ++serial;
      this.#window.reset();
    }
  }

  /** Refuses everything until `reset` or `disable`; time does not lift it. */
  forceOpen(): void {
    if (this.#state !== 'forced_open') this.#move('forced_open', 'forced', this.#now());
  }

  /** Admits everything and records nothing until `reset` or `forceOpen`. */
  disable(): void {
    if (this.#state !== 'disabled') this.#move('disabled', 'disabled', this.#now());
  }

  /**
   * Opens now, as failures would; time lifts it. Already open: the later deadline stands and
   * nothing is emitted. Under an override: ignored.
   */
  trip(options: TripOptions = {}): void {
    checkNames(options, 'reason openMs');
    const { reason = 'custom', openMs } = options;
    if (openMs !== undefined) checkNumber('openMs', openMs, 0);
    const now = this.#now();
    if (this.#state === 'open') {
      if (now < this.#openUntil) {
        this.#openUntil = Math.max(this.#openUntil, now + (openMs ?? 0));
        return;
      }
      this.#move('half_open', 'timeout', now);
    }
    if (this.#state === 'closed') this.#count(now);
    else if (this.#state === 'half_open') this.#streak++;
    else return;
    this.#move('open', reason, now, openMs);
  }

  /** A copy to look at; nothing can be restored from it. */
  snapshot(): CircuitSnapshot {
    return {
      name: this.name,
      state: this.state,
      failureCount: this.failureCount,
      failureTimes: this.failureTimes,
      generation: this.#generation,
      nextTestAt: this.nextTestAt,
      lastTransitionAt: this.#lastTransitionAt,
    };
  }

  #waitMs(now: number): number | undefined {
    if (this.#state === 'forced_open') return undefined;
    let until = 0;
    if (this.#state === 'open') until = this.#openUntil;
    else if (this.#state === 'half_open') {
      const probes = this.#probes;
      // Leases are of one length, so the oldest test's ends first.
      if (probes && probes.length >= (this.#options.halfOpenPermits ?? 1)) {
        until = probes[0]!.leaseEndsAt;
      }
    }
    return until > now ? Math.ceil(until - now) : 0;
  }

  #record(failed: boolean, durationMs: number): void {
    if (this.#state !== 'closed') return;
    const now = this.#now();
    const reason = this.#window.record(failed, now, durationMs);
    if (reason === undefined) return;
    this.#count(now);
    this.#move('open', reason, now);
  }

  #count(now: number): void {
    this.#tripCount = this.#window.failureCount(now);
    this.#tripAt = now;
  }

  /** Frees the permit of a test that is still out; false for any other ticket. */
  #takeProbe(ticket: number): boolean {
    const probes = this.#probes;
    const index = probes ? probes.findIndex((probe) => probe.ticket === ticket) : -1;
    if (index < 0) return false;
    probes!.splice(index, 1);
    return true;
  }

  #openTime(): number {
    const { maxOpenMs, openMultiplier = 1, openJitter = 0, random = Math.random } = this.#options;
    const cap = maxOpenMs ?? Math.max(this.openMs, 300_000);
    const time = Math.min(this.openMs * openMultiplier ** this.#streak, cap);
    return openJitter > 0 ? time * (1 + openJitter * (2 * random() - 1)) : time;
  }

  #move(to: CircuitState, reason: CircuitReason, now: number, openMs?: number): void {
    const from = this.#state;
    this.#state = to;
    this.#era = ++serial;
    this.#generation++;
    this.#lastTransitionAt = now;
    this.#probes = undefined;
    this.#successes = 0;
    if (to === 'open') this.#openUntil = now + (openMs ?? this.#openTime());
    else if (to !== 'half_open') {
      this.#streak = this.#tripCount = 0;
      this.#window.reset();
    }
    const { bus } = this.#options;
    // Last of all, so that a listener may call any method.
    if (bus?.has('circuit:transition')) {
      bus.emit('circuit:transition', {
        name: this.name,
        from,
        to,
        reason,
        generation: this.#generation,
        failureCount: this.#tripCount,
        ...(to === 'open' && { nextTestAt: this.#openUntil }),
        at: now,
      });
    }
  }
}
