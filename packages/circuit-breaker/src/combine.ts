import type { TripRule } from './trip-rule.ts';
import { check } from './validate.ts';

function combine(rules: readonly TripRule[], needed: number): TripRule {
  // The first one is looked at even if there is none.
  for (const rule of [rules[0], ...rules]) check('rule.create', rule?.create, [check]);
  return {
    needsDuration: rules.some((rule) => rule.needsDuration),
    create() {
      const windows = rules.map((rule) => rule.create());
      /** Whose failures are reported: the first one's, in the end those of the one that opened. */
      let speaker = windows[0]!;
      return {
        record(failed, now, durationMs) {
          let holding = 0;
          let opener;
          let firstReason;
          // Each window gets each outcome, whatever the others returned.
          for (const window of windows) {
            const reason = window.record(failed, now, durationMs);
            if (reason && !holding++) {
              opener = window;
              firstReason = reason;
            }
          }
          if (holding < needed) return undefined;
          speaker = opener!;
          return firstReason;
        },
        failureCount: (now) => speaker.failureCount(now),
        failureTimes: (now) => speaker.failureTimes?.(now) ?? [],
      };
    },
  };
}

/** Opens when any of the rules would, for the reason of the first that does. */
export function anyOf(...rules: TripRule[]): TripRule {
  return combine(rules, 1);
}

/** Opens when all of the rules hold at the same outcome, for the reason of the first. */
export function allOf(...rules: TripRule[]): TripRule {
  return combine(rules, rules.length);
}
