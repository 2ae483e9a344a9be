import { ClosedError, ProxyRotator } from '@whirl/rotator';
import { roundRobin } from '@whirl/selector';
import { startProxy, startTarget } from '@whirl/testkit';
import { expect, it } from 'vitest';
import { joinFleet, memoryStore, type FleetStore } from './index.ts';

/** So many rotators with the same three proxies, in one fleet. */
async function fleetOf(count: number, store: FleetStore) {
  const target = await startTarget({});
  const proxies = await Promise.all(
    ['ok', 'ok', 'ok'].map(() => startProxy({ behaviour: { kind: 'ok' } })),
  );
  const members = Array.from({ length: count }, (_, i) => {
    const rotator = new ProxyRotator({
      proxies: proxies.map(({ url }, at) => ({ url, id: `p${at}` })),
      strategy: roundRobin(),
      circuitBreaker: { openMs: 60_000 },
    });
    const fleet = joinFleet({ rotator, store, pool: 'test', processId: `m${i}`, intervalMs: 50 });
    return { rotator, fleet };
  });
  const end = async () => {
    for (const { fleet, rotator } of members) {
      await fleet.close();
      await rotator.destroy();
    }
    for (const each of [...proxies, target]) await each.close();
  };
  return { target, proxies, members, end };
}

it('D1 rotators of one fleet open the circuit of a dead proxy together, and no request fails', async () => {
  const { target, proxies, members, end } = await fleetOf(3, memoryStore());
  await expect.poll(() => members.every(({ fleet }) => fleet.processes().length === 3)).toBe(true);
  await proxies[1]!.close();
  const states = () => members.map(({ rotator }) => rotator.circuitBreakerState('p1')?.state);
  let failures = 0;
  for (const { rotator } of members) {
    rotator.bus.on('attempt:end', ({ outcome }) => (failures += Number(outcome !== 'success')));
  }
  for (let round = 0; round < 200 && states().includes('closed'); round++) {
    for (const { rotator } of members) {
      const { statusCode, body } = await rotator.get(target.url);
      await body.dump();
      expect(statusCode).toBe(200);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(states()).toEqual(['open', 'open', 'open']);
  expect(failures).toBeLessThanOrEqual(12);
  await end();
});

it('D21 with a store that never responds requests are as they are without', async () => {
  const hanging: FleetStore = { sync: () => new Promise(() => {}), close() {} };
  const { target, members, end } = await fleetOf(1, hanging);
  const [{ rotator, fleet }] = members as [(typeof members)[0]];
  await Promise.all(
    Array.from({ length: 100 }, async () => {
      const { statusCode, body } = await rotator.get(target.url);
      await body.dump();
      expect(statusCode).toBe(200);
    }),
  );
  expect(fleet.state).not.toBe('joined');
  await end();
});

it('D36 the fleet is left when its rotator ends', async () => {
  const store = memoryStore();
  const { members, end } = await fleetOf(2, store);
  await expect.poll(() => members.every(({ fleet }) => fleet.processes().length === 2)).toBe(true);
  await members[0]!.rotator.close();
  await expect
    .poll(() => members[1]!.fleet.processes().map(({ process }) => process))
    .toEqual(['m1']);
  await end();
});

it('one rotator is in one fleet: it would be two witnesses of its own failures', async () => {
  const rotator = new ProxyRotator({ proxies: ['http://127.0.0.1:9'] });
  const store = memoryStore();
  const first = joinFleet({ rotator, store, pool: 'one' });
  for (const pool of ['one', 'two']) {
    expect(() => joinFleet({ rotator, store, pool })).toThrow(
      'rotator must be in one fleet; close() the other',
    );
  }
  await first.close();
  const second = joinFleet({ rotator, store, pool: 'two' });
  await expect.poll(() => second.processes().length).toBe(1);
  await rotator.close();
  expect(() => joinFleet({ rotator, store, pool: 'two' })).toThrow(ClosedError);
  const third = joinFleet({ rotator: new ProxyRotator(), store, pool: 'two' });
  await expect.poll(() => third.processes().length).toBe(1);
  await third.close();
});

it('a fleet that is closed again lets no third one in beside the second', async () => {
  const rotator = new ProxyRotator({ proxies: ['http://127.0.0.1:9'] });
  const store = memoryStore();
  const first = joinFleet({ rotator, store, pool: 'one' });
  await first.close();
  const second = joinFleet({ rotator, store, pool: 'one' });
  await first.close();
  expect(() => joinFleet({ rotator, store, pool: 'one' })).toThrow('rotator must be in one fleet');
  await second.close();
  await joinFleet({ rotator, store, pool: 'one' }).close();
  await rotator.close();
});
