import { banProxy, banTarget, ProxyRotator, type BanRule } from '@whirl/rotator';
import { consistent, roundRobin } from '@whirl/selector';
import { startProxy, startTarget } from '@whirl/testkit';
import { createHash } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { joinFleet, type Fleet, type FleetStore } from '../src/index.ts';
import { redisStore } from '../src/redis.ts';
import { clients } from './clients.ts';
import { RedisServer } from './redis-server.ts';

const ends: (() => unknown)[] = [];
const later = (end: () => unknown) => ends.push(end);
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const password = 'hunter2-of-ann';
const credentials = { username: 'ann', password };
const byStatus: Readonly<Record<number, ReturnType<BanRule['judge']>>> = {
  402: banProxy(60_000),
  451: banTarget(60_000),
};
const banRule: BanRule = { name: 'by status', judge: ({ statusCode }) => byStatus[statusCode] };

/**
 * Two rotators whose proxies do everything that is told: fail, ban, refuse credentials, move sessions, work. Returns
 * once the store knows of all of it.
 */
async function run(server: RedisServer, storeOf: (store: FleetStore) => FleetStore) {
  const target = await startTarget();
  later(() => target.close());
  const proxies = await Promise.all(Array.from({ length: 6 }, () => startProxy(credentials)));
  for (const proxy of proxies) later(() => proxy.close());
  const members: { rotator: ProxyRotator; fleet: Fleet }[] = [];
  for (const processId of ['one', 'two']) {
    const { commands, end } = await clients['ioredis']!(server.port);
    later(end);
    const rotator = new ProxyRotator({
      proxies: proxies.map(({ url }) => url),
      strategy: consistent(roundRobin()),
      banRules: [banRule],
      retryPolicy: { failoverDelay: 'none' },
    });
    later(() => rotator.close());
    const fleet = joinFleet({
      rotator,
      pool: 'kept',
      store: storeOf(redisStore(commands)),
      processId,
      deadlineMs: 1000,
      evidenceIntervalMs: 1000,
    });
    members.push({ rotator, fleet });
  }
  await expect.poll(() => members.every(({ fleet }) => fleet.processes().length === 2)).toBe(true);
  const [unauthorized, dead, banned, barred] = proxies;
  await unauthorized!.behave({ kind: 'status', statusCode: 407 });
  await dead!.behave({ kind: 'reset' });
  await banned!.behave({ kind: 'status', statusCode: 402 });
  await barred!.behave({ kind: 'status', statusCode: 451 });
  const circuitOf = (id: string) =>
    members.map(({ rotator }) => rotator.circuitBreakerState(id)?.state ?? 'closed');
  let sessions = 0;
  await expect
    .poll(async () => {
      for (const { rotator } of members) {
        const { body } = await rotator.get(target.url, { sessionId: `session-${sessions++}` });
        await body.dump();
      }
      const told = [unauthorized!, dead!, banned!].map(({ id }) => circuitOf(id));
      const keys = (await server.keys()).join(' ');
      return told.flat().every((state) => state === 'open') && /:log.*:ev:|:ev:.*:log/.test(keys);
    })
    .toBe(true);
  return { proxies, members };
}

it('D24 no password is in any key or value of the server, nor a plain hash of one', async () => {
  const server = await RedisServer.start('--rdbcompression', 'no');
  later(() => server.stop());
  const { proxies } = await run(server, (store) => store);
  const kept = await server.saved();
  // What is kept is in the file as it is.
  for (const { id } of proxies) expect(kept.includes(id), id).toBe(true);
  const plain = [password, `ann:${password}`, ...proxies.map(({ url }) => url)];
  const digests = plain.flatMap((text) =>
    ['md5', 'sha1', 'sha256', 'sha512'].map((hash) => createHash(hash).update(text).digest()),
  );
  const secrets = [...plain.map((text) => Buffer.from(text)), ...digests].flatMap((bytes) => [
    bytes,
    ...(['hex', 'base64', 'base64url'] as const).map((form) => Buffer.from(bytes.toString(form))),
  ]);
  const found = (all: Buffer) => secrets.filter((secret) => all.includes(secret));
  expect(found(kept)).toEqual([]);
  await server.command('SET', 'leak', createHash('sha1').update(password).digest('hex'));
  expect(found(await server.saved())).toHaveLength(1);
});

it('D35 a fleet that stopped leaves nothing after keyTtlMs', async () => {
  const server = await RedisServer.start();
  later(() => server.stop());
  const keyTtlMs = 2000;
  const { members } = await run(server, (store) => ({
    sync: (ask) => store.sync({ ...ask, keyTtlMs }),
    close: () => store.close(),
  }));
  const names = await server.keys();
  expect(names.map((name) => name.replace(/:ev:\d+$/, ':ev')).sort()).toEqual(
    expect.arrayContaining(
      [
        ...['epoch', 'ev', 'hold', 'live', 'log', 'mark'].map((name) => `v1:${name}`),
        'versions',
      ].map((name) => `whirl:{kept}:${name}`),
    ),
  );
  for (const { fleet } of members) await fleet.close();
  const closedAt = Date.now();
  await expect.poll(() => server.keys()).toEqual([]);
  expect(Date.now() - closedAt).toBeGreaterThanOrEqual(keyTtlMs - 1000);
});
