import { afterEach, describe, expect, it } from 'vitest';
import { memoryStore } from './memory-store.ts';
import type { SyncRequest, FleetStore } from './store.ts';
import { World, types, type WorldOptions } from './testing/world.ts';

let world: World;
afterEach(() => world.end());

/** A store that can be taken away: `hang` never responds, `fail` rejects, `lose` forgets everything. */
class Shaky implements FleetStore {
  mode: 'ok' | 'hang' | { code: string } = 'ok';
  #inner: FleetStore;
  readonly #now: () => number;
  #waiting: (() => void)[] = [];

  constructor(now: () => number) {
    this.#now = now;
    this.#inner = memoryStore({ now });
  }

  async sync(ask: Parameters<FleetStore['sync']>[0]) {
    const { mode } = this;
    if (mode === 'hang') await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else if (mode !== 'ok') throw new Error(`${mode.code} not now`);
    return this.#inner.sync(ask);
  }

  /** A paused server goes on: it responds to what it was asked meanwhile. */
  resume(): void {
    this.mode = 'ok';
    for (const go of this.#waiting.splice(0)) go();
  }

  lose(): void {
    this.#inner = memoryStore({ now: this.#now });
  }

  close(): void {}
}

let store: Shaky;
function worldOf(options: WorldOptions = {}): World {
  world = new World({
    ...options,
    store: ({ now }) => (store = new Shaky(now)),
  });
  return world;
}

describe('the store is away', () => {
  it('D14 hangs for 30 s: one degraded and one recovered event, no request fails or is refused', async () => {
    worldOf();
    const processes = world.startMany(8, { everyMs: 100 });
    await world.run(2000);
    store.mode = 'hang';
    await world.run(30_000);
    expect(processes.every(({ fleet }) => fleet.state === 'degraded')).toBe(true);
    store.resume();
    await world.run(5000);
    for (const process of processes) {
      const after = types(process).filter((type) => type !== 'fleet:peers');
      expect(after).toEqual(['fleet:joined', 'fleet:degraded', 'fleet:recovered']);
      expect(process.pool.refused).toBe(0);
    }
  });

  it('D14 has timeout as the reason, and for how long the store was away', async () => {
    worldOf();
    const only = world.start('p1');
    await world.run(1000);
    store.mode = 'hang';
    await world.run(10_000);
    store.resume();
    await world.run(1000);
    const events = only.events.map(({ event }) => event);
    expect(events).toContainEqual(expect.objectContaining({ reason: 'timeout' }));
    const recovered = only.events.find(({ type }) => type === 'fleet:recovered')?.event;
    expect((recovered as { forMs: number }).forMs).toBeGreaterThan(9000);
    expect((recovered as { forMs: number }).forMs).toBeLessThan(10_000);
  });

  it('D15 loses everything: within 2 intervals open circuits are there again, and a newcomer knows them', async () => {
    worldOf({ openMs: 20_000 });
    const processes = world.startMany(8, { everyMs: 100 });
    await world.run(1000);
    world.dead.add('c');
    await world.until(() => world.open('c').length === 8, 9000);
    store.lose();
    await world.run(500);
    const newcomer = world.start('newcomer', { everyMs: 100 });
    await world.until(() => newcomer.pool.circuits.get('c').state === 'open', 300);
    const due = (pool: { circuits: { get(id: string): { nextTestAt: number | undefined } } }) =>
      pool.circuits.get('c').nextTestAt as number;
    // As long as the others, each up to twice the grace.
    expect(Math.abs(due(newcomer.pool) - due(processes[0]!.pool))).toBeLessThanOrEqual(2000);
  });

  it('D15 and still there is one test in each period', async () => {
    worldOf();
    world.startMany(8, { everyMs: 100 });
    await world.run(1000);
    world.dead.add('c');
    await world.until(() => world.open('c').length === 8, 9000);
    // In the middle of each period: in the moment of a test it would cost one more.
    await world.run(2000);
    for (let i = 0; i < 5; i++) {
      store.lose();
      await world.run(4100);
    }
    await world.run(4000);
    const tests = world.tests('c');
    expect(tests.length).toBeGreaterThanOrEqual(4);
    const gaps = tests.slice(1).map((at, i) => at - (tests[i] as number));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(3500);
  });

  it('D16 a proxy dies meanwhile: each opens and tests by itself, then they agree', async () => {
    worldOf();
    const processes = world.startMany(4, { everyMs: 50 });
    await world.run(1000);
    store.mode = 'hang';
    await world.run(2000);
    world.dead.add('c');
    await world.until(() => world.open('c').length === 4, 15_000);
    expect(processes.every(({ pool }) => pool.transitions[0]?.reason === 'failures')).toBe(true);
    await world.run(8000);
    // Alone each tests at its own deadline: nothing keeps it back.
    expect(processes.every(({ pool }) => pool.tests.length >= 1)).toBe(true);
    store.resume();
    await world.run(6000);
    const before = world.tests('c').length;
    await world.run(12_500);
    const after = world.tests('c').length;
    expect(after - before).toBeGreaterThanOrEqual(2);
    expect(after - before).toBeLessThanOrEqual(4);
  });

  it('D16 a circuit that others were to test is tested within its deadline and twice the grace', async () => {
    worldOf();
    const processes = world.startMany(4, { everyMs: 50 });
    await world.run(1000);
    world.dead.add('c');
    await world.until(() => world.open('c').length === 4, 9000);
    const openedAt = world.clock.now();
    store.mode = 'hang';
    await world.run(7000);
    for (const { pool } of processes) {
      const first = pool.tests[0]?.at as number;
      expect(first - openedAt).toBeGreaterThan(3500);
      // A request of its own has to come by: up to half a second.
      expect(first - openedAt).toBeLessThanOrEqual(4000 + 2000 + 600);
    }
  });

  it('D17 absent from the start: joining returns at once, and lists no peers', async () => {
    worldOf();
    store.mode = { code: 'ECONNREFUSED' };
    const only = world.start('p1', { everyMs: 100 });
    expect(only.fleet.state).toBe('joining');
    await world.run(5000);
    expect(only.pool.refused).toBe(0);
    expect(only.fleet.state).toBe('degraded');
    expect(types(only)).toEqual(['fleet:degraded']);
    store.mode = 'ok';
    await world.run(2000);
    expect(types(only)).toEqual(['fleet:degraded', 'fleet:joined', 'fleet:recovered']);
  });

  it.each([
    ...['READONLY', 'OOM', 'LOADING', 'NOPERM', 'WRONGTYPE', 'MOVED', 'NOAUTH'],
    ...['WRONGPASS', 'DENIED', 'CLUSTERDOWN'],
  ])('D19 %s: degraded with that code, recovered by itself', async (code) => {
    worldOf();
    const only = world.start('p1');
    await world.run(1000);
    store.mode = { code };
    await world.run(5000);
    expect(only.events.at(-1)).toMatchObject({ type: 'fleet:degraded', event: { reason: code } });
    store.mode = 'ok';
    await world.run(2000);
    expect(only.fleet.state).toBe('joined');
  });

  it('D21 a store that never settles: 1,000 requests end as without it', async () => {
    worldOf();
    store.mode = 'hang';
    const processes = world.startMany(4, { everyMs: 20 });
    await world.run(6000);
    const requests = processes.reduce(
      (sum, { pool }) => sum + [...pool.attempts.values()].reduce((a, b) => a + b, 0),
      0,
    );
    expect(requests).toBeGreaterThanOrEqual(1000);
    expect(processes.every(({ pool }) => pool.refused === 0)).toBe(true);
    // One at a time, and a second one only when the first is given up.
    expect(world.syncs).toBeLessThanOrEqual(8);
  });

  it('a grant in a response that comes late is honoured', async () => {
    worldOf();
    const processes = world.startMany(2, { everyMs: 100 });
    await world.run(1000);
    world.dead.add('c');
    await world.until(() => world.open('c').length === 2, 9000);
    await world.until(() => world.tests('c').length === 1, 9000);
    await world.run(3950);
    store.mode = 'hang';
    await world.run(300);
    store.resume();
    await world.run(1500);
    const leases = processes.map(({ fleet }) => fleet.metrics().leases);
    expect(leases.reduce((sum, { granted }) => sum + granted, 0)).toBe(2);
    expect(world.tests('c')).toHaveLength(2);
  });
});

/** A store with a copy that is 60 s behind, and takes its place when the store fails. */
class FailingOver implements FleetStore {
  readonly #now: () => number;
  readonly #asks: { ask: SyncRequest; at: number }[] = [];
  #inner: FleetStore;

