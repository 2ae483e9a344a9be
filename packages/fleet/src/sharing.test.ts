import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { joinFleet, memoryStore } from './index.ts';
import type { FleetStore, SyncRequest } from './store.ts';
import { SimulatedPool } from './testing/simulated-pool.ts';
import { World, types, type Process, type WorldOptions } from './testing/world.ts';

let world: World;
afterEach(() => world?.end());

function worldOf(options?: WorldOptions): World {
  return (world = new World(options));
}

/** Everything that processes send, as text. */
function recorded(): { store: (clock: { now(): number }) => FleetStore; sent: string[] } {
  const sent: string[] = [];
  return {
    sent,
    store: ({ now }) => {
      const inner = memoryStore({ now });
      return {
        sync: (ask) => {
          sent.push(JSON.stringify(ask));
          return inner.sync(ask);
        },
        close: () => inner.close(),
      };
    },
  };
}

/** The way to a store that can be away. */
class Link {
  away = false;
  readonly store = ({ now }: { now(): number }): FleetStore => {
    const inner = memoryStore({ now });
    return {
      sync: (ask) => (this.away ? Promise.reject(new Error('gone')) : inner.sync(ask)),
      close() {},
    };
  };
}

/** A store that can lose what it knows, all of it or its list of processes, and be away. */
class Forgetful implements FleetStore {
  readonly #now: () => number;
  readonly #askedAt = new Map<string, number>();
  #inner: FleetStore;
  #away = false;
  /** The list has those alone that have asked since. */
  listedSince = -Infinity;

  constructor(now: () => number) {
    this.#now = now;
    this.#inner = memoryStore({ now });
  }

