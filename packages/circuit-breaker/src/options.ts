import type { WhirlBus } from '@whirl/events';
import { defaultNow } from './clock.ts';
import { countFailures } from './failure-count.ts';
import type { TripRule } from './trip-rule.ts';
import { check, resolve, type Kinds } from './validate.ts';

/** Beside each: its unit, default and bounds. A number has to be finite. */
export interface CircuitBreakerOptions {
  /** Names the breaker in events and errors. Default `'circuit'`. */
  readonly name?: string | undefined;
  /** Failures within `windowMs` that open. Default 5, whole, at least 1. Not used beside `trip`. */
  readonly failureThreshold?: number | undefined;
  /** Milliseconds. Default 60,000, at least 1. Not used beside `trip`. */
  readonly windowMs?: number | undefined;
  /** Milliseconds from opening to the first test. Default 30,000, at least 1. */
  readonly openMs?: number | undefined;
  /** Tests that may be out at once while half-open. Default 1, whole, at least 1. */
  readonly halfOpenPermits?: number | undefined;
  /** Successful tests that close. Default 1, whole, at least 1. */
  readonly successThreshold?: number | undefined;
  /** Milliseconds after which a test that did not settle may be replaced. Default `openMs`, at least 1. */
  readonly probeLeaseMs?: number | undefined;
  /** Milliseconds that bound the growth of the open time. Default max(openMs, 300,000), at least `openMs`. */
  readonly maxOpenMs?: number | undefined;
  /** The open time grows by this factor with each failed test in a row. Default 1, at least 1. */
  readonly openMultiplier?: number | undefined;
  /** Spreads the open time by ± this ratio, after the cap. Default 0, from 0 to 1. */
  readonly openJitter?: number | undefined;
  /** When to open. Default `failureCount({ threshold: failureThreshold, windowMs })`. */
  readonly trip?: TripRule | undefined;
  /** Epoch milliseconds. Default `performance.timeOrigin + performance.now()`. */
  readonly now?: (() => number) | undefined;
  /** A number from 0 up to 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Hears `circuit:transition`. Default: none. */
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
