export interface ScheduleOptions<Item, Result> {
  readonly concurrency: number;
  readonly signal: AbortSignal;
  readonly run: (item: Item) => Promise<Result>;
  /** Whether the result speaks of this machine's limits and not of the item. */
  readonly isLocal: (result: Result) => boolean;
  readonly onResult: (item: Item, result: Result) => void;
  /** Fewer run at once from now on, because this machine has no room for more. */
  readonly onNarrowed: (concurrency: number) => void;
}

/**
 * Runs every item, so many at once, in their order. When this machine runs out of descriptors, fewer run at
 * once and the item waits for its turn again; what an item that runs alone comes to stands. Resolves when all have
 * ended, or at the abort.
 */
export function runAll<Item, Result>(
  items: readonly Item[],
  options: ScheduleOptions<Item, Result>,
): Promise<void> {
  const { signal, run, isLocal, onResult, onNarrowed } = options;
  let { concurrency } = options;
  return new Promise((resolve, reject) => {
    const again: Item[] = [];
    let begun = 0;
    let running = 0;
    /** How often fewer were let run: what began before fails for the same reason. */
    let narrowed = 0;
    const ended = (item: Item, result: Result, before: number) => {
      running--;
      if (signal.aborted) return;
      if (isLocal(result) && concurrency > 1) {
        again.push(item);
        if (before === narrowed) {
          narrowed++;
          concurrency = Math.max(1, Math.floor(Math.min(concurrency, running + 1) / 2));
          onNarrowed(concurrency);
        }
      } else onResult(item, result);
      fill();
    };
    const fill = () => {
      while (running < concurrency && (begun < items.length || again.length > 0)) {
        const item = begun < items.length ? (items[begun++] as Item) : (again.shift() as Item);
        const before = narrowed;
        running++;
        run(item).then((result) => ended(item, result, before), reject);
      }
      if (running === 0) resolve();
    };
    signal.addEventListener('abort', () => resolve());
    fill();
  });
}
