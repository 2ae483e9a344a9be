import { joinFleet, memoryStore } from '@whirl/fleet';
import { ProxyRotator } from '@whirl/rotator';
import { startTarget } from '@whirl/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { startFixture } from '../testing/fixture.ts';

const pool = 'shop';
const proxies = ['http://127.0.0.1:9', 'http://127.0.0.1:10'];

/** A rotator in a fleet, on loopback proxies at which nothing listens. */
function join(store: ReturnType<typeof memoryStore>, process: string) {
  const rotator = new ProxyRotator({ proxies, retryPolicy: null });
  const fleet = joinFleet({
    rotator,
    pool,
    store,
    processId: process,
    witness: 'host',
    intervalMs: 50,
  });
  onTestFinished(async () => {
    await fleet.close();
    await rotator.destroy();
  });
  return { rotator, joined: { pool, process, fleet } };
}

it('a server that is alone shows that', async () => {
  const { send } = await startFixture();
  expect((await send('GET', '/api/v1/fleet')).json()).toEqual({ fleet: null });
});

it('shows the processes, and what each of them reports of a proxy', async () => {
  const target = await startTarget();
  onTestFinished(() => target.close());
  const store = memoryStore();
  const mine = join(store, 'mine');
  const other = join(store, 'other');
  const { send } = await startFixture({ fleet: mine.joined });
  await expect
    .poll(() => mine.joined.fleet.processes().map(({ process }) => process))
    .toEqual(expect.arrayContaining(['mine', 'other']));
  for (let i = 0; i < 3; i++) {
    await other.rotator.get(target.url, { proxyId: '127.0.0.1:9' }).catch(() => {});
  }
  await expect.poll(() => mine.joined.fleet.reports('127.0.0.1:9')[0]?.failuresInARow).toBe(3);
  const seen = await send('GET', '/api/v1/fleet?proxy_id=127.0.0.1:9');
  expect(seen.json()).toEqual({
    fleet: {
      pool,
      process: 'mine',
      state: 'joined',
      processes: expect.arrayContaining([
        { process: 'mine', witness: 'host', state: 'joined', silent_since: null },
        { process: 'other', witness: 'host', state: 'joined', silent_since: null },
      ]) as unknown,
      reports: [
        {
          process: 'other',
          witness: 'host',
          failures_in_a_row: 3,
          failed_at: expect.any(String) as unknown,
          worked_at: null,
          open_until: null,
        },
      ],
    },
  });
  const without = await send('GET', '/api/v1/fleet');
  expect(without.json()).toMatchObject({ fleet: { reports: [] } });
  expect((await send('GET', '/api/v1/fleet?proxy_id=')).statusCode).toBe(400);
});

it('the page for Prometheus has the series of the fleet, and none where the server is alone', async () => {
  const { joined } = join(memoryStore(), 'mine');
  const together = await startFixture({ fleet: joined });
  await expect.poll(() => joined.fleet.state).toBe('joined');
  const page = (await together.send('GET', '/metrics')).body;
  expect(page).toContain('\nwhirl_fleet_processes 1\n');
  expect(page).toContain('\nwhirl_fleet_state{state="joined"} 1\n');
  expect(page.match(/^# TYPE (\S+) /gm)).toHaveLength(new Set(page.match(/^# TYPE (\S+) /gm)).size);
  const alone = await startFixture();
  expect((await alone.send('GET', '/metrics')).body).not.toContain('whirl_fleet');
});
