import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { joinFleet } from '../src/index.ts';
import { fromIoredis, fromNodeRedis, redisStore, type RedisCommands } from '../src/redis.ts';
import { storeContract } from '../src/testing/store-contract.test-kit.ts';
import { SimulatedPool } from '../src/testing/simulated-pool.ts';
import { askOf } from './ask.ts';
import { clients } from './clients.ts';
import { RedisServer } from './redis-server.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.stop());

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

for (const [name, connect] of Object.entries(clients)) {
  storeContract(`redis-server by ${name}`, async () => {
    const { commands, end } = await connect(server.port);
    return { store: redisStore(commands), wait, close: end };
  });

  it(`D20 SCRIPT FLUSH is invisible to ${name}`, async () => {
    const { commands, end } = await connect(server.port);
    const pool = new SimulatedPool({ now: Date.now, random: Math.random, ids: ['a'] });
    const fleet = joinFleet({ rotator: pool, store: redisStore(commands), pool: 'flushed' });
    await expect.poll(() => fleet.state).toBe('joined');
    await server.command('SCRIPT', 'FLUSH');
    const { ok } = fleet.metrics().syncs;
    await expect.poll(() => fleet.metrics().syncs.ok).toBeGreaterThan(ok + 3);
    expect(fleet.metrics().syncs.failed).toBe(0);
    await fleet.close();
    await end();
  });
}

describe('keys', () => {
  it('D35 all have a time to live, and all of a pool are in one slot', async () => {
    const { commands, end } = await clients.ioredis!(server.port);
    await server.command('FLUSHALL');
    const pool = new SimulatedPool({
      now: Date.now,
      random: Math.random,
      ids: ['a', 'b'],
      openMs: 500,
    });
    const store = redisStore(commands);
    const fleet = joinFleet({ rotator: pool, store, pool: 'keys', evidenceIntervalMs: 1000 });
    await expect.poll(() => fleet.state).toBe('joined');
    for (let i = 0; i < 10; i++) pool.request(() => 'failure');
    await expect.poll(() => fleet.metrics().rows.sent, { timeout: 5000 }).toBeGreaterThan(0);
    await wait(1500);
    const names = [...(await server.command('KEYS', '*')).matchAll(/whirl:\S+/g)].map(String);
    expect(names.length).toBeGreaterThanOrEqual(7);
    const slots = new Set<string>();
    for (const name of names) {
      const ttl = Number((await server.command('PTTL', name)).slice(1));
      expect(ttl, name).toBeGreaterThan(500_000);
      slots.add(/\{.*?\}/.exec(name)?.[0] ?? name);
    }
    expect([...slots]).toEqual(['{keys}']);
    await fleet.close();
    await end();
  });

  it('D35 a key that was evicted ends by itself when it is written again', async () => {
    const { commands, end } = await clients.ioredis!(server.port);
    await server.command('FLUSHALL');
    const store = redisStore(commands);
    const field = '["o","a"]';
    const row = { bucket: 7, id: 'a', successes: 1, failures: 0, successMs: 50, run: 1 };
    const everything = {
      live: -1,
      batch: 'told',
      holds: [{ field: '["b","a"]', remainingMs: 5000 }],
      leases: [{ field, leaseMs: 10 }],
      evidence: [row],
    };
    const { epoch } = await store.sync(askOf('one', 'evicted', everything));
    const names = await server.keys();
    expect(names).toHaveLength(8);
    for (const name of names) {
      await server.command('DEL', name);
      await wait(15);
      await store.sync(askOf('one', 'evicted', { ...everything, epoch }));
      const ttl = Number((await server.command('PTTL', name)).slice(1));
      expect(ttl, name).toBeGreaterThan(50_000);
    }
    await end();
  });

  it('D35 keys of a fleet that goes on are kept, also those that it only reads', async () => {
    const { commands, end } = await clients.ioredis!(server.port);
    await server.command('FLUSHALL');
    const store = redisStore(commands);
    const holds = [{ field: '["b","a"]', remainingMs: 60_000 }];
    const { epoch } = await store.sync(askOf('one', 'kept', { holds, batch: 'told' }));
    const names = await server.keys();
    for (const name of names) await server.command('PEXPIRE', name, '50000');
    await store.sync(askOf('one', 'kept', { epoch }));
    for (const name of names) {
      const ttl = Number((await server.command('PTTL', name)).slice(1));
      expect(ttl, name).toBeGreaterThan(55_000);
    }
    await end();
  });

  it('D34 garbage in the log neither throws nor stops reading', async () => {
    const { commands, end } = await clients.ioredis!(server.port);
    const fleetOf = (processId: string) => {
      const pool = new SimulatedPool({ now: Date.now, random: Math.random, ids: ['a', 'b'] });
      const store = redisStore(commands);
      return { pool, fleet: joinFleet({ rotator: pool, store, pool: 'junk', processId }) };
    };
    const fleets = ['one', 'two'].map(fleetOf);
    await expect.poll(() => fleets.every(({ fleet }) => fleet.state === 'joined')).toBe(true);
    await server.command('XADD', 'whirl:{junk}:v1:log', '*', 'x', 'y');
    await server.command('XADD', 'whirl:{junk}:v1:log', '*', 'me\nh', 'b{{{');
    for (let part = 0; part < 64; part++) {
      await server.command(
        'HSET',
        `whirl:{junk}:v1:ev:${part}`,
        'b',
        'not numbers',
        'c',
        '1 x 1 1 1',
      );
    }
    for (const name of ['lease', 'mark']) {
      await server.command(
        'HSET',
        `whirl:{junk}:v1:${name}`,
        '["b","a"]',
        'junk',
        '["o","a"]',
        'junk',
      );
    }
    fleets.push(fleetOf('three'));
    const until = Date.now() + 5000;
    fleets[0]!.pool.bus.emit('proxy:banned', { proxyId: 'a', until, rule: 'mine', at: until });
    await expect.poll(() => fleets[1]!.pool.circuits.get('a').state).toBe('open');
    await expect.poll(() => fleets[2]!.pool.circuits.get('a').state).toBe('open');
    expect(fleets[1]!.fleet.metrics().ignored.garbage).toBe(1);
    expect(fleets.map(({ fleet }) => fleet.metrics().syncs.failed)).toEqual([0, 0, 0]);
    for (const { fleet } of fleets) await fleet.close();
    await end();
  });
});

