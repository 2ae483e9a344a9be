import { adaptive, leastUsed, performance, random, sticky, weighted } from '@whirl/selector';
import { afterEach, describe, expect, it } from 'vitest';
import { version } from './protocol/settings.ts';
import type { SyncRequest } from './store.ts';
import { World, type Process, type WorldOptions } from './testing/world.ts';

let world: World;
afterEach(() => world.end());

function worldOf(options?: WorldOptions): World {
  return (world = new World(options));
}

/** A world in which the circuit of `c` is open everywhere. */
async function opened(count: number, options?: WorldOptions, everyMs = 100): Promise<Process[]> {
  worldOf(options);
  const processes = world.startMany(count, { everyMs });
  await world.run(1000);
  world.dead.add('c');
  await world.until(() => world.open('c').length === count, 20_000);
  return processes;
}

const nothing = {
  witness: 'host',
  scope: `whirl:{test}:${version}`,
  version,
  epoch: '',
  newEpoch: 'x',
  position: '',
  batch: undefined,
  holds: [],
  releases: [],
  verdicts: [],
  evidence: [],
  buckets: [],
  live: 0,
  leaving: false,
  memberTtlMs: 3000,
  keyTtlMs: 600_000,
  logTtlMs: 60_000,
} satisfies Partial<SyncRequest>;
const wanted = [{ field: '["o","c"]', leaseMs: 4000 }];

