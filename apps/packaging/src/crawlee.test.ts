import { banTarget, ProxyRotator, type RotatorOptions } from '@whirl/rotator';
import { costAware, roundRobin, Selector, sticky, type Strategy } from '@whirl/selector';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { installed } from './packed.ts';

/** As much of crawlee as the rows use: the workspace does not depend on its hundred packages. */
interface Crawlee {
  ProxyConfiguration: new (options: object) => {
    newUrl(sessionId?: string, options?: { request: object }): Promise<string>;
  };
  SessionPool: { open(options: object, config: object): Promise<SessionPool> };
  BasicCrawler: new (options: object, config: object) => { run(urls: string[]): Promise<unknown> };
  SessionError: new (message: string) => Error;
  Configuration: new (options: object) => object;
  log: { setLevel(level: number): void; LEVELS: { OFF: number } };
}
interface SessionPool {
  getSession(): Promise<Session>;
  teardown(): Promise<void>;
}
interface Session {
  readonly id: string;
  isUsable(): boolean;
  retire(): void;
  markBad(): void;
  retireOnBlockedStatusCodes(statusCode: number): boolean;
}

const page = new URL('../../../docs/migrating/crawlee.md', import.meta.url);
const tested: number[] = [];
const row = (number: number, title: string, test: () => Promise<void>) => {
  tested.push(number);
  it(`crawlee row ${number}: ${title}`, test);
};

let folder: string;
let crawlee: Crawlee;
const opened: (() => unknown)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whirl-crawlee-'));
  await installed(folder, ['@crawlee/basic@3.18.1']);
  crawlee = createRequire(join(folder, 'package.json'))('@crawlee/basic') as Crawlee;
  crawlee.log.setLevel(crawlee.log.LEVELS.OFF);
});
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('every row of the page is run side by side', async () => {
  const rows = (await readFile(page, 'utf8')).matchAll(/^\| +(\d+) +\|/gm);
  expect(tested).toEqual(Array.from(rows, ([, number]) => Number(number)));
});

const target = 'http://shop.example/';
const urls = ['a', 'b', 'c'].map((name) => `http://${name}.example:8080`);

/** One that keeps nothing on disk, and no request of another crawl. */
const config = () => new crawlee.Configuration({ persistStorage: false });

async function sessionPool(): Promise<SessionPool> {
  const pool = await crawlee.SessionPool.open({ persistenceOptions: { enable: false } }, config());
  opened.push(() => pool.teardown());
  return pool;
}

/** A selector whose candidates are these proxies. */
function selectorOf(strategy: Strategy, proxies: readonly { id: string; cost?: number }[]) {
  const selector = new Selector({ strategy });
  for (const each of proxies) selector.add(each);
  return selector;
}
const proxies = urls.map((id) => ({ id }));

/** Proxies on loopback that answer for the target with these statuses, and a rotator over them. */
async function rotatorOver(options: RotatorOptions, ...answers: (() => [number, object?])[]) {
  const seen: number[] = [];
  const servers = answers.map((answer, i) =>
    createServer((_, response) => {
      seen.push(i);
      const [status, headers = {}] = answer();
      response.writeHead(status, headers as Record<string, string>).end();
    }),
  );
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    opened.push(() => new Promise((resolve) => server.close(resolve)));
  }
  const rotator = new ProxyRotator({
    proxies: servers.map((server: Server) => {
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    }),
    strategy: roundRobin(),
    ...options,
  });
  opened.push(() => rotator.destroy());
  const status = async (url = target) => {
    const { statusCode, body } = await rotator.get(url);
    await body.dump();
    return statusCode;
  };
  return { seen, status };
}

/** The picks, from the first proxy on: a process of whirl begins with any. */
const turned = (picks: readonly (string | undefined)[]) => {
  const from = picks.indexOf(urls[0]);
  return [...picks.slice(from), ...picks.slice(0, from)];
};

row(1, 'proxyUrls is roundRobin()', async () => {
  const theirs = new crawlee.ProxyConfiguration({ proxyUrls: urls });
  const ours = selectorOf(roundRobin(), proxies);
  const picks = { theirs: [] as string[], ours: [] as (string | undefined)[] };
  for (let i = 0; i < 9; i++) {
    picks.theirs.push(await theirs.newUrl());
    picks.ours.push(ours.select()?.id);
  }
  expect(turned(picks.ours)).toEqual(picks.theirs);
});

row(2, 'newUrl(sessionId) is sticky()', async () => {
  const theirs = new crawlee.ProxyConfiguration({ proxyUrls: urls });
  const ours = selectorOf(sticky(roundRobin()), proxies);
  const sessions = ['s1', 's2', 's3', 's4', 's5', 's6'];
  const round = async () => ({
    theirs: await Promise.all(sessions.map((session) => theirs.newUrl(session))),
    ours: sessions.map((sessionId) => ours.select({ sessionId })?.id),
  });
  const first = await round();
  expect(turned(first.ours)).toEqual(first.theirs);
  for (let i = 0; i < 3; i++) {
    await theirs.newUrl();
    ours.select();
    expect(await round()).toEqual(first);
  }
});

