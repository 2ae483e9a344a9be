import type { CircuitReason } from '@whirl/events';
import type { TripRule } from './trip-rule.ts';
import { checkType } from './validate.ts';

function combine(rules: readonly TripRule[], all: boolean): TripRule {
  if (rules.length === 0) throw new RangeError('rules must be at least 1, got 0');
  for (const rule of rules) checkType('rule.create', rule?.create, 'function');
  return {
    create: () => {
      const windows = rules.map((rule) => rule.create());
      const timed = windows.find((window) => window.failureTimes);
      return {
        record(failed, now, durationMs) {
          let first: CircuitReason | undefined;
          let every = true;
          // Each window hears each outcome, whatever the others answered.
          for (const window of windows) {
            const reason = window.record(failed, now, durationMs);
            first ??= reason;
            every &&= reason !== undefined;
          }
          return every || !all ? first : undefined;
        },
        failureCount: (now) => windows[0]!.failureCount(now),
        failureTimes: (now) => timed?.failureTimes?.(now) ?? [],
        reset: () => windows.forEach((window) => window.reset()),
      };
    },
    needsDuration: rules.some((rule) => rule.needsDuration),
    ignoresSuccess: rules.every((rule) => rule.ignoresSuccess),
    failureThreshold: rules.find((rule) => rule.failureThreshold)?.failureThreshold,
    windowMs: rules.find((rule) => rule.windowMs)?.windowMs,
  };
}

/** Opens when any of the rules would, for the reason of the first that does. */
export function anyOf(...rules: TripRule[]): TripRule {
  return combine(rules, false);
}

/** Opens when all of the rules hold at the same outcome, for the reason of the first. */
export function allOf(...rules: TripRule[]): TripRule {
  return combine(rules, true);
}
