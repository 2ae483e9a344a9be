import { createBus, type WhirlEvents } from '@whirl/events';
import { describe, expect, it } from 'vitest';
import { CircuitBreaker, CircuitBreakerGroup, type CircuitBreakerOptions } from './index.ts';

function setup(options: CircuitBreakerOptions = {}) {
  const clock = { t: 1_000_000 };
  const bus = createBus<WhirlEvents>();
  const events: string[] = [];
  bus.on('circuit:transition', ({ from, to, reason, nextTestAt }) =>
    events.push(`${from} ${to} ${reason} ${nextTestAt ?? '-'}`),
  );
  bus.on('circuit:rescheduled', ({ name, nextTestAt, at }) =>
    events.push(`${name} rescheduled ${nextTestAt} ${at}`),
  );
  const breaker = new CircuitBreaker({ now: () => clock.t, bus, ...options });
  const fail = (times = 1) => {
    for (let i = 0; i < times; i++) breaker.fail(breaker.acquire());
  };
  return { clock, bus, events, breaker, fail };
}

describe('adopt', () => {
  it('opens a closed circuit for exactly openMs, with the reason fleet', () => {
    const { clock, events, breaker } = setup();
    expect(breaker.adopt('open', { openMs: 700 })).toBe(true);
    expect(events).toEqual(['closed open fleet 1000700']);
    clock.t += 698;
    expect(breaker.acquire()).toBe(0);
    clock.t += 2;
    expect(breaker.acquire()).toBeGreaterThan(0);
  });

  it('opens without openMs for as long as failures would', () => {
    const { breaker } = setup({ openMs: 5000 });
    breaker.adopt('open');
    expect(breaker.nextTestAt).toBe(1_005_000);
  });

  it('opens a half-open circuit, whose test then has no say', () => {
    const { clock, breaker, fail, events } = setup();
    fail(5);
    clock.t += 30_000;
    const test = breaker.acquire();
    expect(breaker.adopt('open', { openMs: 100 })).toBe(true);
    breaker.succeed(test);
    expect(breaker.state).toBe('open');
    expect(events.at(-1)).toBe('half_open open fleet 1030100');
  });

  it('closes an open circuit: it then needs as many failures as ever', () => {
    const { breaker, fail, events } = setup();
    fail(5);
    expect(breaker.adopt('closed')).toBe(true);
    expect(events.at(-1)).toBe('open closed fleet -');
    fail(4);
    expect(breaker.state).toBe('closed');
    fail();
    expect(breaker.state).toBe('open');
  });

  it('leaves the failures of a closed circuit alone', () => {
    const { breaker, fail, events } = setup();
    fail(4);
    expect(breaker.adopt('closed')).toBe(false);
    expect([breaker.failureCount, events]).toEqual([4, []]);
  });

  it('does nothing to an open circuit, not even past its deadline', () => {
    const { clock, breaker, fail } = setup();
    fail(5);
    clock.t += 40_000;
    expect(breaker.adopt('open', { openMs: 90_000 })).toBe(false);
    expect([breaker.state, breaker.nextTestAt]).toEqual(['half_open', 1_030_000]);
  });

  it.each(['forceOpen', 'disable'] as const)('does nothing under the override of %s()', (set) => {
    const { breaker, events } = setup();
    breaker[set]();
    expect([breaker.adopt('open'), breaker.adopt('closed')]).toEqual([false, false]);
    expect(events).toHaveLength(1);
  });

  it('refuses another state and bad options, and changes nothing', () => {
    const { breaker, events } = setup();
    expect(() => breaker.adopt('half_open' as never)).toThrow(
      new RangeError('state must be open or closed, got half_open'),
    );
    expect(() => breaker.adopt('open', { openMs: 0 })).toThrow('openMs must be a number from 1');
    expect(() => breaker.adopt('open', { openMS: 1 } as never)).toThrow(
      'unknown option "openMS"; known are openMs',
    );
    expect(events).toEqual([]);
  });
});

describe('reschedule', () => {
  it('moves the deadline of an open circuit later and earlier, and emits an event', () => {
    const { clock, breaker, fail, events } = setup({ name: 'db' });
    fail(5);
    expect(breaker.reschedule(1_060_000)).toBe(true);
    clock.t += 59_998;
    expect(breaker.acquire()).toBe(0);
    expect(breaker.reschedule(1_000_500)).toBe(true);
    expect(breaker.acquire()).toBeGreaterThan(0);
    expect(events).toEqual([
      'closed open failures 1030000',
      'db rescheduled 1060000 1000000',
      'db rescheduled 1000500 1059998',
      'open half_open timeout -',
    ]);
  });

  it('does nothing where the circuit is not open', () => {
    const { clock, breaker, fail, events } = setup();
    expect(breaker.reschedule(1_060_000)).toBe(false);
    fail(5);
    clock.t += 30_000;
    breaker.acquire();
    expect(breaker.reschedule(1_060_000)).toBe(false);
    expect([events.length, breaker.nextTestAt]).toEqual([2, undefined]);
  });

  it('refuses what is no instant', () => {
    const { breaker } = setup();
    expect(() => breaker.reschedule(NaN)).toThrow('nextTestAt must be a number from 1');
  });

  it('is known to a group: due() follows the new deadline', () => {
    const clock = { t: 0 };
    const group = new CircuitBreakerGroup({ now: () => clock.t, openMs: 1000 });
    group.get('a').trip();
    expect([...group.due(0)]).toEqual([]);
    group.get('a').reschedule(200);
    expect([...group.due(200)].map(({ name }) => name)).toEqual(['a']);
    group.get('a').reschedule(5000);
    expect([...group.due(4000)]).toEqual([]);
    expect([...group.due(5000)].map(({ name }) => name)).toEqual(['a']);
  });
});