row(3, 'tieredProxyUrls is costAware()', async () => {
  const [cheap, dear] = ['http://cheap.example:1', 'http://dear.example:1'] as const;
  const theirs = new crawlee.ProxyConfiguration({ tieredProxyUrls: [[cheap], [dear]] });
  const costs = [
    { id: cheap, cost: 1 },
    { id: dear, cost: 5 },
  ];
  const ours = selectorOf(costAware(roundRobin()), costs);
  // A request that comes again has failed where it was.
  const request = { url: target, userData: {} };
  const outcome = (id: string, result: 'success' | 'failure') =>
    ours.record({ id, outcome: result, latencyMs: 100 });
  for (let i = 0; i < 10; i++) outcome(dear, 'success');
  expect([await theirs.newUrl('s', { request }), ours.select()?.id]).toEqual([cheap, cheap]);
  for (let i = 0; i < 10; i++) outcome(cheap, 'failure');
  expect([await theirs.newUrl('s', { request }), ours.select()?.id]).toEqual([dear, dear]);
});

row(4, 'newUrlFunction is a strategy', async () => {
  const wanted = (sessionId: string | undefined) => urls[sessionId === 'vip' ? 2 : 0]!;
  const theirs = new crawlee.ProxyConfiguration({ newUrlFunction: wanted });
  const strategy: Strategy = {
    name: 'mine',
    pick(among, { sessionId }) {
      for (let i = 0; i < among.size; i++) {
        if (among.id(among.at(i)) === wanted(sessionId)) return among.at(i);
      }
      return -1;
    },
  };
  const ours = selectorOf(strategy, proxies);
  for (const sessionId of ['vip', 'other', 'vip']) {
    const theirUrl = await theirs.newUrl(sessionId);
    expect([theirUrl, ours.select({ sessionId })?.id]).toEqual([wanted(sessionId), theirUrl]);
  }
});

const banned: RotatorOptions['banRules'] = [
  {
    name: 'blocked',
    judge: ({ statusCode }) =>
      statusCode === 401 || statusCode === 403 ? banTarget(600_000) : undefined,
  },
];

row(5, 'session.retire() and markBad() are ban rules', async () => {
  const pool = await sessionPool();
  const theirs = new crawlee.ProxyConfiguration({ proxyUrls: urls });
  const session = await pool.getSession();
  const before = await theirs.newUrl(session.id);
  session.retire();
  const next = await pool.getSession();
  expect([session.isUsable(), next.id === session.id]).toEqual([false, false]);
  expect(await theirs.newUrl(next.id)).not.toBe(before);
  // Three marks are a retirement.
  for (let i = 0; i < 3; i++) next.markBad();
  expect(next.isUsable()).toBe(false);

  const { seen, status } = await rotatorOver(
    { banRules: banned },
    () => [403],
    () => [200],
  );
  for (let i = 0; i < 4; i++) expect(await status()).toBe(200);
  expect(seen.filter((proxy) => proxy === 0).length).toBeLessThanOrEqual(1);
  // Another site still uses it.
  const others = [await status('http://other.example/'), await status('http://other.example/')];
  expect(others).toEqual([200, 200]);
  expect(seen.slice(-3)).toContain(0);
});

row(
  6,
  'blockedStatusCodes: 401 and 403 by a ban rule, 429 among the codes that are retried',
  async () => {
    const pool = await sessionPool();
    for (const blocked of [401, 403, 429]) {
      expect((await pool.getSession()).retireOnBlockedStatusCodes(blocked)).toBe(true);
      const { seen, status } = await rotatorOver(
        { banRules: banned, retryPolicy: { retryStatusCodes: [429, 502, 503, 504] } },
        () => [blocked, { 'retry-after': '0' }],
        () => [200],
      );
      expect([await status(), await status(), await status()]).toEqual([200, 200, 200]);
      expect(seen).toContain(1);
    }
    expect((await pool.getSession()).retireOnBlockedStatusCodes(404)).toBe(false);
    const { seen, status } = await rotatorOver({ banRules: banned }, () => [404]);
    expect([await status(), seen]).toEqual([404, [0]]);
  },
);

/** How often a crawler tries one request. */
async function tries(options: object, error: () => Error): Promise<number> {
  let count = 0;
  const requestHandler = () => {
    count++;
    throw error();
  };
  await new crawlee.BasicCrawler({ ...options, requestHandler }, config()).run([target]);
  return count;
}

row(7, 'maxRequestRetries is maxAttempts - 1', async () => {
  expect(await tries({ maxRequestRetries: 3 }, () => new Error('down'))).toBe(4);
  const { seen, status } = await rotatorOver(
    { retryPolicy: { maxAttempts: 4, backoffStrategy: 'fixed', baseDelayMs: 100 } },
    ...urls.map(() => () => [503] as [number]),
  );
  expect([await status(), seen.length]).toEqual([503, 4]);
});

row(8, 'maxSessionRotations and retries are one budget here, and two there', async () => {
  const blocked = () => new crawlee.SessionError('blocked');
  expect(await tries({ maxRequestRetries: 0, maxSessionRotations: 3 }, blocked)).toBe(4);
  expect(await tries({ maxRequestRetries: 5, maxSessionRotations: 3 }, blocked)).toBe(4);
  const { seen, status } = await rotatorOver(
    { banRules: banned, retryPolicy: { maxAttempts: 4, failoverDelay: 'none' } },
    ...Array.from({ length: 6 }, () => () => [403] as [number]),
  );
  expect([await status(), seen.length, new Set(seen).size]).toEqual([403, 4, 4]);
});
