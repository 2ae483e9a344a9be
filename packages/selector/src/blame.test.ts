import { createBus, type AttemptEnd, type Blame, type WhirlEvents } from '@whirl/events';
import { createVirtualClock, seededRandom } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { adaptive, leastUsed, random, roundRobin, Selector, weighted } from './index.ts';

const attempt = {
  requestId: 'r',
  attempt: 0,
  proxyId: 'a',
  origin: 'A',
  phase: 'headers',
  outcome: 'failure',
  latencyMs: 10,
  delayBeforeMs: 0,
  hedge: false,
  at: 0,
} as const satisfies Omit<AttemptEnd, 'blame'>;

function pool(ids: Iterable<string> = 'abc') {
  const clock = createVirtualClock(1_000_000);
  const bus = createBus<WhirlEvents>();
  const options = { strategy: roundRobin(), now: clock.now, random: seededRandom(7), bus };
  const selector = new Selector(options);
  for (const id of ids) selector.add({ id });
  /** So many attempts through `a` begin and end. */
  const end = (blame: Blame, fields: Partial<AttemptEnd> = {}, count = 1) => {
    for (let i = 0; i < count; i++) {
      const { requestId, proxyId, origin, hedge } = { ...attempt, ...fields };
      bus.emit('attempt:start', { requestId, attempt: 0, proxyId, origin, hedge, at: 0 });
      bus.emit('attempt:end', { ...attempt, blame, ...fields });
    }
  };
  const succeed = (origin: string, proxyId = 'a') =>
    end('none', { outcome: 'success', origin, proxyId });
  const picks = (target: string) => {
    const found = new Set<string>();
    for (let i = 0; i < 2 * selector.size; i++) found.add(selector.select({ target })?.id ?? '-');
    return [...found].sort((one, other) => (one < other ? -1 : 1)).join('');
  };
  return { clock, bus, selector, end, succeed, picks };
}

describe('blame', () => {
  it('E5 proxy: a failure in the statistics and at the target', () => {
    const { selector, end, succeed, picks } = pool();
    end('proxy', {}, 3);
    expect(selector.stats('a')).toMatchObject({ samples: 3, successRate: 0, inFlight: 0 });
    succeed('B');
    expect([picks('A'), picks('B')]).toEqual(['bc', 'abc']);
  });

  it('E5 route: nothing in the statistics, avoided at that target from the second in a row on', () => {
    const { selector, end, picks } = pool();
    const before = selector.stats('a');
    end('route');
    expect(picks('A')).toBe('abc');
    end('route', { outcome: 'timeout' });
    // A response that only this proxy gets there: the caller has it, the route is remembered.
    end('route', { outcome: 'success', origin: 'C' }, 2);
    expect(selector.stats('a')).toEqual(before);
    expect(['A', 'B', 'C'].map(picks)).toEqual(['bc', 'abc', 'bc']);
  });

  it.each(['target', 'unknown', 'caller'] as const)(
    'E5 %s: neither statistics nor memory, but the attempt has ended',
    (blame) => {
      const { selector, end, succeed, picks } = pool();
      const before = selector.stats('a');
      end(blame, {}, 10);
      end(blame, { outcome: 'timeout' }, 10);
      end(blame, { outcome: 'success' }, 10);
      expect(selector.stats('a')).toEqual(before);
      succeed('B');
      expect(picks('A')).toBe('abc');
    },
  );

  it('E5 aborted and circuit_open teach nothing, whatever is to blame', () => {
    const { selector, end, succeed, picks } = pool();
    const before = selector.stats('a');
    for (const outcome of ['aborted', 'circuit_open'] as const) {
      for (const blame of ['proxy', 'route', 'none'] as const) end(blame, { outcome }, 5);
    }
    expect(selector.stats('a')).toEqual(before);
    succeed('B');
    expect(picks('A')).toBe('abc');
  });

  it('E5 neutral outcomes neither break a row of failures nor lengthen it', () => {
    const { end, succeed, picks } = pool();
    end('proxy', {}, 2);
    end('unknown', {}, 2);
    succeed('B');
    expect(picks('A')).toBe('abc');
    end('proxy');
    succeed('B');
    expect(picks('A')).toBe('bc');
  });

  it('record() takes a blame: none is the default for a success, proxy for all else', () => {
    const { selector, picks } = pool();
    const record = (outcome: 'success' | 'failure' | 'timeout', target: string, blame?: Blame) =>
      selector.record({ id: 'a', outcome, latencyMs: 10, target, blame });
    record('failure', 'A', 'target');
    record('timeout', 'A', 'unknown');
    expect(selector.stats('a').samples).toBe(0);
    record('failure', 'A', 'route');
    record('failure', 'A', 'route');
    expect([selector.stats('a').samples, picks('A')]).toEqual([0, 'bc']);
    record('failure', 'B');
    record('timeout', 'B');
    record('success', 'C');
    expect(selector.stats('a')).toMatchObject({ samples: 3, successRate: 1 / 3 });
    expect(() => record('failure', 'A', 'weather' as never)).toThrow(
      /blame of "a" must be "none", .*"unknown" or "caller", got "weather"/,
    );
    expect(selector.stats('a').samples).toBe(3);
  });
});

