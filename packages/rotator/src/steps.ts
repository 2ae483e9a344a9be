import { setImmediate as nextTurn } from 'node:timers/promises';

/** Work in steps of less than a millisecond each. */
export type Steps<T> = Generator<undefined, T, undefined>;

/** Milliseconds of work after which the event loop turns. */
const sliceMs = 4;

/** Takes all steps at once. */
export function allSteps<T>(steps: Steps<T>): T {
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/** Takes the steps in slices of a few milliseconds; the event loop turns between them. */
export async function stepByStep<T>(steps: Steps<T>): Promise<T> {
  let endsAt = performance.now() + sliceMs;
  let step = steps.next();
  while (step.done !== true) {
    if (performance.now() >= endsAt) {
      await nextTurn();
      endsAt = performance.now() + sliceMs;
    }
    step = steps.next();
  }
  return step.value;
}