describe('evidence', () => {
  it('that has faded is not read, and goes from the server', async () => {
    const { commands, end } = await clients.ioredis!(server.port);
    const store = redisStore(commands);
    const part = 'whirl:{faded}:v1:ev:7';
    await server.command('HSET', part, 'old', `9 0 50 9 ${Date.now() - 3_600_000}`);
    const read = async () =>
      (await store.sync(askOf('reader', 'faded', { buckets: [7] }))).evidence;
    expect(await read()).toEqual([]);
    await server.command('HSET', part, 'new', `9 0 50 9 ${Date.now()}`);
    // The server looks for it at one reading in eight.
    for (let i = 0; i < 300 && (await server.command('HLEN', part)) !== ':1\r\n'; i++) await read();
    expect(await server.command('HKEYS', part)).toBe('*1\r\n$3\r\nnew\r\n');
    expect(await read()).toMatchObject([{ id: 'new', successes: expect.closeTo(9, 0), run: 9 }]);
    await end();
  });
});

describe('a clock that is set back by an hour', () => {
  /** The server's clock, as the script read it until then. */
  const ahead = ({ eval: run }: RedisCommands): RedisCommands => ({
    eval: (script, keys, args) =>
      run(script.replace("call('TIME')", "call('TIME') time[1] = time[1] + 3600"), keys, args),
  });
  const field = '["o","a"]';

  it('D22 keeps no lease, hold or process for an hour, and what holds is told again', async () => {
    const { commands, end } = await clients.ioredis!(server.port);
    await server.command('FLUSHALL');
    const before = redisStore(ahead(commands));
    const store = redisStore(commands);
    const holds = [{ field: '["b","b"]', remainingMs: 60_000 }];
    const { epoch } = await before.sync(
      askOf('dead', 'back', { holds, leases: [{ field, leaseMs: 100 }] }),
    );
    const log = 'whirl:{back}:v1:log';
    await server.command('XADD', log, `${Date.now() + 3_600_000}-0`, 'dead\nhost', 'b[]');
    const leases = [{ field, leaseMs: 60_000 }];
    const sync = () =>
      store.sync(askOf('one', 'back', { epoch, newEpoch: 'second', leases, batch: 'told' }));
    let response = await sync();
    // The server looks for it in one sync of eight.
    for (let i = 0; i < 300 && response.epoch === epoch; i++) response = await sync();
    expect(response).toMatchObject({ epoch: 'second', live: 1, grants: [{ field }], holds: [] });
    expect(await server.command('XLEN', log)).toBe(':1\r\n');
    for (const name of await server.keys()) {
      const ttl = Number((await server.command('PTTL', name)).slice(1));
      expect(ttl, name).toBeGreaterThan(55_000);
      expect(ttl, name).toBeLessThanOrEqual(60_000);
    }
    await end();
  });

  it('D22 makes no billion of attempts of one', async () => {
    const { commands, end } = await clients.ioredis!(server.port);
    const row = { bucket: 7, id: 'a', successes: 1, failures: 0, successMs: 50, run: 1 };
    await redisStore(ahead(commands)).sync(askOf('one', 'seen', { evidence: [row] }));
    const store = redisStore(commands);
    const read = () => store.sync(askOf('one', 'seen', { evidence: [row], buckets: [7] }));
    expect((await read()).evidence).toMatchObject([{ successes: expect.closeTo(2, 1) }]);
    expect((await read()).evidence).toMatchObject([{ successes: expect.closeTo(3, 1) }]);
    await end();
  });
});

describe('what is no client', () => {
  it('is refused by the method that is missing', () => {
    expect(() => fromIoredis({} as never)).toThrow(
      'client must be a client with eval(), evalsha(), xrange(), hscan(), got an object',
    );
    expect(() => fromNodeRedis({ eval() {} } as never)).toThrow(
      'a client with eval(), evalSha(), xRange(), hScan()',
    );
    expect(() => redisStore(undefined as never)).toThrow(
      'commands must be an object with eval(), got undefined',
    );
  });

  it('ends no process when it throws in place of rejecting, beside commands that reject', async () => {
    const throws = (): never => {
      throw new Error('closed');
    };
    const rejects = async () => throws();
    const unhandled: unknown[] = [];
    const hear = (error: unknown) => unhandled.push(error);
    const others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', hear);
    const ask = askOf('one', 'closed', { buckets: [7] });
    for (const commands of [
      { eval: rejects, xRange: rejects, hScan: throws },
      { eval: throws, xRange: rejects },
      { eval: throws, evalSha: rejects },
    ]) {
      await expect(redisStore(commands).sync(ask)).rejects.toThrow('closed');
    }
    await new Promise((resolve) => setImmediate(resolve));
    process.removeAllListeners('unhandledRejection');
    for (const other of others) process.on('unhandledRejection', other);
    expect(unhandled).toEqual([]);
  });
});