describe('target memory', () => {
  it('S15 route: 60 s from the second failure in a row, 120 s from the third on, no more', () => {
    const { clock, end, picks } = pool();
    for (const [failures, avoidedMs] of [
      [2, 60_000],
      [1, 120_000],
      [1, 120_000],
      [50, 120_000],
    ] as const) {
      end('route', {}, failures);
      clock.advance(avoidedMs - 1);
      expect(picks('A')).toBe('bc');
      clock.advance(1);
      expect(picks('A')).toBe('abc');
    }
  });

  it('S15 route: a success there clears it, a row begins again', () => {
    const { end, succeed, picks } = pool();
    end('route', {}, 5);
    succeed('A');
    expect(picks('A')).toBe('abc');
    end('route');
    expect(picks('A')).toBe('abc');
    succeed('A');
    end('route');
    expect(picks('A')).toBe('abc');
  });

  it('S15 route: it needs no success elsewhere, and holds when most of the pool is refused', () => {
    const { end, picks } = pool('abcd');
    for (const proxyId of 'abc') end('route', { proxyId }, 2);
    expect([picks('A'), picks('B')]).toEqual(['d', 'abcd']);
    end('route', { proxyId: 'd' }, 2);
    expect(picks('A')).toBe('abcd');
  });

  it('S15 an avoided route that works again halves the time left on the other routes', () => {
    const { clock, end, succeed, picks } = pool();
    for (const origin of 'ABC') end('route', { origin }, 10);
    succeed('A');
    expect('ABC'.split('').map(picks)).toEqual(['abc', 'bc', 'bc']);
    clock.advance(59_999);
    expect('BC'.split('').map(picks)).toEqual(['bc', 'bc']);
    clock.advance(1);
    expect('BC'.split('').map(picks)).toEqual(['abc', 'abc']);
  });

  it.each([3, 4, 30, 1000])(
    'S15 a proxy that recovers after %d failures at each of its targets is back within 60 s',
    (failures) => {
      const { clock, end, succeed, picks } = pool();
      for (let i = 0; i < failures; i++) {
        for (const origin of 'ABCD') end('proxy', { origin });
        clock.advance(100);
      }
      // What it failed at counts now: it works elsewhere.
      succeed('A');
      expect('ABCD'.split('').map(picks)).toEqual(['abc', 'bc', 'bc', 'bc']);
      clock.advance(60_000 - 100);
      expect('ABCD'.split('').map(picks)).toEqual(['abc', 'abc', 'abc', 'abc']);
    },
  );

  it('S15 a circuit that closes ends what was learned at every target, not the bans of rules', () => {
    const { clock, selector, end, succeed, picks } = pool();
    for (const origin of 'AB') end('proxy', { origin }, 5);
    succeed('D');
    end('route', { origin: 'C' }, 5);
    selector.banTarget('a', 'B', clock.now() + 1000);
    expect('ABCD'.split('').map(picks)).toEqual(['bc', 'bc', 'bc', 'abc']);
    selector.circuitChanged({ name: 'a', to: 'open', nextTestAt: clock.now() });
    selector.circuitChanged({ name: 'a', to: 'closed' });
    expect('ABCD'.split('').map(picks)).toEqual(['abc', 'bc', 'abc', 'abc']);
    clock.advance(1000);
    expect(picks('B')).toBe('abc');
    // Nothing is left of the rows either.
    end('route', { origin: 'C' });
    end('proxy', {}, 2);
    succeed('D');
    expect([picks('A'), picks('C')]).toEqual(['abc', 'abc']);
  });

  it('S15 a circuit that is due is tested at a target that avoids its candidate, once in 30 s', () => {
    const { clock, selector, end } = pool();
    end('route', {}, 10);
    selector.circuitChanged({ name: 'a', to: 'open', nextTestAt: clock.now() + 1000 });
    const tests = () => {
      let found = 0;
      for (let i = 0; i < 12; i++) if (selector.select({ target: 'A' })?.id === 'a') found++;
      return found;
    };
    expect(tests()).toBe(0);
    clock.advance(1000);
    expect(tests()).toBe(1);
    // The test was no verdict: its ticket was released, the circuit is half-open as before.
    end('route');
    expect(tests()).toBe(0);
    clock.advance(29_999);
    expect(tests()).toBe(0);
    clock.advance(1);
    expect(tests()).toBe(1);
    selector.circuitChanged({ name: 'a', to: 'closed' });
    expect(tests()).toBeGreaterThan(1);
  });

  it('S15 a rule that bans a candidate at a target is obeyed by the test of its circuit too', () => {
    const { clock, selector, picks } = pool();
    selector.banTarget('a', 'A', clock.now() + 1e6);
    selector.circuitChanged({ name: 'a', to: 'open', nextTestAt: clock.now() });
    expect(picks('A')).toBe('bc');
    expect(picks('B')).toBe('abc');
  });

  it.each([roundRobin, random, weighted, leastUsed, adaptive])(
    'S15 under %o a pick at a target that refuses thousands asks 17 times at most',
    (create) => {
      const strategy = create();
      let asked = 0;
      const counting = {
        ...strategy,
        pick: (...call: Parameters<typeof strategy.pick>) => (asked++, strategy.pick(...call)),
      };
      const clock = createVirtualClock(1_000_000);
      const selector = new Selector({
        strategy: counting,
        now: clock.now,
        random: seededRandom(7),
      });
      for (let i = 0; i < 3000; i++) {
        selector.add({ id: `${i}` });
        for (let times = 0; times < 2; times++) {
          const failure = { id: `${i}`, outcome: 'failure', latencyMs: 1, target: 'A' } as const;
          selector.record({ ...failure, blame: 'route' });
        }
      }
      for (let i = 0; i < 20; i++) {
        asked = 0;
        expect(selector.select({ target: 'A' })?.reused).toBe(false);
        expect(asked).toBeLessThanOrEqual(17);
        asked = 0;
        selector.select({ target: 'B' });
        expect(asked).toBe(1);
      }
    },
  );

  it('S15 the memory is bounded: of more than 20,000 pairs the oldest target goes', () => {
    const { end, picks } = pool('ab');
    end('route', { origin: 'first' }, 2);
    for (let i = 0; i < 19_999; i++) end('route', { origin: `o${i}` });
    expect(picks('first')).toBe('b');
    end('route', { origin: 'last' });
    expect(picks('first')).toBe('ab');
    // The newest are held.
    end('route', { origin: 'o19998' });
    expect(picks('o19998')).toBe('b');
  });
});
