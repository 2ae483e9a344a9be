import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ProxyRotator, type PoolEntry } from '../../src/index.ts';
import { errorOf, rig } from '../support/pool-rig.ts';

const ids = ['a', 'b', 'c', 'd'];

describe('A16 the circuits of a pool, counted', () => {
  it('A16 the counts are those of a look at every circuit, whatever happens to the pool', async () => {
    const clock = { now: 1_700_000_000_000 };
    const command = fc.record({
      kind: fc.constantFrom('add', 'remove', 'force', 'reset', 'renew', 'bare', 'all'),
      id: fc.constantFrom(...ids),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 30 }), async (commands) => {
        const rotator = new ProxyRotator({ now: () => clock.now });
        const put = (entry: PoolEntry) => rotator.setProxies([entry], { owned: new Set<string>() });
        for (const { kind, id } of commands) {
          const url = `http://${id}:1`;
          if (kind === 'add') put({ id, url });
          else if (kind === 'remove') rotator.removeProxy(id);
          else if (kind === 'force') rotator.forceOpenCircuitBreaker(id);
          else if (kind === 'reset') rotator.resetCircuitBreaker(id);
          else if (kind === 'renew') put({ id, url, circuitBreaker: { openMs: 7000 } });
          else if (kind === 'bare') put({ id, url, circuitBreaker: false });
          else rotator.setProxies([{ id, url }]);
          const walked = { closed: 0, open: 0, half_open: 0, forced_open: 0, disabled: 0 };
          for (const each of rotator.proxyIds()) {
            walked[rotator.circuitBreakerState(each)?.state ?? 'closed']++;
          }
          expect(rotator.circuitCounts()).toEqual(walked);
          expect(rotator.isAvailable).toBe(walked.closed > 0);
        }
        await rotator.destroy();
      }),
    );
  });

  it('A16 a circuit counts as open until it is tested, and is available when that is due', async () => {
    const clock = { now: 1_700_000_000_000 };
    const { rotator, target, proxies } = await rig([{ kind: 'refuse' }], {
      proxies: [],
      retryPolicy: null,
      now: () => clock.now,
      circuitBreaker: { failureThreshold: 1, openMs: 5000 },
    });
    rotator.addProxy({ id: 'a', url: proxies[0]?.url ?? '' });
    await errorOf(rotator.get(target.url));
    expect(rotator.circuitCounts()).toMatchObject({ closed: 0, open: 1 });
    expect(rotator.isAvailable).toBe(false);
    clock.now += 5000;
    expect(rotator.isAvailable).toBe(true);
    expect(rotator.circuitCounts()).toMatchObject({ open: 1, half_open: 0 });
    await errorOf(rotator.get(target.url));
    expect(rotator.isAvailable).toBe(false);
  });

  it('A16 an empty pool is not available', () => {
    const rotator = new ProxyRotator();
    onTestFinished(() => rotator.destroy());
    expect(rotator.isAvailable).toBe(false);
    expect(rotator.circuitCounts().closed).toBe(0);
  });
});
