import { ProxyRotator } from '@whirl/rotator';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Readiness } from './readiness.ts';

function start(proxies: readonly string[] = []) {
  let now = 0;
  const rotator = new ProxyRotator({ proxies, now: () => now, circuitBreaker: { openMs: 5000 } });
  const readiness = new Readiness(rotator, () => now);
  onTestFinished(() => rotator.destroy());
  return { rotator, readiness, pass: (ms: number) => (now += ms) };
}

describe('A7 readiness', () => {
  it('A7 while a circuit is closed, no circuit is looked at', () => {
    const { rotator, readiness } = start(['p1:1', 'p2:2']);
    rotator.forceOpenCircuitBreaker('p1:1');
    const looks = vi.spyOn(rotator, 'isAvailable', 'get');
    for (let i = 0; i < 100; i++) expect(readiness.isReady).toBe(true);
    expect(looks).not.toHaveBeenCalled();
  });

  it('A7 while none is, they are looked at once a second', () => {
    const { rotator, readiness, pass } = start(['p1:1', 'p2:2']);
    for (const id of ['p1:1', 'p2:2']) rotator.forceOpenCircuitBreaker(id);
    const looks = vi.spyOn(rotator, 'isAvailable', 'get');
    for (let i = 0; i < 100; i++) expect(readiness.isReady).toBe(false);
    pass(1000);
    expect(readiness.isReady).toBe(false);
    expect(looks).toHaveBeenCalledTimes(2);
  });

  it('A7 a proxy that joins, leaves or recovers counts at once', () => {
    const { rotator, readiness } = start();
    expect(readiness.isReady).toBe(false);
    rotator.addProxy('p1:1');
    expect(readiness.isReady).toBe(true);
    rotator.forceOpenCircuitBreaker('p1:1');
    expect(readiness.isReady).toBe(false);
    rotator.resetCircuitBreaker('p1:1');
    expect(readiness.isReady).toBe(true);
    rotator.forceOpenCircuitBreaker('p1:1');
    rotator.setProxies(['p2:2']);
    expect(readiness.isReady).toBe(true);
    rotator.removeProxy('p2:2');
    expect(readiness.isReady).toBe(false);
  });

  it('A7 what was open before it began to listen is known', () => {
    const { rotator } = start(['p1:1']);
    rotator.forceOpenCircuitBreaker('p1:1');
    expect(new Readiness(rotator).isReady).toBe(false);
  });
});
