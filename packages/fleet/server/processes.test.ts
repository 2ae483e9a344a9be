import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RedisServer } from './redis-server.ts';
import { startWorkers, type Worker, type WorkerOptions } from './workers.ts';

let server: RedisServer;
let workers: Worker[] = [];
beforeEach(async () => {
  server = await RedisServer.start();
});
afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.kill()));
  await server.stop();
});

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A machine with few cores takes its time to start many processes. */
const starting = { timeout: 60_000 };

/** A fleet in which all have joined. */
async function fleetOf(count: number, options: Partial<WorkerOptions> = {}): Promise<void> {
  workers = startWorkers(count, { port: server.port, ...options });
  await expect
    .poll(() => workers.every(({ events }) => events.includes('joined')), starting)
    .toBe(true);
  await wait(1000);
}

const openIn = (id: string) => workers.filter((worker) => worker.isOpen(id)).length;
const tests = (id: string) =>
  workers
    .flatMap((worker) => worker.tests.filter((test) => test.id === id).map(({ at }) => at))
    .sort((a, b) => a - b);
const tell = (command: Parameters<Worker['tell']>[0]) =>
  workers.forEach((each) => each.tell(command));
/** What the server sends of the lease of that circuit: its end, its term and who has it, a line each. */
const lease = (id: string) => server.command('HGET', 'whirl:{real}:v1:lease', `["o","${id}"]`);
const attempts = async (id: string) => {
  const counts = await Promise.all(workers.map((worker) => worker.counts()));
  return counts.reduce((sum, each) => sum + (each.attempts[id] ?? 0), 0);
};

describe('eight processes', () => {
  it('D1 D2 D3 a proxy dies: five to ten attempts, one test in each period', async () => {
    await fleetOf(8);
    const before = await attempts('c');
    tell({ dead: ['c'] });
    await expect.poll(() => openIn('c')).toBe(8);
    const opened = workers.map((worker) => worker.circuits.get('c')!.at);
    expect(Math.max(...opened) - Math.min(...opened)).toBeLessThanOrEqual(1000);
    await wait(12_000);
    const tested = tests('c');
    expect(tested.length).toBeGreaterThanOrEqual(4);
    const gaps = tested.slice(1).map((at, i) => at - tested[i]!);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1950);
    expect((await attempts('c')) - before - tested.length).toBeLessThanOrEqual(10);
  });

  it('D2 under adaptive() at most 6 attempts in 40 s', async () => {
    await fleetOf(8, { strategy: 'adaptive', everyMs: 250, openMs: 4000 });
    await wait(15_000);
    const before = await attempts('c');
    tell({ dead: ['c'] });
    await wait(40_000);
    expect((await attempts('c')) - before - tests('c').length).toBeLessThanOrEqual(6);
    expect((await attempts('c')) - before).toBeGreaterThan(0);
  });

  it('D3 exactly one test in each open period, over 30 periods', async () => {
    const openMs = 1000;
    await fleetOf(8, { openMs });
    tell({ dead: ['c'] });
    await expect.poll(() => openIn('c')).toBe(8);
    await expect.poll(() => tests('c').length, { timeout: 90_000 }).toBeGreaterThan(30);
    const tested = tests('c');
    const gaps = tested.slice(1).map((at, i) => at - tested[i]!);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(openMs - 50);
    // What each found is what all went by.
    expect(workers.flatMap(({ transitions }) => transitions.map(({ to }) => to))).not.toContain(
      'closed',
    );
  });

  it('D5 the holder is killed in mid-test: the next test begins when its lease has ended', async () => {
    await fleetOf(4);
    tell({ dead: ['c'] });
    await expect.poll(() => openIn('c')).toBe(4);
    tell({ held: 'c' });
    await expect.poll(() => tests('c').length).toBe(1);
    const holder = workers.find((worker) => worker.tests.length > 0)!;
    const endsAt = Number(/\n(\d+)\n/.exec(await lease('c'))![1]);
    await holder.kill();
    const others = workers.filter((worker) => worker !== holder);
    await expect.poll(() => others.some((worker) => worker.tests.length > 0)).toBe(true);
    const [first, second] = [
      holder.tests[0]!.at,
      tests('c').find((at) => at > holder.tests[0]!.at)!,
    ];
    // Both are clocks of this machine.
    expect(second).toBeGreaterThanOrEqual(endsAt - 50);
    expect(second - first).toBeGreaterThanOrEqual(1800);
    expect(second - first).toBeLessThanOrEqual(3000);
  });

  it('D9 D10 one whose network is dead opens nothing elsewhere', async () => {
    const ids = Array.from({ length: 40 }, (_, i) => `p${i}`);
    await fleetOf(8, { ids, everyMs: 50 });
    await wait(3000);
    const [sick, ...others] = workers;
    sick!.tell({ sick: true });
    await expect.poll(() => sick!.events.includes('suspect')).toBe(true);
    await wait(30_000);
    for (const worker of others) {
      expect(worker.transitions).toEqual([]);
      expect((await worker.counts()).refused).toBe(0);
    }
    sick!.tell({ sick: false });
    await expect.poll(() => sick!.events.includes('cleared')).toBe(true);
    await expect.poll(() => ids.filter((id) => sick!.isOpen(id)).length, { timeout: 2000 }).toBe(0);
    await wait(5000);
    expect(sick!.events).toEqual(['joined', 'suspect', 'cleared']);
    expect(others.flatMap(({ transitions }) => transitions)).toEqual([]);
  });

  it('D10 its circuits close within 2 s also where its own tests are a minute away', async () => {
    const ids = Array.from({ length: 40 }, (_, i) => `p${i}`);
    await fleetOf(3, { ids, everyMs: 40, openMs: 60_000 });
    await wait(3000);
    const [sick] = workers;
    sick!.tell({ sick: true });
    const open = () => ids.filter((id) => sick!.isOpen(id)).length;
    await expect.poll(open, { interval: 5 }).toBeGreaterThan(0);
    sick!.tell({ sick: false });
    expect(sick!.events).toContain('suspect');
    await expect.poll(() => sick!.events.includes('cleared'), { interval: 20 }).toBe(true);
    await expect.poll(open, { timeout: 2000 }).toBe(0);
    expect(sick!.tests).toEqual([]);
  });

  it('D22 clocks ten minutes ahead and an hour behind change nothing', async () => {
    await fleetOf(3);
    const port = server.port;
    workers.push(...startWorkers(1, { port, name: 'ahead', skewMs: 600_000, seed: 50 }));
    workers.push(...startWorkers(1, { port, name: 'behind', skewMs: -3_600_000, seed: 51 }));
    await expect
      .poll(() => workers.every(({ events }) => events.includes('joined')), starting)
      .toBe(true);
    await wait(1000);
    tell({ dead: ['c'] });
    await expect.poll(() => openIn('c')).toBe(5);
    const opened = workers.map((worker) => worker.circuits.get('c')!.at);
    expect(Math.max(...opened) - Math.min(...opened)).toBeLessThanOrEqual(1000);
    await wait(7000);
    const tested = tests('c');
    expect(tested.length).toBeGreaterThanOrEqual(2);
    const gaps = tested.slice(1).map((at, i) => at - tested[i]!);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1950);
  });
});

