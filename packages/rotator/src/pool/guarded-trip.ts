import type { TripRule, TripWindow } from '@whirl/circuit-breaker';

/**
 * A trip rule of the user's own that fails no request: what it throws is written to the console, as an error of a
 * listener is, and opens nothing.
 */
export function guardedTrip(rule: TripRule): TripRule {
  return {
    needsDuration: rule.needsDuration,
    create() {
      const window = guarded<TripWindow>(() => rule.create(), silent);
      return {
        record: (failed, now, durationMs) =>
          guarded(() => window.record(failed, now, durationMs), undefined),
        failureCount: (now) => guarded(() => window.failureCount(now), 0),
        failureTimes: (now) => guarded(() => window.failureTimes?.(now) ?? [], []),
      };
    },
  };
}

/** Of a rule that made no window. */
const silent: TripWindow = { record: () => undefined, failureCount: () => 0 };

function guarded<Result>(call: () => Result, otherwise: Result): Result {
  try {
    return call();
  } catch (error) {
    // oxlint-disable-next-line no-console -- an error of the user's own rule must not be lost
    console.error(error);
    return otherwise;
  }
}
