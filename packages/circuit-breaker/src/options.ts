import type { WhirlBus } from '@whirl/events';
import { defaultNow } from './clock.ts';
import { countFailures } from './failure-count.ts';
import type { TripRule } from './trip-rule.ts';
import { check, resolve, type Kinds } from './validate.ts';

/**
 * The options of a breaker. Numbers have to be finite. What is unknown, of a wrong type or out of its bounds is refused
 * with a TypeError or RangeError that names it.
 */
export interface CircuitBreakerOptions {
  /** Names the breaker in events and errors. Default `'circuit'`. */
  readonly name?: string | undefined;
  /** Failures within `windowMs` that open. An integer ≥ 1, default 5. Not used beside `trip`. */
  readonly failureThreshold?: number | undefined;
  /** Milliseconds in which failures count. ≥ 1, default 60,000. Not used beside `trip`. */
  readonly windowMs?: number | undefined;
  /** Milliseconds from opening to the first test. ≥ 1, default 30,000. */
  readonly openMs?: number | undefined;
  /** Tests that may run at once while half-open. An integer ≥ 1, default 1. */
  readonly halfOpenPermits?: number | undefined;
  /** Successful tests that close. An integer ≥ 1, default 1. */
  readonly successThreshold?: number | undefined;
  /** Milliseconds after which a test that did not settle may be replaced. ≥ 1, default `openMs`. */
  readonly probeLeaseMs?: number | undefined;
  /** Milliseconds that bound the growth of the open time. ≥ `openMs`, default 300,000 or `openMs` if larger. */
  readonly maxOpenMs?: number | undefined;
  /** The open time grows by this factor with each failed test in a row. ≥ 1, default 1. */
  readonly openMultiplier?: number | undefined;
  /** Spreads the open time by ± this ratio, after the bound. 0 to 1, default 0. */
  readonly openJitter?: number | undefined;
  /** The rule that decides when to open. Default `failureCount({ threshold: failureThreshold, windowMs })`. */
  readonly trip?: TripRule | undefined;
  /** Epoch milliseconds. Default `performance.timeOrigin + performance.now()`. */
  readonly now?: (() => number) | undefined;
  /** A number ≥ 0 and < 1, for the jitter. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Gets `circuit:transition` and `circuit:rescheduled`. Default: none. */
  readonly bus?: Pick<WhirlBus, 'emit' | 'has'> | undefined;
}

/** With the defaults filled in; null is no bus. */
type Resolved = {
  -readonly [Name in keyof CircuitBreakerOptions]-?: Exclude<
    CircuitBreakerOptions[Name],
    undefined
  >;
};

const kinds: Kinds<Resolved> = {
  name: ['circuit'],
  failureThreshold: [5, true],
  windowMs: [60_000],
  openMs: [30_000],
  halfOpenPermits: [1, true],
  successThreshold: [1, true],
  probeLeaseMs: [0],
  maxOpenMs: [0],
  openMultiplier: [1],
  openJitter: [0, false, 0, 1],
  trip: [null],
  now: [defaultNow],
  random: [Math.random],
  bus: [null],
};

/** Checks the options and fills in the defaults. */
export function resolveOptions(options: CircuitBreakerOptions | undefined): ResolvedOptions {
  const resolved = resolve<Resolved>(options, kinds);
  const { openMs, bus } = resolved;
  resolved.probeLeaseMs ||= openMs;
  resolved.maxOpenMs ||= Math.max(openMs, 300_000);
  check('maxOpenMs', resolved.maxOpenMs, [0, false, openMs]);
  resolved.trip ??= countFailures(resolved.failureThreshold, resolved.windowMs);
  check('trip.create', resolved.trip.create, [resolve]);
  if (bus) check('bus.has', bus.has, [resolve]);
  if (bus) check('bus.emit', bus.emit, [resolve]);
  return resolved;
}

export type ResolvedOptions = Readonly<Resolved>;
