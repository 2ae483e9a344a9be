import { setTimeout as wait } from 'node:timers/promises';
import { withTeam } from './team.ts';

const processes = 8;
const watchedMs = 40_000;
const strategies = ['in turn', 'adaptive'] as const;

interface Figures {
  readonly wasted: number;
  readonly tests: number;
  readonly spreadMs: number;
  /** Tests begun sooner after another than a circuit stays open. */
  readonly doubled: number;
}

/** What a dead proxy costs with and without a fleet: attempts that are no tests, and tests in each open period. */
export async function wasted() {
  const rows = [];
  for (const strategy of strategies) {
    const alone = await measure(strategy, false);
    const fleet = await measure(strategy, true);
    rows.push({
      strategy,
      'wasted, alone': alone.wasted,
      'in a fleet': fleet.wasted,
      ratio: fleet.wasted / alone.wasted,
      'first to last open, ms': fleet.spreadMs,
      'tests, alone': alone.tests,
      'tests, in a fleet': fleet.tests,
      'second tests in a period': fleet.doubled,
    });
  }
  return rows;
}

async function measure(strategy: (typeof strategies)[number], fleet: boolean): Promise<Figures> {
  const openMs = 2000;
  return withTeam(processes, { strategy, fleet, everyMs: 100, openMs }, async (workers) => {
    const attempts = async () => {
      const counts = await Promise.all(workers.map((worker) => worker.counts()));
      return counts.reduce((sum, each) => sum + (each.attempts['c'] ?? 0), 0);
    };
    const before = await attempts();
    for (const worker of workers) worker.tell({ dead: ['c'] });
    await wait(watchedMs);
    const all = (await attempts()) - before;
    const tests = workers
      .flatMap((worker) => worker.tests.filter(({ id }) => id === 'c').map(({ at }) => at))
      .sort((a, b) => a - b);
    const opened = workers
      .map((worker) => worker.transitions.find(({ id, to }) => id === 'c' && to === 'open')?.at)
      .filter((at) => at !== undefined);
    return {
      wasted: all - tests.length,
      tests: tests.length,
      spreadMs: opened.length === 0 ? 0 : Math.max(...opened) - Math.min(...opened),
      doubled: tests.filter((at, i) => i > 0 && at - (tests[i - 1] ?? 0) < 0.9 * openMs).length,
    };
  });
}
