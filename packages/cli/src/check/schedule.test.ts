import { describe, expect, it } from 'vitest';
import { runAll } from './schedule.ts';

/** Items that end when the test says so. */
function rig(items: readonly string[], concurrency: number) {
  const ends = new Map<string, (result: string) => void>();
  const results: string[] = [];
  const narrowed: number[] = [];
  const stop = new AbortController();
  const done = runAll(items, {
    concurrency,
    signal: stop.signal,
    run: (item) => new Promise<string>((resolve) => ends.set(item, resolve)),
    isLocal: (result) => result === 'local',
    onResult: (item, result) => results.push(`${item} ${result}`),
    onNarrowed: (left) => narrowed.push(left),
  });
  const end = async (item: string, result = 'done') => {
    ends.get(item)?.(result);
    ends.delete(item);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { running: () => [...ends.keys()], end, results, narrowed, stop, done };
}

describe('L1 tests side by side', () => {
  it('run in their order, so many at once, and each ends once', async () => {
    const { running, end, results, done } = rig(['a', 'b', 'c', 'd'], 2);
    expect(running()).toEqual(['a', 'b']);
    await end('b');
    expect(running()).toEqual(['a', 'c']);
    await end('a');
    await end('c');
    await end('d');
    await done;
    expect(results).toEqual(['b done', 'a done', 'c done', 'd done']);
  });

  it('when this machine has no descriptors left, fewer run at once and the item waits for its turn', async () => {
    const { running, end, results, narrowed, done } = rig(['a', 'b', 'c', 'd', 'e'], 4);
    await end('b', 'local');
    expect([running(), narrowed]).toEqual([['a', 'c', 'd'], [2]]);
    // It began beside the other, and failed for the same reason.
    await end('c', 'local');
    expect([running(), narrowed]).toEqual([['a', 'd'], [2]]);
    await end('a');
    await end('d');
    for (const item of ['e', 'b', 'c']) await end(item);
    await done;
    expect(results.toSorted()).toEqual(['a done', 'b done', 'c done', 'd done', 'e done']);
  });

  it('an item that fails so alone stands', async () => {
    const { end, results, done } = rig(['a'], 1);
    await end('a', 'local');
    await done;
    expect(results).toEqual(['a local']);
  });

  it('an abort ends it; what ends later is not reported', async () => {
    const { running, end, results, stop, done } = rig(['a', 'b', 'c'], 2);
    await end('a');
    stop.abort();
    await done;
    await end('b');
    expect([results, running()]).toEqual([['a done'], ['c']]);
  });

  it('nothing to do ends at once', async () => {
    const { done } = rig([], 3);
    await done;
  });
});