  constructor(now: () => number) {
    this.#now = now;
    this.#inner = memoryStore({ now });
  }

  async sync(ask: SyncRequest) {
    this.#asks.push({ ask, at: this.#now() });
    return this.#inner.sync(ask);
  }

  async failOver(): Promise<void> {
    const until = this.#now() - 60_000;
    let replayed: number | undefined;
    const copy = memoryStore({ now: () => replayed ?? this.#now() });
    for (const { ask, at } of this.#asks) {
      if (at > until) break;
      replayed = at;
      await copy.sync(ask);
    }
    replayed = undefined;
    this.#inner = copy;
  }

  close(): void {}
}

it('D18 a failover to a copy from 60 s before: nothing that is known is lost, and all go on agreeing', async () => {
  let failing: FailingOver | undefined;
  world = new World({ store: ({ now }) => (failing = new FailingOver(now)) });
  const processes = world.startMany(4, { everyMs: 100 });
  await world.run(70_000);
  world.dead.add('c');
  await world.until(() => world.open('c').length === 4, 9000);
  await world.run(10_000);
  await failing!.failOver();
  const before = world.tests('c').length;
  await world.run(20_000);
  expect(world.open('c')).toHaveLength(4);
  expect(processes.flatMap((each) => types(each))).not.toContain('fleet:degraded');
  // The leases are lost with the rest: at worst one test more.
  expect(world.tests('c').length - before).toBeLessThanOrEqual(6);
  world.dead.add('d');
  await world.until(() => world.open('d').length > 0, 9000);
  await world.until(() => world.open('d').length === 4, 1000);
  world.dead.clear();
  await world.until(() => world.open('c').length + world.open('d').length === 0, 9000);
});