describe('the server is away', () => {
  it('D14 paused for 6 s: one degraded and one recovered event, no request is refused', async () => {
    await fleetOf(4);
    server.pause();
    await wait(6000);
    server.resume();
    await expect.poll(() => workers.every(({ events }) => events.includes('recovered'))).toBe(true);
    await wait(1000);
    for (const worker of workers) {
      expect(worker.events).toEqual(['joined', 'degraded', 'recovered']);
      const { refused, requests } = await worker.counts();
      expect(refused).toBe(0);
      expect(requests).toBeGreaterThan(40);
    }
  });

  it('D15 killed and started empty: open circuits are there again, a newcomer knows them', async () => {
    await fleetOf(4, { openMs: 20_000 });
    tell({ dead: ['c'] });
    await expect.poll(() => openIn('c')).toBe(4);
    await server.kill();
    await expect.poll(() => workers.every(({ events }) => events.includes('degraded'))).toBe(true);
    await server.restart();
    await expect.poll(() => workers.every(({ events }) => events.includes('recovered'))).toBe(true);
    await wait(500);
    const [newcomer] = startWorkers(1, { port: server.port, name: 'newcomer', seed: 60 });
    workers.push(newcomer!);
    newcomer!.tell({ dead: ['c'] });
    await expect.poll(() => newcomer!.isOpen('c')).toBe(true);
    expect(newcomer!.circuits.get('c')!.reason).toBe('fleet');
  });

  it('D15 FLUSHALL: the same, and no process is degraded', async () => {
    await fleetOf(4, { openMs: 20_000 });
    tell({ dead: ['c'] });
    await expect.poll(() => openIn('c')).toBe(4);
    await server.command('FLUSHALL');
    await wait(700);
    const [newcomer] = startWorkers(1, { port: server.port, name: 'newcomer', seed: 60 });
    workers.push(newcomer!);
    await expect.poll(() => newcomer!.isOpen('c')).toBe(true);
    expect(workers.flatMap(({ events }) => events)).not.toContain('degraded');
  });

  it('D16 a proxy dies meanwhile: each opens and tests by itself, afterwards they agree', async () => {
    await fleetOf(3, { everyMs: 30 });
    server.pause();
    await expect.poll(() => workers.every(({ events }) => events.includes('degraded'))).toBe(true);
    tell({ dead: ['c'] });
    await expect.poll(() => openIn('c')).toBe(3);
    expect(workers.every((each) => each.circuits.get('c')?.reason === 'failures')).toBe(true);
    await expect.poll(() => workers.every((each) => each.tests.length > 0)).toBe(true);
    for (const { circuits, transitions, tests: made } of workers) {
      expect(circuits.has('c')).toBe(true);
      const openedAt = transitions.find(({ id, to }) => id === 'c' && to === 'open')!.at;
      // Its deadline, twice the grace, and its turn among ten.
      expect(made[0]!.at - openedAt).toBeGreaterThanOrEqual(1950);
      expect(made[0]!.at - openedAt).toBeLessThanOrEqual(2000 + 2 * 1000 + 1000);
    }
    server.resume();
    await expect.poll(() => workers.every(({ events }) => events.includes('recovered'))).toBe(true);
    await wait(4000);
    const from = tests('c').length;
    await wait(6000);
    const more = tests('c').length - from;
    expect(more).toBeGreaterThanOrEqual(2);
    expect(more).toBeLessThanOrEqual(4);
  });

  it('D18 a failover to an older copy: what has opened since stays open, and all go on agreeing', async () => {
    await fleetOf(4, { openMs: 4000 });
    tell({ dead: ['c'] });
    await expect.poll(() => openIn('c')).toBe(4);
    expect(await server.command('SAVE')).toBe('+OK\r\n');
    const epoch = await server.command('GET', 'whirl:{real}:v1:epoch');
    tell({ dead: ['c', 'd'] });
    await expect.poll(() => openIn('d')).toBe(4);
    await wait(5000);
    const lasting = (await server.command('XLEN', 'whirl:{real}:v1:log')).slice(1);
    await server.kill();
    await server.restart();
    // It is the copy: the same fleet, and less of its log.
    expect(await server.command('GET', 'whirl:{real}:v1:epoch')).toBe(epoch);
    const copied = (await server.command('XLEN', 'whirl:{real}:v1:log')).slice(1);
    expect(Number(copied)).toBeLessThan(Number(lasting));
    tell({ dead: ['c', 'd', 'e'] });
    await expect.poll(() => openIn('e')).toBe(4);
    const opened = workers.map((worker) => worker.circuits.get('e')!.at);
    expect(Math.max(...opened) - Math.min(...opened)).toBeLessThanOrEqual(1000);
    const from = tests('d').length;
    await wait(12_000);
    // The leases are the copy's: at worst one test more.
    expect(tests('d').length - from).toBeGreaterThanOrEqual(2);
    expect(tests('d').length - from).toBeLessThanOrEqual(4);
    expect([openIn('c'), openIn('d'), openIn('e')]).toEqual([4, 4, 4]);
    for (const worker of workers) expect((await worker.counts()).refused).toBe(0);
    tell({ dead: [] });
    await expect.poll(() => openIn('c') + openIn('d') + openIn('e')).toBe(0);
  });

  it.each([
    ['OOM', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0']],
    ['READONLY', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']],
  ])('D19 %s: local decisions, recovery by itself', async (code, before, after) => {
    await fleetOf(2);
    await server.command(...before);
    await expect.poll(() => workers.every(({ events }) => events.includes('degraded'))).toBe(true);
    await server.command(...after);
    await expect.poll(() => workers.every(({ events }) => events.includes('recovered'))).toBe(true);
    for (const worker of workers) {
      expect(worker.reasons).toEqual([code]);
      expect((await worker.counts()).refused).toBe(0);
    }
  });
});

describe('leaving', () => {
  it('D36 a process that closes exits at once, and leaves no lease', async () => {
    await fleetOf(2);
    const [first] = workers;
    first!.tell({ leave: true });
    await expect.poll(() => first!.child.exitCode, { timeout: 3000 }).toBe(0);
    expect(await server.command('ZCARD', 'whirl:{real}:v1:live')).toBe(':1\r\n');
  });

  it('D36 the lease of one that closes in mid-test is free: another process tests at once', async () => {
    await fleetOf(3, { leaseMs: 120_000 });
    tell({ dead: ['c'] });
    await expect.poll(() => openIn('c')).toBe(3);
    tell({ held: 'c' });
    await expect.poll(() => tests('c').length).toBe(1);
    const holder = workers.find((worker) => worker.tests.length > 0)!;
    expect(await lease('c')).toContain(`\n${holder.name}\r\n`);
    holder.tell({ leave: true });
    await expect.poll(() => holder.child.exitCode, { timeout: 3000 }).toBe(0);
    await expect.poll(() => tests('c').length).toBe(2);
    expect(await lease('c')).not.toContain(`\n${holder.name}\r\n`);
  });
});
