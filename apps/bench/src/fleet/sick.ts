import { setTimeout as wait } from 'node:timers/promises';
import { until, withTeam } from './team.ts';

const ids = Array.from({ length: 40 }, (_, i) => `p${i}`);

/** What seven processes suffer for the eighth, whose every attempt fails. */
export async function sick() {
  return withTeam(8, { ids, everyMs: 40, openMs: 30_000 }, async ([one, ...others]) => {
    one?.tell({ sick: true });
    await until(() => one?.events.includes('suspect') === true);
    await wait(15_000);
    const counts = await Promise.all(others.map((worker) => worker.counts()));
    const own = ids.filter((id) => one?.isOpen(id)).length;
    one?.tell({ sick: false });
    await until(() => one?.events.includes('cleared') === true);
    const clearedAt = performance.now();
    await until(() => ids.every((id) => one?.isOpen(id) !== true));
    return [
      {
        'requests of the others': counts.reduce((sum, { requests }) => sum + requests, 0),
        refused: counts.reduce((sum, { refused }) => sum + refused, 0),
        'circuits opened there': others.flatMap(({ transitions }) => transitions).length,
        'opened by itself': own,
        'closed after, ms': Math.round(performance.now() - clearedAt),
      },
    ];
  });
}
