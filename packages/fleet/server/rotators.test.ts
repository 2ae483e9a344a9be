import { startProxy, startTarget, type FlakyProxy, type Target } from '@whirl/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { redisStore } from '../src/redis.ts';
import { clients } from './clients.ts';
import { askOf } from './ask.ts';
import { Team } from './team.ts';
import { banMs, type WorkerOptions } from './workers.ts';

// Rotators in processes of their own: their requests go through real proxies to a real target.
let team: Team;
let target: Target;
let proxies: Record<'a' | 'b' | 'c', FlakyProxy>;
beforeEach(async () => {
  team = await Team.start();
  target = await startTarget();
  const [a, b, c] = await Promise.all([startProxy(), startProxy(), startProxy()]);
  proxies = { a, b, c };
});
afterEach(async () => {
  await team.end();
  for (const proxy of Object.values(proxies)) await proxy.close();
  await target.close();
});

/** What lies in front of each rotator. */
const inFront = () => ({
  proxies: Object.entries(proxies).map(([id, { url }]) => ({ id, url })),
  target: target.url,
  everyMs: 50,
});
const join = (count: number, options: Partial<WorkerOptions> = {}) =>
  team.join(count, { ...inFront(), ...options });
const all = { timeout: 20_000, interval: 20 };

describe('the one test of a circuit', () => {
  it('D4 it fails: every process that asks before the next deadline is denied', async () => {
    const openMs = 3000;
    await join(3, { openMs, graceMs: 5000 });
    // A process that has heard of nothing, and asks all the time.
    const { commands, end } = await clients['ioredis']!(team.server.port);
    const store = redisStore(commands);
    const ask = () =>
      store.sync(askOf('stranger', 'real', { leases: [{ field: '["o","c"]', leaseMs: 1000 }] }));
    await proxies.c.behave({ kind: 'reset' });
    await expect.poll(() => team.openIn('c'), all).toBe(3);
    await expect.poll(() => team.tests('c').length, all).toBe(1);
    let denials = 0;
    let granted = false;
    while (!granted && team.tests('c').length === 1) {
      const answer = await ask();
      granted = answer.grants.length > 0;
      if (!granted) denials++;
    }
    const next = granted ? Date.now() : team.tests('c')[1]!;
    expect(next - team.tests('c')[0]!).toBeGreaterThanOrEqual(openMs - 50);
    expect(denials).toBeGreaterThan(20);
    await end();
  });

  it('D6 the holder is paused for longer than its lease: its verdict changes nothing', async () => {
    const [openMs, leaseMs] = [3000, 2000];
    const workers = await join(3, { openMs, leaseMs, graceMs: 5000 });
    await proxies.c.behave({ kind: 'reset' });
    await expect.poll(() => team.openIn('c'), all).toBe(3);
    // The first test will succeed, after the lease has ended.
    await proxies.c.behave({ kind: 'ok', latencyMs: leaseMs + 1000 });
    const before = proxies.c.stats.requests;
    await expect.poll(() => proxies.c.stats.requests, all).toBe(before + 1);
    const holder = workers.find(({ tests }) => tests.some(({ id }) => id === 'c'))!;
    holder.child.kill('SIGSTOP');
    await proxies.c.behave({ kind: 'reset' });
    await expect.poll(() => team.tests('c').length, all).toBe(2);
    const known = async () => [
      await team.server.command('HGET', 'whirl:{real}:v1:lease', '["o","c"]'),
      await team.server.command('ZSCORE', 'whirl:{real}:v1:hold', '["o","c"]'),
    ];
    const second = workers.find((each) => each !== holder && each.tests.length > 0)!;
    // Its verdict is in the store when the lease has no holder any more.
    await expect.poll(async () => (await known())[0]!.endsWith('\n\r\n'), all).toBe(true);
    const told = await known();
    holder.child.kill('SIGCONT');
    await holder.counts();
    // Until the next test is due nothing moves, whatever the holder says.
    const dueAt = Number(/\n(\d+)/.exec(told[1]!)?.[1]);
    while (Date.now() < dueAt) {
      const now = await known();
      if (Date.now() < dueAt) expect(now).toEqual(told);
    }
    await expect.poll(() => team.tests('c').length, all).toBeGreaterThan(2);
    const [, at, next] = team.tests('c');
    expect(next! - at!).toBeGreaterThanOrEqual(openMs - 50);
    expect(second.transitions.map(({ to }) => to)).not.toContain('closed');
    expect(holder.transitions.map(({ to }) => to)).not.toContain('closed');
    const log = await team.server.command('XRANGE', 'whirl:{real}:v1:log', '-', '+');
    expect(log).not.toContain('\nc["o","c"]');
  });
});

