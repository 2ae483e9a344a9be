import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Team } from './team.ts';
import type { Worker } from './workers.ts';

let team: Team;
beforeEach(async () => {
  team = await Team.start();
});
afterEach(() => team.end());
const patiently = { timeout: 60_000 };

describe('a newcomer', () => {
  const ids = Array.from({ length: 200 }, (_, i) => `p${i}`);
  /** Seven work; the others hardly ever do. */
  const rates = Object.fromEntries(ids.map((id, i) => [id, i % 30 === 1 ? 1 : 0.02]));
  const scraped = { ids, rates, strategy: 'adaptive', evidenceIntervalMs: 1000 } as const;

  /** Which share of its first requests succeeds at once, of so many or a few more. */
  async function firstOf(count: number, worker: Worker): Promise<number> {
    worker.tell({ everyMs: 10 });
    await expect
      .poll(async () => (await worker.counts()).requests, { ...patiently, interval: 5 })
      .toBeGreaterThanOrEqual(count);
    worker.tell({ everyMs: 0 });
    const { requests, retries, refused } = await worker.counts();
    return (requests - retries - refused) / requests;
  }

  it('D26 knows the 3 % good ones: 55 % of its first 100 requests succeed at once, alone not 15 % of 30', async () => {
    await team.join(3, { ...scraped, everyMs: 4 });
    await expect.poll(() => team.sum('requests'), patiently).toBeGreaterThan(6000);
    const newcomers = await team.join(2, { ...scraped, everyMs: 0 });
    // All parts of the evidence are read in the first syncs.
    for (const each of newcomers) {
      await expect.poll(async () => (await each.counts()).syncs).toBeGreaterThan(6);
    }
    const alone = team.launch(2, { ...scraped, everyMs: 0, fleet: false });
    const warm = await Promise.all(newcomers.map((each) => firstOf(100, each)));
    const cold = await Promise.all(alone.map((each) => firstOf(30, each)));
    expect(Math.min(...warm)).toBeGreaterThanOrEqual(0.55);
    expect(Math.max(...cold)).toBeLessThan(0.15);
  });
});
