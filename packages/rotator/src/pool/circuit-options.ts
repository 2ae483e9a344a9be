import {
  allOf,
  anyOf,
  CircuitBreaker,
  consecutiveFailures,
  failureCount,
  failureRate,
  type CircuitBreakerGroupOptions,
  type TripRule,
} from '@whirl/circuit-breaker';
import {
  check,
  checkOptions,
  integer,
  number,
  object,
  or,
  withMethods,
  type Kind,
} from '@whirl/check';
import { guardedTrip } from './guarded-trip.ts';

/**
 * The circuit of a proxy. By default it opens at 5 failures within 60 s if they are at least half of
 * the calls within those 60 s, and at 5 failures in a row. The bare count would open healthy busy
 * proxies, at 100 requests a second already with one error in a thousand; the share alone would keep
 * a proxy that served well and then died for half a minute. Outcomes for which the proxy is not to
 * blame are no calls.
 */
export interface CircuitOptions {
  /** Failures within `windowMs` that open the circuit. An integer ≥ 1, default 5. */
  readonly failureThreshold?: number | undefined;
  /** Milliseconds in which failures count. ≥ 1, default 60,000. */
  readonly windowMs?: number | undefined;
  /** Milliseconds until an open circuit is tested. ≥ 1, default 30,000. */
  readonly openMs?: number | undefined;
  /** Tests that may be out at once. An integer ≥ 1, default 1. */
  readonly halfOpenPermits?: number | undefined;
  /** Successful tests that close the circuit. An integer ≥ 1, default 1. */
  readonly successThreshold?: number | undefined;
  /** Milliseconds after which a test that did not end may be replaced. ≥ 1, default `openMs`. */
  readonly probeLeaseMs?: number | undefined;
  /** Milliseconds that bound the growth of the open time. ≥ `openMs`, default 300,000 or `openMs` if larger. */
  readonly maxOpenMs?: number | undefined;
  /** The open time grows by this factor with each failed test in a row. ≥ 1, default 1. */
  readonly openMultiplier?: number | undefined;
  /** Spreads the open time by ± this ratio. 0 to 1, default 0. */
  readonly openJitter?: number | undefined;
  /**
   * Another rule for opening, in place of `failureThreshold` and `windowMs`. What it throws is written to the console, and
   * opens nothing. Default: the one described above.
   */
  readonly trip?: TripRule | undefined;
}

const count = integer(1);
const durationMs = number(1);

const kinds: Readonly<Record<keyof CircuitOptions, Kind>> = {
  failureThreshold: count,
  windowMs: durationMs,
  openMs: durationMs,
  halfOpenPermits: count,
  successThreshold: count,
  probeLeaseMs: durationMs,
  maxOpenMs: durationMs,
  openMultiplier: number(1),
  openJitter: number(0, 1),
  trip: withMethods('a trip rule', 'create'),
};
const circuits = or(false, object);

/** Refuses with a TypeError or RangeError what is neither options nor `false`. */
export function checkCircuit(option: unknown): void {
  if (option === undefined || option === false) return;
  check('circuitBreaker', option, circuits);
  checkOptions('circuitBreaker', option, kinds);
  const { openMs = 30_000, maxOpenMs } = option as CircuitOptions;
  if (maxOpenMs !== undefined) check('circuitBreaker.maxOpenMs', maxOpenMs, number(openMs));
}

/** Decides a circuit's options. Throws a TypeError or RangeError that names the option. */
export function resolveCircuit(
  options: CircuitOptions,
  clock: Pick<CircuitBreakerGroupOptions, 'now' | 'random'>,
): CircuitBreakerGroupOptions {
  const { failureThreshold: threshold = 5, windowMs = 60_000, trip } = options;
  const resolved = {
    ...options,
    // What the circuit is shown with; the rule below has them already.
    ...(trip === undefined ? { failureThreshold: threshold, windowMs } : {}),
    trip:
      trip === undefined
        ? allOf(
            failureCount({ threshold, windowMs }),
            anyOf(
              failureRate({ ratio: 0.5, windowMs, minimumCalls: 1 }),
              consecutiveFailures(threshold),
            ),
          )
        : guardedTrip(trip),
    ...clock,
  };
  void new CircuitBreaker(resolved);
  return resolved;
}

/**
 * Whether two circuits have the same options, or there is none on either side. By value; a trip rule is only
 * the same as itself.
 */
export function sameCircuit(a: CircuitOptions | undefined, b: CircuitOptions | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const names = Object.keys({ ...a, ...b }) as (keyof CircuitOptions)[];
  return names.every((name) => a[name] === b[name]);
}