describe('requests', () => {
  it('D21 the store never responds: 1,000 requests of each process end as those without a fleet', async () => {
    team.server.pause();
    const options = { everyMs: 0, deadlineMs: 5000 };
    const workers = [
      ...team.launch(2, { ...inFront(), ...options }),
      ...team.launch(1, { ...inFront(), ...options, fleet: false }),
    ];
    const succeeded = await Promise.all(workers.map((worker) => worker.requests(1000, 10)));
    expect(succeeded).toEqual([1000, 1000, 1000]);
    for (const worker of workers) {
      const { refused, retries } = await worker.counts();
      expect([refused, retries]).toEqual([0, 0]);
      expect(worker.events).not.toContain('joined');
    }
  });

  it('D14 the server is paused for 30 s: none fails or waits, one degraded and one recovered event', async () => {
    const workers = await join(3);
    const before = await team.sum('requests');
    team.server.pause();
    const from = Date.now();
    await expect.poll(() => Date.now() - from, { timeout: 40_000 }).toBeGreaterThan(30_000);
    team.server.resume();
    await expect.poll(() => workers.every(({ events }) => events.includes('recovered'))).toBe(true);
    // None of them has waited for it.
    expect((await team.sum('requests')) - before).toBeGreaterThan(600);
    for (const worker of workers) {
      expect(worker.events).toEqual(['joined', 'degraded', 'recovered']);
      const { refused, retries } = await worker.counts();
      expect([refused, retries]).toEqual([0, 0]);
    }
  });

  it('D15 D18 D19 D20 D34 every fault of the store, one after another: none fails', async () => {
    const workers = await join(3);
    const heard = (event: string) =>
      workers.map(({ events }) => events.filter((each) => each === event).length);
    const { server } = team;
    /** Each process has been degraded by it, and has recovered since. */
    const fault = async (begin: () => Promise<unknown>, end: () => Promise<unknown>) => {
      const times = heard('degraded')[0]! + 1;
      await begin();
      await expect.poll(() => heard('degraded'), all).toEqual(Array(3).fill(times));
      await end();
      await expect.poll(() => heard('recovered'), all).toEqual(Array(3).fill(times));
    };
    await fault(
      () => server.kill(),
      () => server.restart(),
    );
    await fault(
      () => server.command('CONFIG', 'SET', 'maxmemory', '1'),
      () => server.command('CONFIG', 'SET', 'maxmemory', '0'),
    );
    await fault(
      () => server.command('REPLICAOF', '127.0.0.1', '1'),
      () => server.command('REPLICAOF', 'NO', 'ONE'),
    );
    await fault(
      () => server.command('SET', 'whirl:{real}:v1:hold', 'no zset'),
      () => server.command('DEL', 'whirl:{real}:v1:hold'),
    );
    await server.command('FLUSHALL');
    await server.command('SCRIPT', 'FLUSH');
    await server.command('XADD', 'whirl:{real}:v1:log', '*', 'me\nhost', 'b{{{');
    await server.command('HSET', 'whirl:{real}:v1:lease', '["o","a"]', 'junk');
    const before = await team.sum('requests');
    await expect.poll(() => team.sum('requests'), all).toBeGreaterThan(before + 60);
    for (const worker of workers) {
      const { refused, retries } = await worker.counts();
      expect([refused, retries]).toEqual([0, 0]);
      expect(worker.circuits.size).toBe(0);
    }
    // They still are a fleet.
    await proxies.c.behave({ kind: 'reset' });
    await expect.poll(() => team.openIn('c'), all).toBe(3);
  });
});

describe('bans', () => {
  it('D23 a ban by a rule holds in all until its end, for a newcomer and after a restart too', async () => {
    const { c } = proxies;
    const [first, ...others] = await join(3, { everyMs: 0 });
    await c.behave({ kind: 'status', statusCode: 402 });
    await first!.requests(3, 1);
    await expect.poll(() => first!.circuits.get('c')?.to).toBe('open');
    const bannedAt = first!.circuits.get('c')!.at;
    await expect.poll(() => team.openIn('c'), all).toBe(3);
    for (const each of others) expect(each.circuits.get('c')!.at - bannedAt).toBeLessThan(1000);
    await c.behave({ kind: 'ok' });
    const used = c.stats.requests;
    await team.server.kill();
    await team.server.restart();
    const [newcomer] = await join(1, { everyMs: 0 });
    await expect.poll(() => newcomer!.isOpen('c'), all).toBe(true);
    expect(newcomer!.circuits.get('c')!.reason).toBe('fleet');
    if (Date.now() < bannedAt + banMs) {
      await Promise.all(team.workers.map((worker) => worker.requests(6, 1)));
    }
    if (Date.now() < bannedAt + banMs) expect(c.stats.requests).toBe(used);
    team.tell({ everyMs: 50 });
    await expect.poll(() => c.stats.requests, all).toBeGreaterThan(used);
    expect(Date.now()).toBeGreaterThanOrEqual(bannedAt + banMs - 50);
    await expect.poll(() => team.openIn('c'), all).toBe(0);
  });

  it('D23 one for a target is one for that target alone', async () => {
    const { c } = proxies;
    const elsewhere = await startTarget();
    const [first, second] = await join(2, { everyMs: 0 });
    await c.behave({ kind: 'status', statusCode: 451 });
    await first!.requests(3, 1);
    await expect
      .poll(() => second!.bans, all)
      .toEqual([{ type: 'ban', id: 'c', target: target.origin, rule: 'fleet' }]);
    await c.behave({ kind: 'ok' });
    const used = c.stats.requests;
    await second!.requests(6, 1);
    expect(c.stats.requests).toBe(used);
    second!.tell({ url: elsewhere.url });
    await second!.requests(6, 1);
    expect(c.stats.requests).toBe(used + 2);
    expect(team.openIn('c')).toBe(0);
    await elsewhere.close();
  });
});
