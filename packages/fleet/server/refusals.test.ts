import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { joinFleet, type Fleet } from '../src/index.ts';
import { redisStore } from '../src/redis.ts';
import { SimulatedPool } from '../src/testing/simulated-pool.ts';
import { storeContract } from '../src/testing/store-contract.test-kit.ts';
import { askOf } from './ask.ts';
import { clients } from './clients.ts';
import { RedisServer } from './redis-server.ts';

/** The account that the guide describes, as the words of its rule. */
const guide = readFileSync(new URL('../../../docs/guides/fleets.md', import.meta.url), 'utf8');
const [, documented = ''] = /^ACL SETUSER whirl ([^`]+)/m.exec(guide) ?? [];
const rule = documented.trim().replace('>…', '>secret').split(/\s+/);
const commands = rule.filter((word) => word.startsWith('+')).map((word) => word.slice(1));

let server: RedisServer;
const ends: (() => unknown)[] = [];
const later = (end: () => unknown) => ends.push(end);
beforeAll(async () => {
  server = await RedisServer.start();
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
afterAll(() => server.stop());

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** An empty server by the documented account, whose rule may have more words. */
async function connectAs(name = '@redis/client', ...more: string[]) {
  const words = ['ACL', 'SETUSER', 'whirl', 'reset', ...rule, ...more];
  expect(await server.command(...words)).toBe('+OK\r\n');
  await server.command('FLUSHALL');
  const account = { username: 'whirl', password: 'secret' };
  const { commands: client, end } = await clients[name]!(server.port, account);
  return { store: redisStore(client), end };
}

interface Member {
  readonly pool: SimulatedPool;
  readonly fleet: Fleet;
  /** Why it was degraded, each time, and that it has recovered. */
  readonly heard: string[];
}

function memberOf(store: ReturnType<typeof redisStore>, processId: string, pool: string): Member {
  const rotator = new SimulatedPool({ now: Date.now, random: Math.random, ids: ['a', 'b', 'c'] });
  const heard: string[] = [];
  rotator.bus.on('fleet:degraded', ({ reason }) => heard.push(reason));
  rotator.bus.on('fleet:recovered', () => heard.push('recovered'));
  const fleet = joinFleet({ rotator, store, pool, processId, deadlineMs: 1000 });
  later(() => fleet.close());
  return { pool: rotator, fleet, heard };
}

function ban({ pool }: Member, proxyId: string): void {
  const at = Date.now();
  pool.bus.emit('proxy:banned', { proxyId, until: at + 60_000, rule: 'mine', at });
}

/** Syncs that need every command once. */
async function everything(store: ReturnType<typeof redisStore>): Promise<void> {
  await server.command('FLUSHALL');
  await server.command('SCRIPT', 'FLUSH');
  const field = '["o","a"]';
  const ask = (more: Parameters<typeof askOf>[2]) => askOf('one', 'scrapers', more);
  const told = { id: 'a', bucket: 7, successes: 1, failures: 0, successMs: 50, run: 1 };
  const { grants, epoch, position } = await store.sync(
    ask({ live: -1, batch: 'told', leases: [{ field, leaseMs: 5000 }], evidence: [told] }),
  );
  const verdict = { ...grants[0]!, result: 'failed', remainingMs: 60_000 } as const;
  await store.sync(ask({ epoch, position, verdicts: [verdict], buckets: [7] }));
  // What has ended long ago goes in one sync of eight.
  const holds = 'whirl:{scrapers}:v1:hold';
  await server.command('ZADD', holds, '1', 'ended');
  while ((await server.command('ZSCORE', holds, 'ended')) !== '$-1\r\n') {
    await store.sync(ask({ epoch }));
  }
  await store.sync(ask({ releases: [field], leaving: true }));
}

storeContract('redis-server by the account of the guide', async () => {
  const { store, end } = await connectAs('@redis/client', '~whirl-test:*');
  return { store, wait, close: end };
});

describe('the account of the guide', () => {
  it.each(Object.keys(clients))(
    'D19 has all the rights that %s needs, for its pool alone',
    async (name) => {
      const { store, end } = await connectAs(name);
      later(end);
      const [one, two] = [memberOf(store, 'one', 'scrapers'), memberOf(store, 'two', 'scrapers')];
      const elsewhere = memberOf(store, 'three', 'another');
      await expect.poll(() => two.fleet.processes().length).toBe(2);
      ban(one, 'c');
      await expect.poll(() => two.pool.circuits.get('c').state).toBe('open');
      await expect.poll(() => elsewhere.heard).toEqual(['NOPERM']);
      expect([...one.heard, ...two.heard]).toEqual([]);
      expect(one.fleet.metrics().syncs.failed + two.fleet.metrics().syncs.failed).toBe(0);
    },
  );

  it('D19 has no command that is not needed: with one less it is NOPERM', async () => {
    const { store, end } = await connectAs();
    later(end);
    await everything(store);
    expect(commands.length).toBeGreaterThan(15);
    for (const command of commands) {
      await server.command('ACL', 'SETUSER', 'whirl', `-${command}`);
      await expect(everything(store), command).rejects.toThrow('NOPERM');
      await server.command('ACL', 'SETUSER', 'whirl', `+${command}`);
    }
    await everything(store);
  });

  it('D19 NOPERM: without XADD degraded with that code; given it, all that was to be told arrives', async () => {
    const { store, end } = await connectAs();
    later(end);
    const [one, two] = [memberOf(store, 'one', 'scrapers'), memberOf(store, 'two', 'scrapers')];
    await expect.poll(() => two.fleet.processes().length).toBe(2);
    await server.command('ACL', 'SETUSER', 'whirl', '-xadd');
    ban(one, 'b');
    await expect.poll(() => one.heard).toEqual(['NOPERM']);
    expect(one.pool.request(() => 'success')).toBeDefined();
    await server.command('ACL', 'SETUSER', 'whirl', '+xadd');
    await expect.poll(() => one.heard).toEqual(['NOPERM', 'recovered']);
    await expect.poll(() => two.pool.circuits.get('b').state).toBe('open');
  });
});

describe('a server that reads its disk', () => {
  it('D19 LOADING: degraded with that code, and joined when it has read it', async () => {
    // Each key takes 20 ms, until the test lets it go.
    const slow = ['--key-load-delay', '20000', '--loading-process-events-interval-bytes', '1024'];
    const loading = await RedisServer.start('--rdbcompression', 'no', ...slow);
    later(() => loading.stop());
    const fill = `for i = 1, 2000 do redis.call('SET', i, string.rep('x', 1100)) end`;
    await loading.command('EVAL', fill, '0');
    expect(await loading.command('SAVE')).toBe('+OK\r\n');
    await loading.kill();
    await loading.restart();
    const { commands: client, end } = await clients['@redis/client']!(loading.port);
    later(end);
    const member = memberOf(redisStore(client), 'one', 'scrapers');
    await expect.poll(() => member.heard).toEqual(['LOADING']);
    expect(member.fleet.state).toBe('degraded');
    for (let i = 0; i < 100; i++) member.pool.request(() => 'success');
    expect(member.pool.refused).toBe(0);
    expect(await loading.command('GET', '1')).toMatch(/^-LOADING/);
    await loading.command('CONFIG', 'SET', 'key-load-delay', '0');
    await expect.poll(() => member.heard).toEqual(['LOADING', 'recovered']);
    expect(member.fleet.state).toBe('joined');
  });
});
