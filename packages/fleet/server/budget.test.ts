import { startProxy, startTarget, type FlakyProxy, type Target } from '@whirl/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Team } from './team.ts';
import type { WorkerOptions } from './workers.ts';

let team: Team;
let target: Target;
let proxies: FlakyProxy[];
beforeEach(async () => {
  team = await Team.start();
  target = await startTarget();
  proxies = await Promise.all([startProxy(), startProxy(), startProxy()]);
});
afterEach(async () => {
  await team.end();
  for (const proxy of proxies) await proxy.close();
  await target.close();
});

const join = (count: number, options: Partial<WorkerOptions>) =>
  team.join(count, {
    proxies: proxies.map(({ id, url }) => ({ id, url })),
    everyMs: 50,
    ...options,
  });
const all = { timeout: 20_000, interval: 20 };

describe('the budget of retries', () => {
  it('D28 a target is down: 10 retries a second for all 8, while processes come and go and the store is away', async () => {
    const down = { target: `${target.origin}/status/503`, tunnel: 'always' } as const;
    const workers = await join(8, down);
    /** Retries of the fleet in a second, over ten seconds. */
    const measure = async () => {
      const before = await team.sum('retries');
      const from = Date.now();
      await expect.poll(() => Date.now() - from, { timeout: 20_000 }).toBeGreaterThan(10_000);
      const retries = (await team.sum('retries')) - before;
      return (1000 * retries) / (Date.now() - from);
    };
    // What each saved while the others started is spent first.
    await expect.poll(() => team.sum('retries'), { timeout: 60_000 }).toBeGreaterThan(250);
    const rates = [await measure()];
    await workers[0]!.kill();
    workers[1]!.tell({ leave: true });
    await expect.poll(() => workers[1]!.isAlive, all).toBe(false);
    rates.push(await measure());
    await join(2, down);
    rates.push(await measure());
    team.server.pause();
    rates.push(await measure());
    for (const rate of rates) {
      expect(rate).toBeGreaterThan(5);
      expect(rate).toBeLessThanOrEqual(11);
    }
  });
});
