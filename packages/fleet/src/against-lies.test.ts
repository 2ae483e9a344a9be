import { seededRandom } from '@whirl/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { encodeFacts, type Fact } from './facts.ts';
import { memoryStore } from './memory-store.ts';
import { version } from './protocol/settings.ts';
import type { SyncRequest, SyncResponse } from './store.ts';
import { syncRequest } from './testing/sync-request.test-kit.ts';
import { World, types, type WorldOptions } from './testing/world.ts';

let world: World;
afterEach(() => world.end());

function worldOf(options?: WorldOptions): World {
  return (world = new World(options));
}

const many = Array.from({ length: 40 }, (_, i) => `p${i}`);

/** What a process without a fleet's honesty would send. */
function askOf(
  process: string,
  facts: readonly Fact[],
  more: Partial<SyncRequest> = {},
): SyncRequest {
  return syncRequest({
    process,
    scope: `whirl:{test}:${version}`,
    version,
    batch: encodeFacts(facts),
    keyTtlMs: 600_000,
    ...more,
  });
}

describe('one process whose network is dead', () => {
  it('D9 opens no circuit elsewhere and costs no request; it reports that once, and once more when proxies work again', async () => {
    worldOf({ ids: many });
    const [sick, ...others] = world.startMany(8, { everyMs: 50 });
    await world.run(3000);
    const well = sick!.ending;
    sick!.ending = () => 'timeout';
    await world.run(30_000);
    expect(sick!.fleet.state).toBe('suspect');
    for (const { pool } of others) {
      expect(pool.transitions).toEqual([]);
      expect(pool.refused).toBe(0);
    }
    sick!.ending = well;
    await world.run(10_000);
    expect(types(sick!).filter((type) => type === 'fleet:suspect')).toHaveLength(1);
    expect(types(sick!).filter((type) => type === 'fleet:cleared')).toHaveLength(1);
    expect(others.every(({ pool }) => pool.transitions.length === 0)).toBe(true);
  });

  it('D10 when it is well again its own unconfirmed opens close within 2 s', async () => {
    worldOf({ ids: many, openMs: 30_000 });
    const [sick] = world.startMany(8, { everyMs: 20 });
    await world.run(2000);
    const well = sick!.ending;
    sick!.ending = () => 'timeout';
    await world.run(15_000);
    const open = () =>
      [...sick!.pool.circuits.entries()].filter(([, each]) => each.state !== 'closed');
    expect(open().length).toBeGreaterThanOrEqual(30);
    sick!.ending = well;
    await world.until(() => types(sick!).includes('fleet:cleared'), 40_000);
    await world.until(() => open().length === 0, 2000);
  });

  it('D10 also where its own tests of them are far away', async () => {
    const ids = Array.from({ length: 60 }, (_, i) => `p${i}`);
    worldOf({ ids, openMs: 600_000 });
    const [sick] = world.startMany(8, { everyMs: 20 });
    await world.run(3000);
    const well = sick!.ending;
    sick!.ending = () => 'timeout';
    const open = () =>
      [...sick!.pool.circuits.entries()].filter(([, each]) => each.state !== 'closed');
    await world.until(() => open().length >= 30, 15_000);
    expect(open().length).toBeLessThan(60);
    expect(sick!.fleet.state).toBe('suspect');
    sick!.ending = well;
    await world.until(() => types(sick!).includes('fleet:cleared'), 5000);
    await world.until(() => open().length === 0, 2000);
    // None of them was tested: no other process has confirmed that it fails.
    expect(sick!.pool.tests).toEqual([]);
  });

  it('what it has not told when it becomes suspect it does not tell later', async () => {
    let waiting: (() => void)[] | undefined;
    worldOf({
      ids: many,
      store: ({ now }) => {
        const inner = memoryStore({ now });
        return {
          async sync(ask) {
            if (waiting !== undefined) {
              await new Promise<void>((resolve) => waiting!.push(resolve));
            }
            return inner.sync(ask);
          },
          close() {},
        };
      },
    });
    const [sick, other] = world.startMany(2, { everyMs: 20 });
    other!.everyMs = 0;
    await world.run(3000);
    waiting = [];
    await world.run(500);
    sick!.ending = () => 'timeout';
    await world.until(() => types(sick!).includes('fleet:suspect'), 5000);
    await world.run(2000);
    const { sent } = sick!.fleet.metrics().rows;
    const held = waiting;
    waiting = undefined;
    for (const go of held) go();
    await world.run(3000);
    expect(other!.fleet.reports()).toEqual([]);
    // That it is suspect, and nothing else.
    expect(sick!.fleet.metrics().rows.sent - sent).toBeLessThanOrEqual(2);
    expect(other!.fleet.processes()).toContainEqual(
      expect.objectContaining({ process: 'p1', state: 'suspect' }),
    );
  });

  it('amnesty leaves open what another process has seen fail too', async () => {
    worldOf({ ids: many, openMs: 30_000 });
    const [sick] = world.startMany(8, { everyMs: 20 });
    await world.run(2000);
    const well = sick!.ending;
    sick!.ending = () => 'timeout';
    await world.run(5000);
    world.dead.add('p7');
    await world.run(10_000);
    sick!.ending = well;
    await world.until(() => types(sick!).includes('fleet:cleared'), 40_000);
    await world.run(2000);
    const open = [...sick!.pool.circuits.entries()].filter(([, each]) => each.state !== 'closed');
    expect(open.map(([id]) => id)).toEqual(['p7']);
  });

  it('while it is suspect it makes no tests for others', async () => {
    worldOf({ ids: many });
    const [sick, ...others] = world.startMany(4, { everyMs: 50 });
    world.dead.add('p1');
    await world.until(
      () => others.every(({ pool }) => pool.circuits.get('p1').state !== 'closed'),
      9000,
    );
    sick!.ending = () => 'timeout';
    await world.until(() => sick!.fleet.state === 'suspect', 3000);
    const granted = sick!.fleet.metrics().leases.granted;
    await world.run(20_000);
    expect(sick!.fleet.metrics().leases.granted).toBe(granted);
  });
});

