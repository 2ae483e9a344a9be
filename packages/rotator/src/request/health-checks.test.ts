import { startExitGateway } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { ProxyRotator } from '../index.ts';
import { errorOf, rig } from '../../test/support/pool-rig.ts';

// The lease is longer than a check takes on any machine: a check that came later would not count.
const circuitBreaker = { failureThreshold: 1, openMs: 20, probeLeaseMs: 10_000 };
const once = { maxAttempts: 1 };

describe('health checks', () => {
  it('F15 an open circuit that no traffic reaches is tested, and closes', async () => {
    const target = await rig([]);
    const { rotator, proxies, told, next } = await rig([{ kind: 'reset' }], {
      circuitBreaker,
      retryPolicy: once,
      healthCheck: { url: target.target.url, intervalMs: 20 },
    });
    await errorOf(rotator.get(target.target.url));
    const before = target.target.requests;
    await proxies[0]?.behave({ kind: 'ok' });
    expect(await next('health:checked')).toMatchObject({
      proxyId: proxies[0]?.id,
      outcome: 'success',
    });
    expect(told('circuit:transition').map(({ to }) => to)).toEqual(['open', 'half_open', 'closed']);
    expect(target.target.requests).toBe(before + 1);
    // Not a caller's request: nothing is counted.
    expect(rotator.getRetryMetrics().getSummary().totalAttempts).toBe(1);
  });

  it('F15 a failed test opens the circuit again; two to one proxy never run at once', async () => {
    const { rotator, target, proxies, told, next } = await rig([{ kind: 'reset' }], {
      circuitBreaker,
      retryPolicy: once,
      healthCheck: { url: 'http://127.0.0.1:9/', intervalMs: 10, timeoutMs: 150, concurrency: 8 },
    });
    await errorOf(rotator.get(target.url));
    // Silent: a test lasts 15 rounds. The lease of the test is longer than that.
    rotator.removeProxy(proxies[0]?.id ?? '');
    rotator.addProxy({
      url: proxies[0]?.url ?? '',
      circuitBreaker: { openMs: 20, probeLeaseMs: 60_000 },
    });
    await errorOf(rotator.get(target.url));
    await proxies[0]?.behave({ kind: 'hang' });
    const before = proxies[0]?.stats.requests ?? 0;
    expect(await next('health:checked')).toMatchObject({ outcome: 'timeout' });
    expect((proxies[0]?.stats.requests ?? 0) - before).toBe(1);
    expect(told('circuit:transition').at(-1)).toMatchObject({ to: 'open', reason: 'probe_failed' });
  });

  it('F19 a test of a proxy that was removed meanwhile ends with the rotator', async () => {
    const { rotator, target, proxies, next } = await rig([{ kind: 'reset' }], {
      circuitBreaker: { ...circuitBreaker, probeLeaseMs: 60_000 },
      retryPolicy: once,
      healthCheck: { url: 'http://127.0.0.1:9/', intervalMs: 10, timeoutMs: 60_000 },
    });
    const [proxy] = proxies;
    await errorOf(rotator.get(target.url));
    await proxy?.behave({ kind: 'hang' });
    await expect.poll(() => proxy?.openSockets()).toBe(1);
    rotator.removeProxy(proxy?.id ?? '');
    const checked = next('health:checked');
    await rotator.close();
    await proxy?.idle();
    expect(await checked).toMatchObject({ outcome: 'aborted' });
  });

  it('F15 a closed circuit is never tested, and the timer keeps no process alive', async () => {
    const timers = () =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const { rotator, target, proxies, told, next } = await rig(
      [{ kind: 'ok' }, { kind: 'reset' }],
      {
        circuitBreaker,
        retryPolicy: once,
        healthCheck: { url: 'http://127.0.0.1:9/', intervalMs: 10 },
      },
    );
    expect(timers()).toBe(before);
    await errorOf(rotator.get(target.url, { proxyId: proxies[1]?.id }));
    await next('health:checked');
    expect(told('health:checked').every(({ proxyId }) => proxyId === proxies[1]?.id)).toBe(true);
    expect(proxies[0]?.stats.connections).toBe(0);
  });

  it('V6 a group that no traffic reaches is tested once for all its members, and opens again or closes', async () => {
    const gateway = await startExitGateway();
    const { target } = await rig([]);
    const proxies = [
      { url: `http://U-sessid-{session}:pw@${gateway.host}:${gateway.port}`, exits: 50 },
    ];
    const rotator = new ProxyRotator({
      proxies,
      circuitBreaker: { openMs: 20, openJitter: 0 },
      retryPolicy: once,
      healthCheck: { url: target.url, intervalMs: 10, concurrency: 8 },
    });
    const told: string[] = [];
    rotator.bus.on('group:transition', ({ to }) => told.push(to));
    const checked: string[] = [];
    rotator.bus.on('health:checked', ({ outcome }) => checked.push(outcome));
    try {
      await gateway.mood('wrong password');
      for (let i = 0; i < 5; i++) await errorOf(rotator.get(target.url));
      await expect.poll(() => checked.length).toBeGreaterThanOrEqual(2);
      await gateway.mood('ok');
      await expect.poll(() => told.at(-1)).toBe('closed');
      // One test for each time that it was open.
      expect(checked).toHaveLength(told.filter((to) => to === 'half_open').length);
      expect(checked.slice(0, -1).every((outcome) => outcome === 'failure')).toBe(true);
      expect(checked.at(-1)).toBe('success');
      expect(rotator.isAvailable).toBe(true);
    } finally {
      await rotator.close();
      await gateway.close();
    }
  });

  it('refuses bad options by name', () => {
    const make = (healthCheck: object) => () =>
      new ProxyRotator({ healthCheck: { url: 'http://t.test/', ...healthCheck } });
    expect(make({ url: 'ftp://t.test/' })).toThrow(/healthCheck.url/);
    expect(make({ intervalMs: 1 })).toThrow(
      /healthCheck.intervalMs must be a number from 10 to 2147483647, got 1/,
    );
    expect(make({ concurrency: 0 })).toThrow(/healthCheck.concurrency .* got 0/);
    expect(make({ every: 1 })).toThrow(/unknown option "healthCheck.every"/);
  });
});
