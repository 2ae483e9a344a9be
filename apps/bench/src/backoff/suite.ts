// What retry() costs beside p-retry, exponential-backoff, cockatiel and a loop written by hand.
import { exponential, retry, type TaskContext } from '@whirl/backoff';
import { ExponentialBackoff, handleAll, retry as cockatielRetry, ConstantBackoff } from 'cockatiel';
import { backOff } from 'exponential-backoff';
import pRetry from 'p-retry';
import { compareNs } from '../measure.ts';
import { printTable } from '../table.ts';

const task = async () => 1;
const always = () => true;

/** Fails twice, then succeeds. */
function failingTwice() {
  let calls = 0;
  const error = new Error('no');
  return async () => {
    if (calls++ % 3 < 2) throw error;
    return 1;
  };
}

/** The loop that people write themselves: three attempts, without any delay. */
async function byHand<T>(attempted: (context: TaskContext) => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await attempted({ attempt, signal: undefined as never });
    } catch (error) {
      if (attempt + 1 >= 3) throw error;
    }
  }
}

/** Awaits an operation `count` times. */
const times = (operation: () => Promise<unknown>) => async (count: number) => {
  for (let i = 0; i < count; i++) await operation();
};

/** Prints each figure and its ratio to the one named; gives the ratios. */
function report<Name extends string>(title: string, ns: Record<Name, number>, over: NoInfer<Name>) {
  const names = Object.keys(ns) as Name[];
  const ratios = Object.fromEntries(names.map((name) => [name, ns[name] / ns[over]])) as Record<
    Name,
    number
  >;
  printTable(
    title,
    names.map((name) => ({ what: name, ns: Math.round(ns[name]), [`over ${over}`]: ratios[name] })),
  );
  return ratios;
}

export async function run(_args: readonly string[]): Promise<void> {
  const backoff = exponential();
  const cockatiel = cockatielRetry(handleAll, { maxAttempts: 2 });
  const success = report(
    'No failure: one call of the wrapper',
    await compareNs(
      {
        'bare await': times(task),
        'by hand': times(() => byHand(task)),
        whirl: times(() => retry(task)),
        'whirl, three options': times(() =>
          retry(task, { maxAttempts: 3, backoff, shouldRetry: always }),
        ),
        cockatiel: times(() => cockatiel.execute(task)),
        'exponential-backoff': times(() => backOff(task)),
        'p-retry': times(() => pRetry(task)),
      },
      { count: 20_000, rounds: 15 },
    ),
    'by hand',
  );

  const at0 = exponential({ baseMs: 0 });
  const immediate = cockatielRetry(handleAll, {
    maxAttempts: 2,
    backoff: new ConstantBackoff(0),
  });
  const retries = report(
    'Two failures, retried at once: one call of the wrapper',
    await compareNs(
      {
        'by hand': times(() => byHand(failingTwice())),
        whirl: times(() => retry(failingTwice(), { backoff: at0 })),
        cockatiel: times(() => immediate.execute(failingTwice())),
        'exponential-backoff': times(() => backOff(failingTwice(), { startingDelay: 0 })),
        'p-retry': times(() => pRetry(failingTwice(), { retries: 2, minTimeout: 0 })),
      },
      { count: 40, rounds: 15, warmUpRounds: 40 },
    ),
    'by hand',
  );

  let sum = 0;
  const decorrelated = exponential({ jitter: 'decorrelated' });
  const full = exponential({ jitter: 'full' });
  report(
    'One delay computed',
    await compareNs(
      {
        formula: (count) => {
          for (let i = 0; i < count; i++) sum += Math.min(30_000, 1000 * 2 ** (i & 7));
        },
        whirl: (count) => {
          for (let i = 0; i < count; i++) sum += backoff.delay(i & 7);
        },
        'whirl, full': (count) => {
          for (let i = 0; i < count; i++) sum += full.delay(i & 7);
        },
        'whirl, decorrelated': (count) => {
          let previousMs = 1000;
          for (let i = 0; i < count; i++) previousMs = decorrelated.delay(i & 7, previousMs);
          sum += previousMs;
        },
        'cockatiel, decorrelated': (count) => {
          let next = new ExponentialBackoff().next();
          for (let i = 0; i < count; i++) {
            sum += next.duration;
            next = next.next(undefined as never);
          }
        },
      },
      { count: 50_000, rounds: 15 },
    ),
    'formula',
  );
  if (Number.isNaN(sum)) throw new Error('a delay was NaN');

  const share = (ratio: number) => ratio.toFixed(2);
  console.log(
    `\nWithout a failure retry() costs ${share(success.whirl)} of a loop written by hand (bar: 1.5), ` +
      `p-retry ${share(success['p-retry'])}, exponential-backoff ${share(success['exponential-backoff'])}; ` +
      `retried at once twice ${share(retries.whirl)}, p-retry ${share(retries['p-retry'])}, ` +
      `exponential-backoff ${share(retries['exponential-backoff'])} (it takes a timer even for 0 ms).`,
  );
}