describe('a process that lies', () => {
  it('D11 100 failures a second of one proxy open it nowhere, used or not', async () => {
    worldOf();
    const honest = world.startMany(3, { everyMs: 100 });
    const idle = world.start('idle', { everyMs: 0 });
    for (let i = 0; i < 100; i++) {
      const row: Fact = { kind: 'failing', id: 'c', failures: 100, run: 1000 + i, latencyMs: 9 };
      await world.store.sync(
        askOf('liar', [row, { kind: 'opened', id: 'c', remainingMs: 60_000 }]),
      );
      await world.run(100);
    }
    for (const { pool } of [...honest, idle]) {
      expect(pool.transitions).toEqual([]);
      expect(pool.refused).toBe(0);
    }
    expect(idle.fleet.metrics().ignored.one_witness).toBeGreaterThanOrEqual(100);
  });

  it('D11 neither with one real failure now and then, while others succeed', async () => {
    worldOf();
    const honest = world.startMany(3, { everyMs: 100 });
    const chance = seededRandom(1);
    for (const process of honest) {
      process.ending = () => (chance() < 0.05 ? 'failure' : 'success');
    }
    for (let i = 0; i < 300; i++) {
      const row: Fact = { kind: 'failing', id: 'c', failures: 100, run: 1000 + i, latencyMs: 9 };
      await world.store.sync(askOf('liar', [row]));
      await world.run(100);
    }
    for (const { pool } of honest) {
      expect(pool.transitions.filter(({ name }) => name === 'c')).toEqual([]);
      expect(pool.refused).toBe(0);
    }
  });

  it('D11 nor with one real failure of two others at once', async () => {
    worldOf();
    const honest = world.startMany(3, { everyMs: 100 });
    const slips = new Set<unknown>();
    for (const process of honest.slice(0, 2)) {
      process.ending = (id) => (id === 'c' && slips.has(process) ? 'failure' : 'success');
      process.pool.bus.on('attempt:end', ({ outcome }) => {
        if (outcome !== 'success') slips.delete(process);
      });
    }
    let failures = 0;
    for (let i = 0; i < 200; i++) {
      const row: Fact = { kind: 'failing', id: 'c', failures: 100, run: 1000 + i, latencyMs: 9 };
      await world.store.sync(askOf('liar', [row]));
      // Often enough that each has reported in between that it works.
      if (i > 20 && i % 60 === 0) honest.slice(0, 2).forEach((each) => slips.add(each));
      const before = slips.size;
      await world.run(100);
      failures += before - slips.size;
    }
    expect(failures).toBe(6);
    for (const { pool } of honest) expect(pool.transitions).toEqual([]);
  });

  it('a newcomer does not take over a hold that one process alone has set', async () => {
    worldOf();
    await world.store.sync(
      askOf('liar', [], { holds: [{ field: '["o","c"]', remainingMs: 60_000 }] }),
    );
    world.start('p1');
    const newcomer = world.start('newcomer');
    await world.run(3000);
    expect(newcomer.pool.transitions).toEqual([]);
  });

  it('D13 success does not keep closed what two others say is dead', async () => {
    worldOf();
    const honest = world.startMany(3, { everyMs: 100 });
    await world.run(1000);
    world.dead.add('c');
    for (let i = 0; i < 50; i++) {
      await world.store.sync(askOf('liar', [{ kind: 'working', id: 'c' }]));
      await world.run(100);
    }
    expect(world.open('c')).toHaveLength(honest.length);
  });

  it('D13 nor does it close it: not by saying so, and not by a lease', async () => {
    worldOf();
    const honest = world.startMany(3, { everyMs: 100 });
    await world.run(1000);
    world.dead.add('c');
    await world.until(() => world.open('c').length === 3, 9000);
    // Without requests they make no tests themselves.
    for (const process of honest) process.everyMs = 0;
    const leases = [{ field: '["o","c"]', leaseMs: 1000 }];
    let verdicts: SyncRequest['verdicts'] = [];
    let passed = 0;
    for (let i = 0; i < 600; i++) {
      const lies: Fact[] = [
        { kind: 'working', id: 'c' },
        { kind: 'closed', id: 'c' },
      ];
      const { grants } = await world.store.sync(askOf('liar', lies, { leases, verdicts }));
      verdicts = grants.map((grant) => ({ ...grant, result: 'passed', remainingMs: 0 }));
      passed += verdicts.length;
      await world.run(50);
    }
    expect(passed).toBeGreaterThan(0);
    for (const { pool } of honest) {
      expect(pool.transitions.filter(({ to }) => to === 'closed')).toEqual([]);
    }
  });

  it('a recovery that others refute is taken back: the first failure opens again', async () => {
    worldOf();
    const honest = world.startMany(4, { everyMs: 100 });
    await world.run(1000);
    world.dead.add('c');
    await world.until(() => world.open('c').length === 4, 9000);
    // One process for which it works, now and then: it finds so in a test of its own.
    honest[0]!.ending = () => 'success';
    await world.until(() => honest[0]!.pool.transitions.at(-1)?.to === 'closed', 30_000);
    const before = world.attempts('c') - (honest[0]!.pool.attempts.get('c') ?? 0);
    await world.run(3000);
    const after = world.attempts('c') - (honest[0]!.pool.attempts.get('c') ?? 0);
    expect(after - before).toBeLessThanOrEqual(3);
    expect(honest.slice(1).every(({ pool }) => pool.circuits.get('c').state !== 'closed')).toBe(
      true,
    );
  });
});

