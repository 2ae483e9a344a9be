import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Team } from './team.ts';

let team: Team;
beforeEach(async () => {
  team = await Team.start();
});
afterEach(() => team.end());
const patiently = { timeout: 60_000 };

describe('sessions', () => {
  it('D30 8 processes agree on 10,000; a dead proxy moves only its own, and they stay moved', async () => {
    const ids = Array.from({ length: 20 }, (_, i) => `p${i}`);
    const workers = await team.join(8, { ids, strategy: 'consistent', openMs: 8000 });
    const places = async () => Promise.all(workers.map((worker) => worker.sessions(0, 10_000)));
    const agreed = (lists: readonly (readonly string[])[], wanted: readonly string[]) =>
      wanted.filter((place, i) => lists.every((list) => list[i] === place)).length;
    const before = await workers[0]!.sessions(0, 10_000);
    expect(agreed(await places(), before)).toBeGreaterThanOrEqual(9990);

    team.tell({ dead: ['p3'] });
    await expect.poll(() => team.openIn('p3')).toBe(8);
    // Each session is used in one process alone while its proxy is dead.
    const parts = await Promise.all(
      workers.map((worker, i) => worker.sessions(1250 * i, 1250 * (i + 1))),
    );
    const during = parts.flat();
    const moved = during.filter((place, i) => place !== before[i]).length;
    const own = before.filter((place) => place === 'p3').length;
    expect(during.filter((place, i) => before[i] === 'p3' && place === 'p3')).toEqual([]);
    expect(moved - own).toBeLessThanOrEqual(10);
    expect(own).toBeGreaterThan(50);

    team.tell({ dead: [] });
    await expect.poll(() => team.openIn('p3'), patiently).toBe(0);
    expect(agreed(await places(), during)).toBeGreaterThanOrEqual(9990);
  });
});
