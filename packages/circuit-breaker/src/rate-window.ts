import { checkCount, checkNumber } from './validate.ts';

export interface RateOptions {
  /** Opens at this share, inclusive. Over 0, up to 1. */
  readonly ratio: number;
  /** The window in milliseconds, in ten buckets. Default 60,000; not together with `windowSize`. */
  readonly windowMs?: number | undefined;
  /** The window in calls. A whole number of at least 1. */
  readonly windowSize?: number | undefined;
  /** Calls in the window before the rate counts. Default 10, or `windowSize` if smaller. */
  readonly minimumCalls?: number | undefined;
}

/** Counts calls, and the bad ones among them, in a window of calls or of time. */
export interface RateWindow {
  /** Adds a call; answers whether the rate is now reached. */
  add(bad: boolean, now: number): boolean;
  bad(now: number): number;
  reset(): void;
}

/** Ten whole buckets and the one being filled: never less than `windowMs`, at any phase. */
const slots = 11;

function timeWindow(widthMs: number, reached: (bad: number, calls: number) => boolean): RateWindow {
  let calls: number[] | undefined;
  let bads: number[] = [];
  let current = 0;
  /** Sums what a reader in bucket `at` still sees. */
  const sum = (counts: readonly number[], at: number) => {
    let total = 0;
    for (let index = Math.max(at, current) - slots + 1; index <= current; index++) {
      total += counts[((index % slots) + slots) % slots] ?? 0;
    }
    return total;
  };
  const reset = () => {
    calls = undefined;
    bads = [];
  };
  return {
    add(bad, now) {
      const at = Math.floor(now / widthMs);
      // A clock that stepped back by more than the window starts the window afresh.
      if (calls === undefined || Math.abs(at - current) >= slots) {
        calls = Array<number>(slots).fill(0);
        bads = Array<number>(slots).fill(0);
        current = at;
      }
      while (current < at) {
        const slot = ((++current % slots) + slots) % slots;
        calls[slot] = bads[slot] = 0;
      }
      const slot = ((current % slots) + slots) % slots;
      calls[slot]! += 1;
      if (bad) bads[slot]! += 1;
      return reached(sum(bads, current), sum(calls, current));
    },
    bad: (now) => sum(bads, Math.floor(now / widthMs)),
    reset,
  };
}

function countWindow(size: number, reached: (bad: number, calls: number) => boolean): RateWindow {
  let ring: boolean[] = [];
  let next = 0;
  let bads = 0;
  return {
    add(bad) {
      if (ring[next]) bads--;
      if (bad) bads++;
      ring[next] = bad;
      next = (next + 1) % size;
      return reached(bads, ring.length);
    },
    bad: () => bads,
    reset() {
      ring = [];
      next = bads = 0;
    },
  };
}

/** Checks the options once; answers a maker of windows. */
export function rateWindow(options: RateOptions): () => RateWindow {
  const { windowSize } = options;
  const ratio = checkNumber('ratio', options.ratio, Number.MIN_VALUE, 1);
  if (windowSize !== undefined) {
    checkCount('windowSize', windowSize);
    if (options.windowMs !== undefined) {
      throw new TypeError('windowMs and windowSize exclude each other: give one');
    }
  }
  const widthMs = checkNumber('windowMs', options.windowMs ?? 60_000, 1) / 10;
  const minimum = checkCount(
    'minimumCalls',
    options.minimumCalls ?? Math.min(10, windowSize ?? 10),
  );
  if (windowSize !== undefined && minimum > windowSize) {
    throw new RangeError(`minimumCalls must be at most windowSize (${windowSize}), got ${minimum}`);
  }
  const reached = (bad: number, calls: number) => calls >= minimum && bad / calls >= ratio;
  return () =>
    windowSize === undefined ? timeWindow(widthMs, reached) : countWindow(windowSize, reached);
}