it('a recovery that is refuted costs the others one or two attempts, not one each', async () => {
  worldOf();
  const [deluded, ...others] = world.startMany(8, { everyMs: 100 });
  await world.run(1000);
  world.dead.add('c');
  await world.until(() => world.open('c').length === 8, 9000);
  deluded!.ending = () => 'success';
  await world.until(() => deluded!.pool.transitions.at(-1)?.to === 'closed', 60_000);
  const attempts = () => others.reduce((sum, { pool }) => sum + (pool.attempts.get('c') ?? 0), 0);
  const before = attempts();
  await world.run(3000);
  expect(attempts() - before).toBeGreaterThanOrEqual(1);
  expect(attempts() - before).toBeLessThanOrEqual(3);
  expect(others.every(({ pool }) => pool.circuits.get('c').state !== 'closed')).toBe(true);
});

describe('D12 processes of one host', () => {
  it('are one witness when another host is live', async () => {
    worldOf();
    world.start('a1', { witness: 'host-a', everyMs: 100 });
    world.start('a2', { witness: 'host-a', everyMs: 100 });
    const b = world.start('b1', { witness: 'host-b', everyMs: 0 });
    await world.run(1000);
    world.dead.add('c');
    await world.run(9000);
    expect(world.open('c').map(({ name }) => name)).toContain('a1');
    for (const { pool } of world.processes) {
      expect(pool.transitions.filter(({ reason }) => reason === 'fleet')).toEqual([]);
    }
    expect(b.pool.transitions).toEqual([]);
  });

  it('are two when there is no other host', async () => {
    worldOf();
    world.start('a1', { everyMs: 100 });
    world.start('a2', { everyMs: 100 });
    const idle = world.start('a3', { everyMs: 0 });
    await world.run(1000);
    world.dead.add('c');
    await world.until(() => idle.pool.transitions.length > 0, 9000);
    expect(idle.pool.transitions[0]).toMatchObject({ to: 'open', reason: 'fleet' });
  });
});

