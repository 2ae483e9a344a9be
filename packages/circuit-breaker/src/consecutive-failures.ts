import type { TripRule } from './trip-rule.ts';
import { check } from './validate.ts';

/** Opens at the `threshold`-th failure in a row, however far apart. A success starts over. */
export function consecutiveFailures(threshold: number): TripRule {
  check('threshold', threshold, [0, true]);
  return {
    create() {
      let run = 0;
      return {
        record(failed) {
          run = failed ? run + 1 : 0;
          return run >= threshold ? 'failures' : undefined;
        },
        failureCount: () => run,
      };
    },
  };
}
