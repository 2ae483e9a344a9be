import { createVirtualClock } from '@whirl/testkit';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SimulatedPool } from '../testing/simulated-pool.ts';
import { startWarm, warmStart, type WarmStart, type WarmStartOptions } from './warm-start.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warm-start-'));
  path = join(folder, 'pool.json');
});
afterEach(async () => {
  for (const warm of started.splice(0)) await warm.close();
  await rm(folder, { recursive: true });
});

const hourMs = 3_600_000;
const ids = Array.from({ length: 200 }, (_, i) => `user@p${i}:80`);
const clock = createVirtualClock(1_800_000_000_000);

const started: WarmStart[] = [];

function process(options: Partial<WarmStartOptions> = {}) {
  const pool = new SimulatedPool({
    now: () => clock.now(),
    random: Math.random,
    ids,
    credentials: () => 'hunter2',
  });
  const informed: { id: string; successRate: number; weight: number }[] = [];
  const inform = pool.selector.inform.bind(pool.selector);
  pool.selector.inform = (known) => {
    const list = [...known];
    informed.push(...list);
    inform(list);
  };
  const errors: string[] = [];
  const timers = {
    setTimeout: (call: () => void, ms: number) => clock.setTimeout(call, ms),
    clearTimeout: (timer: unknown) => clock.clearTimeout(timer as number),
  };
  const onError = (error: Error) => void errors.push(error.message);
  const warm = startWarm({ rotator: pool, pool: 'p', path, onError, ...options }, timers);
  started.push(warm);
  return { pool, warm, informed, errors };
}

/** Proxy `i` works in `i` of 200 attempts. */
function use({ selector }: SimulatedPool): void {
  for (const [i, id] of ids.entries()) {
    for (let attempt = 0; attempt < 20; attempt++) {
      const outcome = attempt * 10 < i ? 'success' : 'failure';
      selector.record({ id, outcome, latencyMs: 100 });
    }
  }
}

async function remembered(): Promise<void> {
  const { pool, warm } = process();
  use(pool);
  pool.selector.ban('user@p3:80', clock.now() + hourMs);
  pool.selector.banTarget('user@p4:80', 'http://x.example', clock.now() + hourMs);
  await warm.close();
}

describe('D38 what is kept', () => {
  it('the best proxies, as priors that are worth ten attempts and half of it after an hour', async () => {
    await remembered();
    const { informed, warm } = process();
    expect(warm.known).toBe(70);
    expect(informed).toHaveLength(70);
    expect(Math.min(...informed.map(({ successRate }) => successRate))).toBeGreaterThan(0.6);
    expect(informed[0]!.weight).toBeCloseTo(10, 1);
    await warm.close();
    clock.advance(hourMs);
    const later = process();
    expect(later.informed[0]!.weight).toBeCloseTo(5, 1);
    await later.warm.close();
  });

  it('bans with their end, those of single targets too; no circuits', async () => {
    const before = process();
    before.pool.circuits.get('user@p9:80').trip({ openMs: 50_000 });
    await before.warm.close();
    await remembered();
    clock.advance(hourMs / 2);
    const { pool, warm } = process();
    expect([...pool.selector.bans()].map(({ id, target }) => [id, target])).toEqual([
      ['user@p3:80', undefined],
      ['user@p4:80', 'http://x.example'],
    ]);
    expect(pool.circuits.get('user@p9:80').state).toBe('closed');
    await warm.close();
    clock.advance(hourMs);
    const later = process();
    expect([...later.pool.selector.bans()]).toEqual([]);
    await later.warm.close();
  });

  it('what was not tried since is not lost by a restart; what was is replaced', async () => {
    await remembered();
    clock.advance(1000);
    const second = process();
    for (let i = 0; i < 40; i++) {
      second.pool.selector.record({ id: 'user@p199:80', outcome: 'failure', latencyMs: 9 });
    }
    await second.warm.close();
    const third = process();
    const rates = new Map(third.informed.map(({ id, successRate }) => [id, successRate]));
    expect(rates.get('user@p198:80')).toBe(1);
    expect(rates.get('user@p199:80') ?? 0).toBeLessThan(0.4);
    await third.warm.close();
  });

  it('only its owner may read it, and no password is in it', async () => {
    await remembered();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path, 'utf8')).not.toContain('hunter2');
    expect(await readdir(folder)).toEqual(['pool.json']);
  });
});

