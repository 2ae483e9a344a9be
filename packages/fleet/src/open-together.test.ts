import { adaptive } from '@whirl/selector';
import { afterEach, describe, expect, it } from 'vitest';
import { World, types, type WorldOptions } from './testing/world.ts';

let world: World;
afterEach(() => world.end());

function worldOf(options?: WorldOptions): World {
  return (world = new World(options));
}

describe('a proxy dies', () => {
  it('D1 8 processes: all refuse it within 300 ms of the fifth failure in a row in the fleet', async () => {
    worldOf();
    world.startMany(8, { everyMs: 100 });
    await world.run(2000);
    const before = world.attempts('c');
    world.dead.add('c');
    await world.until(() => world.attempts('c') - before >= 5, 5000);
    expect(await world.until(() => world.open('c').length === 8, 1000)).toBeLessThanOrEqual(300);
  });

  it('D2 at most 10 attempts are wasted on it, tests aside, where alone there are 8 times 5', async () => {
    worldOf();
    const processes = world.startMany(8);
    await world.run(2000);
    const before = world.attempts('c');
    world.dead.add('c');
    await world.run(40_000);
    const wasted = world.attempts('c') - before - world.tests('c').length;
    expect(wasted).toBeGreaterThanOrEqual(5);
    expect(wasted).toBeLessThanOrEqual(10);
    expect(processes.every(({ pool }) => pool.refused === 0)).toBe(true);
  });

  it('D2 under adaptive() at most 6 in 40 s', async () => {
    worldOf({ strategy: adaptive });
    world.startMany(8, { everyMs: 250 });
    await world.run(30_000);
    const before = world.attempts('c');
    world.dead.add('c');
    await world.run(40_000);
    expect(world.attempts('c') - before - world.tests('c').length).toBeLessThanOrEqual(6);
  });

  it('D2 alone eight processes waste 39 at least in turn, and 13 under adaptive()', async () => {
    const share = { circuits: false, failures: false, bans: false, evidence: false, budget: false };
    const wastedBy = async (options: WorldOptions, everyMs: number) => {
      worldOf(options);
      world.startMany(8, { everyMs, share });
      await world.run(30_000);
      const before = world.attempts('c');
      world.dead.add('c');
      await world.run(40_000);
      const wasted = world.attempts('c') - before - world.tests('c').length;
      await world.end();
      return wasted;
    };
    expect(await wastedBy({}, 500)).toBeGreaterThanOrEqual(39);
    expect(await wastedBy({ strategy: adaptive }, 250)).toBeGreaterThanOrEqual(13);
  });

  it('at 2 processes both have to see it fail: at most 9 failures instead of 10', async () => {
    worldOf();
    world.startMany(2, { everyMs: 100 });
    await world.run(2000);
    const before = world.attempts('c');
    world.dead.add('c');
    await world.until(() => world.open('c').length === 2, 10_000);
    expect(world.attempts('c') - before).toBeLessThanOrEqual(9);
  });

  it('a process alone does what it does without a fleet', async () => {
    worldOf();
    const [only] = world.startMany(1, { everyMs: 100 });
    await world.run(1000);
    world.dead.add('c');
    await world.run(5000);
    expect(only?.pool.transitions.map(({ to, reason }) => `${to} ${reason}`)).toEqual([
      'open failures',
    ]);
    await world.run(10_000);
    expect(only?.pool.tests.length).toBeGreaterThanOrEqual(1);
    expect(types(only!)).toEqual(['fleet:joined']);
  });

  it('D22 clocks that are 10 minutes ahead and an hour behind change nothing', async () => {
    worldOf();
    world.start('ahead', { everyMs: 100, skewMs: 600_000 });
    world.start('behind', { everyMs: 100, skewMs: -3_600_000 });
    for (let i = 0; i < 6; i++) world.start(`p${i}`, { everyMs: 100 });
    await world.run(2000);
    const before = world.attempts('c');
    world.dead.add('c');
    await world.until(() => world.attempts('c') - before >= 5, 5000);
    expect(await world.until(() => world.open('c').length === 8, 1000)).toBeLessThanOrEqual(300);
    await world.run(30_000);
    const tests = world.processes.reduce((sum, { pool }) => sum + pool.tests.length, 0);
    expect(tests).toBeGreaterThanOrEqual(5);
    expect(tests).toBeLessThanOrEqual(7);
  });
});

describe('tests', () => {
  it('D3 exactly one test in each open period of the fleet, over 30 periods', async () => {
    worldOf();
    world.startMany(8, { everyMs: 100 });
    await world.run(1000);
    world.dead.add('c');
    await world.until(() => world.open('c').length === 8, 5000);
    await world.run(130_000);
    const tests = world.tests('c');
    expect(tests.length).toBeGreaterThanOrEqual(30);
    const gaps = tests.slice(1).map((at, i) => at - (tests[i] as number));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(4000);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(4800);
  });

  it('D25 recovered: all close within 2 s, spread out, and the first requests see it work', async () => {
    worldOf();
    const processes = world.startMany(20, { everyMs: 50 });
    await world.run(1000);
    world.dead.add('c');
    await world.until(() => world.open('c').length === 20, 5000);
    world.dead.delete('c');
    await world.until(() => world.open('c').length < 20, 6000);
    expect(await world.until(() => world.open('c').length === 0, 2100)).toBeGreaterThan(1000);
    const closedAt = processes.map(({ pool }) => pool.transitions.at(-1)?.at as number);
    const within100Ms = closedAt.map(
      (from) => closedAt.filter((at) => at >= from && at < from + 100).length,
    );
    expect(Math.max(...within100Ms)).toBeLessThanOrEqual(8);
  });

  it('D25 no process sends it a request before its own part of the spread', async () => {
    worldOf();
    const processes = world.startMany(20, { everyMs: 50 });
    await world.run(1000);
    world.dead.add('c');
    await world.until(() => world.open('c').length === 20, 5000);
    world.dead.delete('c');
    const before = processes.map(({ pool }) => pool.attempts.get('c') ?? 0);
    /** Attempts of each until its circuit closed. */
    const early = processes.map(() => 0);
    const closedAt = processes.map(() => 0);
    await world.run(8000, (now) => {
      for (const [i, { pool }] of processes.entries()) {
        if (closedAt[i]! > 0) continue;
        if (pool.circuits.get('c').state === 'closed') closedAt[i] = now;
        else early[i] = (pool.attempts.get('c') ?? 0) - before[i]!;
      }
    });
    expect(Math.min(...closedAt)).toBeGreaterThan(0);
    expect(early).toEqual(processes.map(() => 0));
    // The test of one of them is what closed it.
    expect(world.tests('c')).toHaveLength(1);
  });
});