  async sync(ask: SyncRequest) {
    if (this.#away) throw new Error('gone');
    this.#askedAt.set(ask.process, this.#now());
    const response = await this.#inner.sync({ ...ask, live: -1 });
    const peers = response.peers!.filter(
      ({ process }) => this.#askedAt.get(process)! >= this.listedSince,
    );
    return { ...response, live: peers.length, peers };
  }

  lose(): void {
    this.#inner = memoryStore({ now: this.#now });
  }

  async awayFor(ms: number): Promise<void> {
    this.#away = true;
    const until = this.#now() + ms;
    while (this.#now() < until) await new Promise((resolve) => setImmediate(resolve));
    this.#away = false;
  }

  close(): void {}
}

describe('bans', () => {
  const banned = (pool: SimulatedPool, target?: string) => {
    const until = world.clock.now() + 60_000;
    pool.bus.emit('proxy:banned', { proxyId: 'c', target, until, rule: 'captcha', at: until });
    if (target === undefined) pool.circuits.get('c').trip({ reason: 'custom', openMs: 60_000 });
    return until;
  };

  it('D23 a ban by a rule is honoured by all within 1 s, until its end, also by a newcomer', async () => {
    worldOf();
    const processes = world.startMany(4, { everyMs: 0 });
    await world.run(1000);
    const until = banned(processes[0]!.pool);
    await world.until(() => world.open('c').length === 4, 1000);
    await world.run(20_000);
    const newcomer = world.start('newcomer', { everyMs: 0 });
    await world.run(500);
    for (const { pool } of [...processes, newcomer]) {
      expect(pool.circuits.get('c').state).toBe('open');
      expect(pool.circuits.get('c').nextTestAt).toBeGreaterThanOrEqual(until);
      expect(pool.circuits.get('c').nextTestAt).toBeLessThanOrEqual(until + 2000);
    }
  });

  it('D23 one for a target is one for that target alone', async () => {
    worldOf();
    const [first, second] = world.startMany(2, { everyMs: 0 });
    await world.run(1000);
    const until = banned(first!.pool, 'https://shop.example');
    await world.run(1000);
    const newcomer = world.start('newcomer', { everyMs: 0 });
    await world.run(500);
    for (const { pool } of [second!, newcomer]) {
      expect([...pool.selector.bans()]).toEqual([
        { id: 'c', target: 'https://shop.example', until: expect.closeTo(until, -2) },
      ]);
    }
    expect(world.open('c')).toEqual([]);
  });

  it('D23 after the store has lost everything a newcomer gets it all the same', async () => {
    let inner = memoryStore();
    worldOf({
      store: ({ now }) => {
        inner = memoryStore({ now });
        return { sync: (ask) => inner.sync(ask), close() {} };
      },
    });
    const [first] = world.startMany(2, { everyMs: 0 });
    await world.run(1000);
    banned(first!.pool);
    await world.run(1000);
    inner = memoryStore({ now: world.clock.now });
    await world.run(500);
    const newcomer = world.start('newcomer', { everyMs: 0 });
    await world.run(500);
    expect(newcomer.pool.circuits.get('c').state).toBe('open');
  });
});

describe('credentials', () => {
  it('D24 a 407 rests the proxy where the credentials are the same, and the store learns none', async () => {
    const { store, sent } = recorded();
    worldOf({ store });
    const ours = () => 'user:hunter2';
    const first = world.start('first', { everyMs: 100, credentials: ours });
    const same = world.start('same', { everyMs: 0, credentials: ours });
    const other = world.start('other', { everyMs: 0, credentials: () => 'user:hunter3' });
    await world.run(1000);
    first.ending = (id) => (id === 'c' ? 'unauthorized' : 'success');
    await world.until(() => same.pool.circuits.get('c').state === 'open', 3000);
    await world.run(1000);
    expect(other.pool.transitions).toEqual([]);
    expect(other.fleet.metrics().ignored.credentials).toBeGreaterThan(0);
    expect(sent.join('')).not.toMatch(/hunter/);
  });
});

describe('names', () => {
  it('hashIds: the store sees no id, and all works as before', async () => {
    const { store, sent } = recorded();
    const ids = ['alice@proxy.example:80', 'bob@proxy.example:80', 'x', 'y', 'z'];
    worldOf({ store, ids });
    world.startMany(3, { everyMs: 50, hashIds: true });
    await world.run(1000);
    world.dead.add('alice@proxy.example:80');
    await world.until(() => world.open('alice@proxy.example:80').length === 3, 9000);
    await world.until(() => world.tests('alice@proxy.example:80').length === 2, 12_000);
    expect(sent.join('')).not.toMatch(/alice|bob/);
  });
});

describe('evidence', () => {
  it('D26 a newcomer gets what the others have seen, before its first requests', async () => {
    worldOf();
    const [first] = world.startMany(2, { everyMs: 20 });
    first!.ending = (id) => (id === 'c' ? 'failure' : 'success');
    world.processes[1]!.ending = first!.ending;
    await world.run(30_000);
    const newcomer = world.start('newcomer', { everyMs: 0 });
    await world.run(500);
    const score = (id: string) => newcomer.pool.selector.stats(id).score;
    expect(score('a')).toBeGreaterThan(0.95);
    expect(score('c')).toBeLessThan(0.4);
    expect(newcomer.pool.selector.stats('a').samples).toBe(0);
  });

  it('D26 one that comes while the store is away gets it when that is back', async () => {
    const link = new Link();
    worldOf({ store: link.store });
    const ending = (id: string) => (id === 'c' ? 'failure' : 'success');
    for (const each of world.startMany(2, { everyMs: 20 })) each.ending = ending;
    await world.run(30_000);
    link.away = true;
    const newcomer = world.start('newcomer', { everyMs: 0 });
    await world.run(5000);
    link.away = false;
    await world.until(() => newcomer.fleet.state === 'joined', 2000);
    await world.run(500);
    const scores = world.ids.map((id) => newcomer.pool.selector.stats(id).score);
    expect(scores[2]).toBeLessThan(0.4);
    expect(Math.min(...scores.filter((_, i) => i !== 2))).toBeGreaterThan(0.95);
  });
});

describe('the budget', () => {
  it('D28 is divided among the live processes, and stays so while the store is away', async () => {
    const link = new Link();
    worldOf({ store: link.store });
    const processes = world.startMany(5, { everyMs: 0 });
    await world.run(1000);
    const shares = () => processes.map(({ pool }) => pool.budget.share);
    expect(shares()).toEqual([5, 5, 5, 5, 5]);
    processes[4]!.stopped = true;
    await world.run(5000);
    expect(shares().slice(0, 4)).toEqual([4, 4, 4, 4]);
    expect(types(processes[0]!)).toContain('fleet:peers');
    link.away = true;
    await world.run(30_000);
    expect(shares().slice(0, 4)).toEqual([4, 4, 4, 4]);
  });

  it.each<[string, (store: Forgetful) => Promise<void>]>([
    ['is emptied', async (store) => store.lose()],
    ['loses its list alone', async (store) => void (store.listedSince = world.clock.now())],
    ['is away for 20 s', async (store) => store.awayFor(20_000)],
    [
      'is away for 20 s, and empty then',
      async (store) => {
        store.lose();
        await store.awayFor(20_000);
      },
    ],
  ])('D28 the store %s: no process takes more than its share', async (_what, fault) => {
    let store: Forgetful | undefined;
    worldOf({ store: ({ now }) => (store = new Forgetful(now)) });
    // Not all at once: what one is told of the others is then what the store has heard since.
    const processes: Process[] = [];
    for (let i = 0; i < 5; i++) {
      processes.push(world.start(`p${i}`, { everyMs: 0 }));
      await world.run(45);
    }
    await world.run(1000);
    const shares = () => processes.map(({ pool }) => pool.budget.share);
    const seen = new Set<number>();
    const watch = () => shares().forEach((share) => seen.add(share));
    watch();
    const over = fault(store!);
    await world.run(25_000, watch);
    await over;
    expect([...seen]).toEqual([5]);
    // One that is gone since is believed to be.
    processes[4]!.stopped = true;
    await world.run(5000);
    expect(shares().slice(0, 4)).toEqual([4, 4, 4, 4]);
  });
});

describe('overrides', () => {
  it('D37 one that is set here is neither lifted nor spread', async () => {
    worldOf();
    const [first, second, third] = world.startMany(3, { everyMs: 50 });
    await world.run(1000);
    first!.pool.circuits.get('c').forceOpen();
    second!.pool.circuits.get('d').disable();
    world.dead.add('d');
    await world.run(10_000);
    expect(first!.pool.circuits.get('c').state).toBe('forced_open');
    expect(second!.pool.circuits.get('d').state).toBe('disabled');
    expect(third!.pool.circuits.get('c').state).toBe('closed');
  });

  it('D37 one for the fleet reaches all within 1 s, newcomers too, and so does its end', async () => {
    worldOf();
    const processes = world.startMany(3, { everyMs: 50 });
    await world.run(1000);
    processes[0]!.fleet.forceOpen('c');
    const states = () => world.processes.map(({ pool }) => pool.circuits.get('c').state);
    await world.until(() => states().every((state) => state === 'forced_open'), 1000);
    world.start('newcomer', { everyMs: 0 });
    await world.run(500);
    expect(states()).toEqual(Array(4).fill('forced_open'));
    processes[1]!.fleet.reset('c');
    await world.until(() => states().every((state) => state === 'closed'), 1000);
    world.start('later', { everyMs: 0 });
    await world.run(500);
    expect(states()).toEqual(Array(5).fill('closed'));
  });

  it('D37 a newcomer knows one for the fleet when the log has forgotten it, and that it has ended', async () => {
    worldOf();
    const [first] = world.startMany(2, { everyMs: 50 });
    await world.run(1000);
    first!.fleet.forceOpen('c');
    await world.run(70_000);
    const newcomer = world.start('newcomer', { everyMs: 0 });
    await world.run(500);
    expect(newcomer.pool.circuits.get('c').state).toBe('forced_open');
    newcomer.fleet.reset('c');
    await world.run(70_000);
    const later = world.start('later', { everyMs: 0 });
    await world.run(500);
    expect(later.pool.circuits.get('c').state).toBe('closed');
  });
});

describe('traffic of the store', () => {
  it('D33 5 calls a second of an idle process at most, 12 of one that has always something to say', async () => {
    worldOf({ ids: Array.from({ length: 1000 }, (_, i) => `p${i}`) });
    world.start('idle', { everyMs: 0 });
    await world.run(5000);
    let before = world.syncs;
    await world.run(10_000);
    expect(world.syncs - before).toBeLessThanOrEqual(50);
    const busy = world.start('busy', { everyMs: 5 });
    let requests = 0;
    busy.ending = () => (++requests % 2 === 0 ? 'failure' : 'success');
    await world.run(2000);
    before = world.syncs;
    await world.run(10_000);
    expect(world.syncs - before).toBeLessThanOrEqual(12 * 10 + 50);
  });

  it('D33 single failures, each at another proxy, cost no more calls than silence', async () => {
    worldOf({ ids: Array.from({ length: 1000 }, (_, i) => `p${i}`) });
    const busy = world.start('busy', { everyMs: 20 });
    let requests = 0;
    busy.ending = () => (++requests % 10 === 0 ? 'failure' : 'success');
    await world.run(5000);
    const [before, told] = [world.syncs, busy.fleet.metrics().rows.sent];
    await world.run(10_000);
    expect(world.syncs - before).toBeLessThanOrEqual(50);
    expect(busy.fleet.metrics().rows.sent - told).toBeGreaterThanOrEqual(40);
  });

  it('D33 the rows of the fleet stay under rowsPerSecond; the others wait', async () => {
    worldOf({ ids: Array.from({ length: 1000 }, (_, i) => `p${i}`) });
    const processes = world.startMany(2, { everyMs: 5, rowsPerSecond: 20 });
    for (const each of processes) each.ending = () => 'failure';
    await world.run(1000);
    const sent = () => processes.reduce((sum, { fleet }) => sum + fleet.metrics().rows.sent, 0);
    const before = sent();
    await world.run(10_000);
    const opened = processes.reduce((sum, { pool }) => sum + pool.transitions.length, 0);
    expect(sent() - before - opened).toBeLessThanOrEqual(220);
    expect(processes[0]!.fleet.metrics().rows.delayed).toBeGreaterThan(0);
  });
});

describe('closing', () => {
  it('D36 frees what the process holds, writes nothing afterwards, and is gone for the others', async () => {
    worldOf();
    const processes = world.startMany(3, { everyMs: 100 });
    await world.run(1000);
    const [first, ...others] = processes;
    first!.everyMs = 0;
    let closed = false;
    void first!.fleet.close().then(() => (closed = true));
    await world.run(100);
    expect(closed).toBe(true);
    await world.run(5000);
    const before = world.syncs;
    others.forEach((each) => (each.stopped = true));
    await world.run(3000);
    expect(world.syncs - before).toBe(0);
    expect(others[0]!.fleet.processes().map(({ process }) => process)).toEqual(['p2', 'p3']);
  });

  it('D36 waits no longer than its deadline for a store that does not respond', async () => {
    worldOf({ store: () => ({ sync: () => new Promise(() => {}), close() {} }) });
    const only = world.start('p1', { everyMs: 0 });
    await world.run(1000);
    let closed = false;
    void only.fleet.close().then(() => (closed = true));
    await world.run(105);
    expect(closed).toBe(true);
  });

  it('D36 no timer of it keeps a process alive that does not close it', async () => {
    const file = fileURLToPath(new URL('./testing/joiner.ts', import.meta.url));
    const child = fork(file, { execArgv: ['--conditions=@whirl/source', '--import', 'tsx'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const told = once(child, 'message');
    const exited = once(child, 'exit');
    expect(await told).toEqual(['joined', undefined]);
    expect(await exited).toEqual([0, null]);
  });

  it('closing twice is closing once', async () => {
    worldOf();
    const only = world.start('p1', { everyMs: 0 });
    await world.run(500);
    const all = Promise.all([only.fleet.close(), only.fleet.close()]);
    await world.run(200);
    await all;
  });
});

describe('options', () => {
  const rotator = new SimulatedPool({ now: () => 1e12, random: () => 0.5, ids: [] });
  const store = memoryStore();
  const given = { rotator, store, pool: 'p' };

  it.each([
    [
      { ...given, pool: undefined },
      'pool must be a string of 1 to 200 characters without spaces and braces, got undefined',
    ],
    [{ ...given, pool: '' }, 'pool must be a string of 1 to 200 characters'],
    [
      { ...given, pool: 'a{b}' },
      'pool must be a string of 1 to 200 characters without spaces and braces, got a string',
    ],
    [{ ...given, intervalMs: 49 }, 'intervalMs must be a number from 50 to 5000, got 49'],
    [{ ...given, intervalMs: '250' }, 'intervalMs must be a number from 50 to 5000, got a string'],
    [{ ...given, interval: 250 }, 'unknown option "interval"; known are rotator, pool, store'],
    [
      { ...given, share: { circuit: true } },
      'unknown option "share.circuit"; known are circuits, failures',
    ],
    [{ ...given, share: { circuits: 1 } }, 'share.circuits must be true or false, got 1'],
    [{ ...given, store: {} }, 'store must be a store with sync(), close(), got an object'],
    [{ ...given, rotator: null }, 'rotator must be a rotator with share(), got null'],
    [{ ...given, hashIds: 'no' }, 'hashIds must be true or false'],
    [undefined, 'options must be an object, got undefined'],
  ])('refuses %j by name', (options, message) => {
    expect(() => joinFleet(options as never)).toThrow(message);
  });

  it('with everything unshared a process is alone', async () => {
    worldOf();
    const share = { circuits: false, failures: false, bans: false, evidence: false, budget: false };
    const processes = world.startMany(4, { everyMs: 50, share });
    await world.run(1000);
    world.dead.add('c');
    await world.run(20_000);
    for (const { pool, fleet } of processes) {
      expect(pool.transitions.some(({ reason }) => reason === 'fleet')).toBe(false);
      expect(pool.budget.share).toBe(1);
      expect(fleet.processes()).toHaveLength(4);
    }
  });
});

it('D40 the packages below name no store, and this one has no dependency but the vocabulary', async () => {
  const manifest = async (name: string) =>
    JSON.parse(await readFile(new URL(`../../${name}/package.json`, import.meta.url), 'utf8')) as {
      dependencies?: Record<string, string>;
    };
  const all = ['events', 'backoff', 'circuit-breaker', 'selector', 'metrics', 'rotator'];
  for (const name of all) {
    const { dependencies = {} } = await manifest(name);
    expect(Object.keys(dependencies).filter((each) => /redis|valkey|fleet/.test(each))).toEqual([]);
  }
  expect(Object.keys((await manifest('fleet')).dependencies ?? {})).toEqual(['@whirl/events']);
});