describe('D38 when it is saved', () => {
  it('every 60 s and in close(), and not afterwards', async () => {
    const { pool, warm } = process();
    const savedAt = async () =>
      (JSON.parse(await readFile(path, 'utf8').catch(() => '{}')) as { savedAt?: number }).savedAt;
    use(pool);
    clock.advance(59_999);
    expect(await savedAt()).toBeUndefined();
    clock.advance(1);
    await expect.poll(savedAt).toBe(clock.now());
    clock.advance(60_000);
    await expect.poll(savedAt).toBe(clock.now());
    clock.advance(5);
    await Promise.all([warm.close(), warm.close()]);
    const last = clock.now();
    expect(await savedAt()).toBe(last);
    clock.advance(120_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await savedAt()).toBe(last);
  });

  it('one that cannot be written is reported once, and fails nothing', async () => {
    const { warm, errors } = process({ path: join(folder, 'missing', 'pool.json') });
    clock.advance(60_000);
    await expect.poll(() => errors).toHaveLength(1);
    clock.advance(60_000);
    await warm.close();
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(/^the file of the warm start could not be written: ENOENT/);
  });
});

describe('D38 a file that is not read', () => {
  it.each([
    '{"kind":"whirl-warm-st',
    '',
    '[]',
    'null',
    '{"kind":"whirl-warm-start","version":1,"pool":"p"}',
  ])('torn: %j is reported once, ignored and replaced', async (content) => {
    await writeFile(path, content);
    const { warm, errors, pool } = process();
    expect(warm.known).toBe(0);
    expect(errors).toEqual([
      'the file of the warm start could not be read: it is torn, or no file of a warm start',
    ]);
    use(pool);
    await warm.close();
    const next = process();
    expect([next.warm.known, next.errors]).toEqual([70, []]);
    await next.warm.close();
  });

  it('rows that make no sense are passed over', async () => {
    const junk = [
      null,
      ['a'],
      [1, 2, 3, 4, 5],
      ['user@p1:80', -1, 0, 0, 0],
      [ids[2], 9, 1, 50, 1e300],
    ];
    const bans = [[ids[3]], ['gone', 9e15], [ids[4], 'soon']];
    const file = { kind: 'whirl-warm-start', version: 1, pool: 'p', savedAt: clock.now() };
    await writeFile(path, JSON.stringify({ ...file, proxies: junk, bans }));
    const { warm, errors, informed } = process();
    expect(errors).toEqual([]);
    expect(informed).toMatchObject([{ id: ids[2], successRate: 0.9, weight: 10 }]);
    await warm.close();
  });

  it('of another pool, of another version, or older than maxAgeMs: silently', async () => {
    await remembered();
    const content = await readFile(path, 'utf8');
    const knownFrom = async (file: string, pool = 'p') => {
      await writeFile(path, file);
      const { warm, errors } = process({ pool });
      await warm.close();
      expect(errors).toEqual([]);
      return warm.known;
    };
    expect(await knownFrom(content, 'another')).toBe(0);
    expect(await knownFrom(content.replace('"version":1', '"version":2'))).toBe(0);
    clock.advance(86_400_000);
    expect(await knownFrom(content)).toBe(70);
    clock.advance(1);
    expect(await knownFrom(content)).toBe(0);
  });
});

it('D38 killed −9 at any moment of a save, the file is a whole one', async () => {
  const file = fileURLToPath(new URL('../testing/saver.ts', import.meta.url));
  const seen = new Set<string>();
  for (let round = 0; round < 6; round++) {
    const saver = fork(file, [path], {
      execArgv: ['--conditions=@whirl/source', '--import', 'tsx'],
    });
    await once(saver, 'message');
    // Some way into one of many saves, another one each time.
    for (let saves = 0; saves <= round; saves++) await once(saver, 'message');
    const gone = once(saver, 'exit');
    saver.kill('SIGKILL');
    await gone;
    const { proxies, savedAt } = JSON.parse(await readFile(path, 'utf8')) as {
      proxies: unknown[];
      savedAt: number;
    };
    expect(proxies).toHaveLength(2050);
    seen.add(String(savedAt));
  }
  expect(seen.size).toBe(6);
  // What the killed ones have left beside it goes with the next start.
  const pool = new SimulatedPool({ now: Date.now, random: Math.random, ids: ['a'] });
  const warm = warmStart({ rotator: pool, pool: 'p', path });
  await expect.poll(() => readdir(folder)).toEqual(['pool.json']);
  await warm.close();
}, 60_000);

it.each([
  [{ path: '' }, 'path must be a string of at least one character, got ""'],
  [{ path: 7 }, 'path must be a string of at least one character, got 7'],
  [{ saveEveryMs: 10 }, 'saveEveryMs must be a number from 1000 to 3600000, got 10'],
  [
    { pool: 'a b' },
    'pool must be a string of 1 to 200 characters without spaces and braces, got "a b"',
  ],
  [{ onError: 1 }, 'onError must be a function, got 1'],
  [{ file: 'x' }, 'unknown option "file"; known are rotator, pool, path'],
])('refuses %j', (options, message) => {
  const given = {
    rotator: new SimulatedPool({ now: Date.now, random: Math.random, ids: [] }),
    pool: 'p',
    path: 'f',
  };
  expect(() => warmStart({ ...given, ...options } as never) as WarmStart).toThrow(message);
});
