import { afterEach, expect, it } from 'vitest';
import { World } from './testing/world.ts';

let world: World;
afterEach(() => world.end());

it('a process whose network is dead is listed as suspect, by those that come later too', async () => {
  world = new World({ ids: Array.from({ length: 40 }, (_, i) => `p${i}`) });
  const [sick, other] = world.startMany(3, { everyMs: 50 });
  await world.run(3000);
  const well = sick!.ending;
  sick!.ending = () => 'timeout';
  await world.run(70_000);
  const newcomer = world.start('newcomer', { everyMs: 0 });
  await world.run(5000);
  const states = ({ fleet }: typeof newcomer) =>
    fleet.processes().map(({ process, state }) => `${process} ${state}`);
  const expected = ['p1 suspect', 'p2 joined', 'p3 joined', 'newcomer joined'].sort();
  expect(states(other!).sort()).toEqual(expected);
  expect(states(newcomer).sort()).toEqual(expected);
  expect(states(sick!).sort()).toEqual(expected);
  sick!.ending = well;
  await world.run(10_000);
  expect(states(newcomer)).toContain('p1 joined');
});

it('one that is killed is listed as silent for ten minutes, one that leaves not at all', async () => {
  world = new World();
  const [killed, leaving, left] = world.startMany(3);
  await world.run(1000);
  killed!.stopped = true;
  const goneAt = world.clock.now();
  void leaving!.fleet.close();
  await world.run(6000);
  const [here, gone, ...more] = left!.fleet.processes();
  expect(here).toEqual({ process: 'p3', witness: 'host', state: 'joined' });
  expect(gone).toMatchObject({ process: 'p1', witness: 'host', state: 'silent' });
  expect(gone!.silentAt! - goneAt).toBeGreaterThan(2500);
  expect(gone!.silentAt! - goneAt).toBeLessThan(4000);
  expect(more).toEqual([]);
  world.clock.advance(600_000);
  expect(left!.fleet.processes()).toHaveLength(1);
});

it('a process that asks every 5 s has not left between two syncs', async () => {
  world = new World();
  const processes = world.startMany(2, { everyMs: 0, intervalMs: 5000 });
  await world.run(12_000);
  for (const { events } of processes) events.length = 0;
  await world.run(60_000);
  for (const { fleet, events, pool } of processes) {
    expect(events).toEqual([]);
    expect(fleet.processes().map(({ state }) => state)).toEqual(['joined', 'joined']);
    expect(pool.budget.share).toBe(2);
  }
});

it('reports() is what each process reported of a proxy', async () => {
  world = new World();
  const [first, second] = world.startMany(2, { everyMs: 100 });
  const idle = world.start('idle', { everyMs: 0, witness: 'elsewhere' });
  await world.run(1000);
  const proxies = () => idle.fleet.reports().map(({ proxyId }) => proxyId);
  expect(proxies()).toEqual([]);
  // It fails for one of them, and works for the other.
  first!.ending = (id) => (id === 'c' ? 'failure' : 'success');
  await world.run(9000);
  expect(new Set(proxies())).toEqual(new Set(['c']));
  const now = world.clock.now();
  const by = (process: string) =>
    idle.fleet.reports('c').find((report) => report.process === process);
  expect(by('p1')).toMatchObject({ proxyId: 'c', witness: 'host', failuresInARow: 6 });
  expect(by('p1')!.failedAt).toBeGreaterThan(now - 9000);
  expect(by('p1')!.openUntil).toBeGreaterThan(now);
  expect(by('p2')).toMatchObject({ failuresInARow: 0, failedAt: undefined, openUntil: undefined });
  expect(by('p2')!.workedAt).toBeGreaterThan(now - 9000);
  expect(idle.fleet.reports('d')).toEqual([]);
  // The one that says so has it in its own list too.
  expect(
    second!.fleet
      .reports('c')
      .map(({ process }) => process)
      .sort(),
  ).toEqual(['p1', 'p2']);
});