describe('D27 order and repetition', () => {
  const rows: Fact[] = [
    { kind: 'failing', id: 'c', failures: 2, run: 2, latencyMs: 9 },
    { kind: 'opened', id: 'c', remainingMs: 4000 },
    { kind: 'working', id: 'd' },
    { kind: 'failing', id: 'd', failures: 1, run: 1, latencyMs: 9 },
  ];
  const outcome = async (send: (store: World['store']) => Promise<void>) => {
    worldOf();
    const idle = world.start('idle', { everyMs: 0 });
    world.start('other', { everyMs: 0 });
    await world.run(1000);
    await send(world.store);
    await world.run(1000);
    const states = world.ids.map((id) => `${id} ${idle.pool.circuits.get(id).state}`);
    await world.end();
    return states;
  };

  it('every batch twice, or in reverse, leads to the same circuits', async () => {
    const once = await outcome(async (store) => {
      await store.sync(askOf('x', rows));
      await store.sync(askOf('y', rows));
    });
    const twice = await outcome(async (store) => {
      for (const name of ['x', 'x', 'y', 'y', 'x']) await store.sync(askOf(name, rows));
    });
    const reversed = await outcome(async (store) => {
      await store.sync(askOf('y', rows.toReversed()));
      await store.sync(askOf('x', rows.toReversed()));
    });
    expect(once).toContain('c open');
    expect(twice).toEqual(once);
    expect(reversed).toEqual(once);
  });
});