describe('leases', () => {
  it('D4 a failed test frees nothing: every ask until the next deadline is denied', async () => {
    await opened(4);
    await world.until(() => world.tests('c').length === 1, 6000);
    await world.run(10);
    for (let i = 0; i < 38; i++) {
      const ask = { ...nothing, process: `stranger-${i}`, leases: wanted };
      const { grants, denials } = await world.store.sync(ask);
      expect([grants.length, denials.length]).toEqual([0, 1]);
      await world.run(100);
    }
    expect(world.tests('c')).toHaveLength(1);
  });

  it('D5 a holder that dies in mid-test: the next test begins 4.0 to 4.5 s after the lease', async () => {
    const processes = await opened(4);
    let holder: Process | undefined;
    let begunAt = 0;
    for (const each of processes) {
      const ending = each.ending;
      each.ending = (id) => {
        if (id !== 'c' || holder !== undefined) return ending(id);
        holder = each;
        each.stopped = true;
        begunAt = world.clock.now();
        return 'neutral';
      };
    }
    await world.until(() => holder !== undefined, 6000);
    const others = processes.filter((each) => each !== holder);
    await world.until(() => others.some(({ pool }) => pool.tests.length > 0), 6000);
    const waitedMs = (world.tests('c').at(-1) as number) - begunAt;
    expect(waitedMs).toBeGreaterThanOrEqual(3900);
    expect(waitedMs).toBeLessThanOrEqual(4500);
  });

  it('D6 a verdict whose term has passed changes nothing', async () => {
    worldOf();
    const ask = (process: string, more: Partial<SyncRequest>) =>
      world.store.sync({ ...nothing, process, leases: [], ...more });
    const [grant] = (await ask('paused', { leases: wanted })).grants;
    await world.run(4100);
    const [next] = (await ask('next', { leases: wanted })).grants;
    expect(next?.term).not.toBe(grant?.term);
    for (const result of ['passed', 'failed', 'unused'] as const) {
      await ask('paused', { verdicts: [{ ...grant!, result, remainingMs: 9000 }] });
    }
    const { entries, denials } = await ask('reader', { leases: wanted });
    expect(entries).toEqual([]);
    expect(denials[0]?.remainingMs).toBeCloseTo(4000, -2);
    await ask('next', { verdicts: [{ ...next!, result: 'passed', remainingMs: 0 }] });
    expect((await ask('reader', {})).entries).toMatchObject([
      { process: 'next', passed: '["o","c"]' },
    ]);
  });

  it.each([
    ['adaptive', adaptive],
    ['random', random],
    ['leastUsed', leastUsed],
    ['performance', performance],
    ['weighted', weighted],
    ['sticky', () => sticky(adaptive())],
  ])('D7 under %s() the next request takes the test', async (_name, strategy) => {
    worldOf({ strategy, ids: ['c', 'd', 'e'] });
    const processes = world.startMany(3, { everyMs: 100 });
    await world.run(1000);
    world.dead.add('c');
    for (const { pool } of processes) pool.circuits.get('c').trip();
    await world.run(16_000);
    expect(world.tests('c').length).toBeGreaterThanOrEqual(3);
    const unused = processes.reduce((sum, { fleet }) => sum + fleet.metrics().leases.unused, 0);
    expect(unused).toBe(0);
  });

  it('D7 unused for armMs the lease goes to another process', async () => {
    const processes = await opened(4);
    // They were asked a moment ago, and then no more.
    for (const each of processes.slice(1)) each.everyMs = 0;
    await world.run(3000);
    const [last] = processes;
    await world.until(() => last!.fleet.metrics().leases.granted === 1, 6000);
    expect(world.tests('c').length).toBeLessThanOrEqual(1);
    last!.everyMs = 0;
    processes[1]!.everyMs = 0;
    await world.run(1200);
    const { unused } = last!.fleet.metrics().leases;
    expect(unused + world.tests('c').length).toBe(1);
  });

  it.each<[string, (holder: Process) => void]>([
    ['has no request for it', (holder) => (holder.everyMs = 0)],
    ['leaves', (holder) => void holder.fleet.close()],
  ])(
    'D7 D36 a holder %s: another process tests soon, not when the lease has ended',
    async (_what, end) => {
      worldOf({ openMs: 4000 });
      const processes = world.startMany(4, { everyMs: 100, leaseMs: 120_000 });
      await world.run(1000);
      world.dead.add('c');
      await world.until(() => world.open('c').length === 4, 9000);
      let holder: Process | undefined;
      const granted = ({ fleet }: Process) => fleet.metrics().leases.granted > 0;
      for (const each of processes) {
        // The one that gets it makes no request any more from then on.
        each.pool.bus.on('circuit:rescheduled', () => {
          if (
            holder === undefined &&
            each.pool.circuits.get('c').nextTestAt! <= world.clock.now()
          ) {
            holder = each;
            each.everyMs = 0;
            end(each);
          }
        });
      }
      await world.until(() => holder !== undefined, 6000);
      await world.until(() => processes.some((each) => each !== holder && granted(each)), 4000);
      await world.until(() => world.tests('c').length === 1, 500);
      expect(holder!.pool.tests).toEqual([]);
    },
  );

  it('D8 a process without requests never holds a lease longer than armMs', async () => {
    const processes = await opened(2);
    const [busy, idle] = processes as [Process, Process];
    idle.everyMs = 0;
    await world.run(20_000);
    expect(idle.fleet.metrics().leases.granted).toBe(0);
    busy.everyMs = 0;
    await world.run(2000);
    const { granted, unused } = busy.fleet.metrics().leases;
    expect(granted - unused).toBe(busy.pool.tests.length);
  });

  it('a process that comes back to life after its lease has lost it, and tests no more by it', async () => {
    const processes = await opened(3);
    const begun: Process[] = [];
    for (const each of processes) {
      each.ending = (id) => {
        if (id !== 'c') return 'success';
        begun.push(each);
        return 'neutral';
      };
    }
    await world.until(() => begun.length > 0, 6000);
    await world.until(() => begun[0]!.fleet.metrics().leases.lost === 1, 6000);
    expect(begun[0]!.pool.circuits.get('c').state).toBe('open');
  });

  it('many open circuits at once: tests take a fifth of the requests at most', async () => {
    const ids = Array.from({ length: 100 }, (_, i) => `p${i}`);
    worldOf({ ids });
    const processes = world.startMany(4, { everyMs: 50 });
    for (const id of ids.slice(0, 80)) world.dead.add(id);
    await world.run(60_000);
    const requests = () => processes.reduce((sum, { pool }) => sum + total(pool.attempts), 0);
    const tests = () => processes.reduce((sum, { pool }) => sum + pool.tests.length, 0);
    const [requestsBefore, testsBefore] = [requests(), tests()];
    await world.run(30_000);
    const made = tests() - testsBefore;
    expect(made).toBeGreaterThan(200);
    // Each process may have saved up 20.
    expect(made).toBeLessThanOrEqual(0.2 * (requests() - requestsBefore) + 4 * 20);
  });
});

function total(attempts: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const each of attempts.values()) sum += each;
  return sum;
}