describe('D34 what cannot be understood', () => {
  it('is skipped and counted; what follows is read', async () => {
    worldOf();
    const honest = world.start('p1', { everyMs: 0 });
    const peer = world.start('p2', { everyMs: 0 });
    await world.run(500);
    for (const batch of [
      '{',
      '[[',
      '"x"',
      '[null,["?","c"],["f","c",-1,1,1],["f"],["o","c",1e300]]',
    ]) {
      await world.store.sync(askOf('junk', [], { batch }));
    }
    await world.store.sync(askOf('x', [{ kind: 'banned', id: 'd', remainingMs: 5000 }]));
    await world.run(500);
    expect(honest.fleet.metrics().ignored.garbage).toBe(8);
    expect(peer.pool.circuits.get('d').state).toBe('open');
    expect(honest.fleet.state).toBe('joined');
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['an empty object', {}],
    ['no number of processes', { epoch: 'e', position: '1', live: NaN, holds: 7 }],
  ])('a store that responds with %s is one that is away', async (_what, response) => {
    let junk = true;
    worldOf({
      store: ({ now }) => {
        const inner = memoryStore({ now });
        return {
          sync: (ask) => (junk ? Promise.resolve(response as never) : inner.sync(ask)),
          close() {},
        };
      },
    });
    const only = world.start('p1', { everyMs: 100 });
    await world.run(5000);
    expect(types(only)).toEqual(['fleet:degraded']);
    expect(only.pool.refused).toBe(0);
    junk = false;
    await world.run(2000);
    expect(only.fleet.state).toBe('joined');
  });

  it('whatever numbers and names stand in a response, it is read, and no ban is longer than 30 days', async () => {
    const random = seededRandom(11);
    const pick = <Each>(...all: readonly Each[]): Each =>
      all[Math.floor(random() * all.length)] as Each;
    const list = <Each>(length: number, each: () => Each) => Array.from({ length }, each);
    const number = () =>
      pick(0, 1, -1, 0.5, 5, 1e3, 1e9, 1e14, 1e308, Infinity, -Infinity, NaN, -0.5);
    const text = () => pick('x', 'https://shop.example', '\0', '\ud800', '{}', 'x'.repeat(3000));
    const id = () => pick('a', 'b', 'c', 'none', '');
    const field = () =>
      JSON.stringify(
        pick<unknown>(['o', id()], ['b', id()], ['b', id(), text()], ['m', id(), text()], 7, [
          text(),
        ]),
      );
    const row = () =>
      pick<unknown>(
        ['f', id(), number(), number(), number()],
        ['w', id()],
        ['o', id(), number()],
        ['c', id()],
        ['b', id(), number(), text()],
        ['a', id(), number(), text()],
        ['r', id()],
        ['m', id(), number(), text()],
        ['p', text()],
        [],
        null,
      );
    const peer = () => ({ process: pick('p1', 'p2', text()), witness: pick('host', text()) });
    const respond = (): SyncResponse => ({
      epoch: pick('e', 'e', 'e', 'other'),
      position: text(),
      more: false,
      live: pick(1, 2, 3),
      peers: pick(undefined, list(2, peer)),
      entries: list(4, () => ({
        ...peer(),
        ageMs: pick(0, 10, 1e9),
        ...pick({ batch: JSON.stringify(list(3, row)) }, { passed: field() }),
      })),
      grants: list(2, () => ({ field: field(), term: text() })),
      denials: list(2, () => ({ field: field(), remainingMs: number() })),
      holds: list(3, () => ({ field: field(), remainingMs: number(), marks: list(2, peer) })),
      evidence: list(4, () => ({
        id: id(),
        successes: number(),
        failures: number(),
        successMs: number(),
        run: number(),
      })),
      versions: [],
    });
    worldOf({ store: () => ({ sync: () => Promise.resolve(respond()), close() {} }) });
    const only = world.start('p1', { everyMs: 100 });
    const longest = { ban: 0 };
    only.pool.bus.on('proxy:banned', ({ until, at }) => {
      longest.ban = Math.max(longest.ban, until - at);
      expect(until).toBeGreaterThanOrEqual(at);
    });
    await world.run(60_000);
    const { syncs, ignored } = only.fleet.metrics();
    expect(syncs.failed).toBe(0);
    expect(syncs.ok).toBeGreaterThan(200);
    expect(ignored.garbage).toBeGreaterThan(200);
    expect(longest.ban).toBe(30 * 86_400_000);
    for (const [, { nextTestAt = 0 }] of only.pool.circuits.entries()) {
      expect(nextTestAt - world.clock.now()).toBeLessThanOrEqual(30 * 86_400_000 + 2000);
    }
  });

  it('pools, prefixes and versions share nothing; another version is reported once', async () => {
    worldOf();
    const here = world.start('here', { everyMs: 0 });
    world.start('elsewhere', { everyMs: 0, pool: 'another' });
    world.start('apart', { everyMs: 0, prefix: 'mine' });
    const newer = askOf('newer', [{ kind: 'banned', id: 'd', remainingMs: 5000 }], {
      scope: 'whirl:{test}:v2',
      version: 'v2',
    });
    await world.store.sync(newer);
    await world.run(10_000);
    expect(here.fleet.processes().map(({ process }) => process)).toEqual(['here']);
    expect(here.pool.transitions).toEqual([]);
    expect(here.events.filter(({ type }) => type === 'fleet:incompatible')).toMatchObject([
      { event: { version: 'v2' } },
    ]);
  });
});
