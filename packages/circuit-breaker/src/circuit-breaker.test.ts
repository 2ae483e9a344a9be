import { createBus, type CircuitTransition, type WhirlEvents } from '@whirl/events';
import { expect, test } from 'vitest';
import { CircuitBreaker, type CircuitBreakerOptions } from './index.ts';

function setup(options: CircuitBreakerOptions = {}) {
  const clock = { t: 0 };
  const bus = createBus<WhirlEvents>({ onListenerError: () => {} });
  const events: CircuitTransition[] = [];
  bus.on('circuit:transition', (event) => void events.push(event));
  const breaker = new CircuitBreaker({ now: () => clock.t, bus, ...options });
  const fail = (times = 1) => {
    for (let i = 0; i < times; i++) breaker.fail(breaker.acquire());
  };
  return { clock, bus, events, breaker, fail };
}

test('K1 the 5th failure within 60,000 ms opens, inclusive; successes erase nothing', () => {
  const { clock, breaker, fail } = setup();
  fail(4);
  breaker.succeed(breaker.acquire());
  clock.t = 60_000;
  fail();
  expect(breaker.state).toBe('open');
  const late = setup();
  late.fail(4);
  late.clock.t = 60_001;
  late.fail();
  expect(late.breaker.state).toBe('closed');
});

test('K2 four failures, an idle hour, one failure: closed with failureCount 1', () => {
  const { clock, breaker, fail } = setup();
  fail(4);
  clock.t = 3_600_000;
  expect(breaker.failureCount).toBe(0);
  fail();
  expect([breaker.state, breaker.failureCount, breaker.failureTimes]).toEqual([
    'closed',
    1,
    [3_600_000],
  ]);
});

test('K3 refused at openMs - 1, admitted at openMs; reading never emits', () => {
  const { clock, breaker, fail, events } = setup();
  fail(5);
  clock.t = 29_999;
  expect([breaker.acquire(), breaker.retryAfterMs, breaker.state]).toEqual([0, 1, 'open']);
  clock.t = 30_000;
  expect([breaker.state, breaker.canAttempt(), events.length]).toEqual(['half_open', true, 1]);
  expect(breaker.acquire()).toBeGreaterThan(0);
  expect(events.map((e) => [e.to, e.reason, e.generation])).toEqual([
    ['open', 'failures', 1],
    ['half_open', 'timeout', 2],
  ]);
});

test('K4 refusals and late failures neither extend nor emit', () => {
  const { clock, breaker, fail, events } = setup();
  const late = breaker.acquire();
  fail(5);
  clock.t = 20_000;
  breaker.acquire();
  breaker.fail(late);
  breaker.succeed(late);
  expect([breaker.nextTestAt, breaker.failureCount, events.length]).toEqual([30_000, 5, 1]);
});

test('K5 100 acquires in half-open give one ticket', () => {
  const { clock, breaker, fail } = setup();
  fail(5);
  clock.t = 30_000;
  for (let i = 0; i < 100; i++) expect(breaker.canAttempt()).toBe(true);
  expect(Array.from({ length: 100 }, () => breaker.acquire()).filter(Boolean)).toHaveLength(1);
});

test('K6 a good probe closes with an empty window, a bad one opens for a full time', () => {
  const { clock, breaker, fail, events } = setup();
  fail(5);
  clock.t = 30_000;
  fail();
  expect([breaker.nextTestAt, events.length, events[2]?.reason]).toEqual([
    60_000,
    3,
    'probe_failed',
  ]);
  clock.t = 60_000;
  breaker.succeed(breaker.acquire());
  expect([breaker.state, breaker.failureCount, events.length]).toEqual(['closed', 0, 5]);
  expect(events[4]?.reason).toBe('recovered');
});

test.each(['succeed', 'fail', 'release'] as const)(
  'K7 K8 a stale %s changes nothing',
  (verdict) => {
    const { clock, breaker, fail } = setup();
    const stale = breaker.acquire();
    fail(5);
    clock.t = 30_000;
    const probe = breaker.acquire();
    breaker[verdict](stale);
    expect([breaker.state, breaker.acquire(), breaker.canAttempt()]).toEqual([
      'half_open',
      0,
      false,
    ]);
    breaker.fail(probe);
    expect(breaker.state).toBe('open');
  },
);

test('K9 a probe that never settles is reclaimed after its lease', () => {
  const { clock, breaker, fail } = setup({ probeLeaseMs: 1_000 });
  fail(5);
  clock.t = 30_000;
  const lost = breaker.acquire();
  clock.t = 30_999;
  expect(breaker.acquire()).toBe(0);
  clock.t = 31_000;
  const probe = breaker.acquire();
  expect(probe).toBeGreaterThan(lost);
  breaker.fail(lost);
  expect(breaker.state).toBe('half_open');
  breaker.succeed(probe);
  expect(breaker.state).toBe('closed');
});

test('K9 a verdict that comes after the lease but before a reclaim still counts', () => {
  const { clock, breaker, fail } = setup();
  fail(5);
  clock.t = 30_000;
  const slow = breaker.acquire();
  clock.t = 59_999;
  expect([breaker.canAttempt(), breaker.retryAfterMs]).toEqual([false, 1]);
  clock.t = 70_000;
  expect([breaker.canAttempt(), breaker.retryAfterMs]).toEqual([true, 0]);
  breaker.succeed(slow);
  expect(breaker.state).toBe('closed');
});

test('K9 only the test that has been out longest is reclaimed', () => {
  const { clock, breaker } = setup({ halfOpenPermits: 2, successThreshold: 2, probeLeaseMs: 10 });
  breaker.trip();
  clock.t = 30_000;
  const first = breaker.acquire();
  clock.t = 30_005;
  const second = breaker.acquire();
  clock.t = 30_012;
  const third = breaker.acquire();
  expect([third > 0, breaker.acquire()]).toEqual([true, 0]);
  breaker.succeed(first);
  breaker.succeed(second);
  expect(breaker.state).toBe('half_open');
  breaker.succeed(third);
  expect(breaker.state).toBe('closed');
});

test('K10 a released probe returns its permit', () => {
  const { clock, breaker, fail } = setup();
  fail(5);
  clock.t = 30_000;
  breaker.release(breaker.acquire());
  expect([breaker.state, breaker.canAttempt(), breaker.generation]).toEqual(['half_open', true, 2]);
  breaker.succeed(breaker.acquire());
  expect(breaker.state).toBe('closed');
});

test('K11 three successes close, the first failure opens, counted afresh', () => {
  const { clock, breaker, fail } = setup({ halfOpenPermits: 3, successThreshold: 3 });
  const succeed = () => breaker.succeed(breaker.acquire());
  fail(5);
  clock.t = 30_000;
  succeed();
  succeed();
  fail();
  expect(breaker.state).toBe('open');
  clock.t = 60_000;
  succeed();
  succeed();
  expect(breaker.state).toBe('half_open');
  succeed();
  expect(breaker.state).toBe('closed');
});

test('K12 the open time doubles up to its cap; a recovery resets it', () => {
  const { clock, breaker, fail } = setup({ openMultiplier: 2 });
  const openMs = () => breaker.nextTestAt! - clock.t;
  fail(5);
  const times: number[] = [];
  for (let i = 0; i < 6; i++) {
    times.push(openMs());
    clock.t = breaker.nextTestAt!;
    fail();
  }
  expect(times).toEqual([30_000, 60_000, 120_000, 240_000, 300_000, 300_000]);
  clock.t = breaker.nextTestAt!;
  breaker.succeed(breaker.acquire());
  fail(5);
  expect(openMs()).toBe(30_000);
});

test('K12 maxOpenMs defaults to openMs where that is above 300,000', () => {
  const { clock, breaker, fail } = setup({ openMs: 400_000, openMultiplier: 2 });
  fail(5);
  clock.t = 400_000;
  fail();
  expect(breaker.nextTestAt).toBe(800_000);
});

test('K12 jitter comes after the cap', () => {
  const tripped = (draw: number) => {
    const { breaker } = setup({ openMs: 50, maxOpenMs: 50, openJitter: 0.5, random: () => draw });
    breaker.trip();
    return breaker.nextTestAt;
  };
  expect([tripped(0), tripped(0.5), tripped(1)]).toEqual([25, 50, 75]);
});

test('K12 10,000 breakers tripped together come back over at least 5 s', () => {
  const at = Array.from({ length: 10_000 }, () => {
    const { breaker } = setup({ openJitter: 0.1 });
    breaker.trip();
    return breaker.nextTestAt!;
  }).sort((a, b) => a - b);
  expect(at[0]).toBeGreaterThanOrEqual(27_000);
  expect(at.at(-1)).toBeLessThanOrEqual(33_000);
  expect(at.at(-1)! - at[0]!).toBeGreaterThanOrEqual(5_000);
  // Evenly: each of the six seconds gets a sixth.
  for (let s = 27; s < 33; s++) {
    const share = at.filter((t) => Math.floor(t / 1_000) === s).length;
    expect(share).toBeGreaterThan(1_400);
    expect(share).toBeLessThan(1_950);
  }
});

test('K13 a clock that steps back 5 s or jumps an hour breaks nothing', () => {
  const { clock, breaker, fail } = setup();
  clock.t = 10_000;
  fail(2);
  clock.t = 5_000;
  fail();
  expect(breaker.failureCount).toBe(3);
  clock.t = 3_600_000;
  expect([breaker.failureCount, breaker.state]).toEqual([0, 'closed']);
  fail(5);
  clock.t -= 5_000;
  expect([breaker.state, breaker.retryAfterMs, breaker.acquire()]).toEqual(['open', 35_000, 0]);
  clock.t += 3_600_000;
  expect(breaker.acquire()).toBeGreaterThan(0);
});

test('K13 failures out of order count by their own age', () => {
  const { clock, breaker, fail } = setup({ failureThreshold: 3, windowMs: 100 });
  for (const t of [50, 10, 120]) {
    clock.t = t;
    fail();
  }
  // The first of the last three is young enough, the second is not.
  expect([breaker.state, breaker.failureCount]).toEqual(['closed', 2]);
});

test('the default clock is epoch milliseconds', () => {
  const breaker = new CircuitBreaker();
  const before = Date.now();
  breaker.trip();
  // The two clocks may be a few milliseconds apart.
  expect(Math.abs(breaker.lastTransitionAt! - before)).toBeLessThan(60_000);
  expect(breaker.nextTestAt! - breaker.lastTransitionAt!).toBe(30_000);
});

test('K14 forceOpen refuses all, records nothing, and no time lifts it', () => {
  const { clock, breaker, events } = setup();
  const before = breaker.acquire();
  breaker.forceOpen();
  breaker.forceOpen();
  breaker.fail(before);
  breaker.trip();
  clock.t = 1e9;
  expect([breaker.acquire(), breaker.canAttempt(), breaker.retryAfterMs]).toEqual([
    0,
    false,
    undefined,
  ]);
  expect([breaker.state, breaker.failureCount, breaker.isDue(1e15)]).toEqual([
    'forced_open',
    0,
    false,
  ]);
  expect(events.map((e) => [e.from, e.to, e.reason])).toEqual([
    ['closed', 'forced_open', 'forced'],
  ]);
});

test('K14 disable admits all and records nothing', () => {
  const { breaker, fail, events } = setup();
  breaker.disable();
  breaker.disable();
  fail(9);
  breaker.trip();
  expect([breaker.state, breaker.canAttempt(), breaker.failureCount, breaker.retryAfterMs]).toEqual(
    ['disabled', true, 0, 0],
  );
  expect(events.map((e) => [e.to, e.reason])).toEqual([['disabled', 'disabled']]);
});

test('K14 tickets given while disabled are new ones, and mean nothing afterwards', () => {
  const { breaker } = setup({ failureThreshold: 1 });
  const before = breaker.acquire();
  breaker.disable();
  const tickets = [before, breaker.acquire(), breaker.acquire()];
  breaker.reset();
  tickets.push(breaker.acquire());
  expect(new Set(tickets).size).toBe(4);
  expect(tickets).toEqual(tickets.toSorted((a, b) => a - b));
  for (const ticket of tickets.slice(0, 3)) breaker.fail(ticket);
  expect(breaker.state).toBe('closed');
});

test('K14 reset closes and empties; tickets given before are ignored', () => {
  const { breaker, fail, events } = setup();
  fail(4);
  const before = breaker.acquire();
  breaker.reset();
  expect([breaker.generation, breaker.failureCount, events.length]).toEqual([0, 0, 0]);
  breaker.fail(before);
  expect(breaker.failureCount).toBe(0);
  fail(5);
  breaker.reset();
  expect([breaker.state, breaker.generation, breaker.failureCount]).toEqual(['closed', 2, 0]);
  breaker.forceOpen();
  breaker.reset();
  expect([breaker.state, events.at(-1)?.reason]).toEqual(['closed', 'reset']);
});

test('K14b trip opens now, for the time given, and time lifts it', () => {
  const { clock, breaker, events } = setup();
  breaker.trip({ openMs: 90_000 });
  expect(events).toEqual([
    {
      name: 'circuit',
      from: 'closed',
      to: 'open',
      reason: 'custom',
      generation: 1,
      failureCount: 0,
      nextTestAt: 90_000,
      at: 0,
    },
  ]);
  clock.t = 89_999;
  expect(breaker.acquire()).toBe(0);
  clock.t = 90_000;
  expect(breaker.state).toBe('half_open');
  breaker.succeed(breaker.acquire());
  expect(breaker.state).toBe('closed');
});

test('K14b trip while open keeps the later deadline and emits nothing', () => {
  const { clock, breaker, events } = setup();
  breaker.trip({ reason: 'failures' });
  breaker.trip({ openMs: 10_000 });
  breaker.trip();
  expect([breaker.nextTestAt, events.length]).toEqual([30_000, 1]);
  breaker.trip({ openMs: 40_000 });
  expect(breaker.nextTestAt).toBe(40_000);
  clock.t = 40_000;
  breaker.trip({ openMs: 5_000 });
  expect(events.map((e) => [e.to, e.reason, e.nextTestAt])).toEqual([
    ['open', 'failures', 30_000],
    ['half_open', 'timeout', undefined],
    ['open', 'custom', 45_000],
  ]);
});

test('K14b trip while half-open counts as a failed test', () => {
  const { clock, breaker } = setup({ openMultiplier: 2 });
  breaker.trip();
  clock.t = 30_000;
  const probe = breaker.acquire();
  breaker.trip();
  breaker.succeed(probe);
  expect([breaker.state, breaker.nextTestAt]).toEqual(['open', 90_000]);
});

test('K15 a throwing listener harms no other; typed listeners first, then *', () => {
  const { bus, breaker, fail } = setup();
  const heard: string[] = [];
  bus.on('*', (type, event) => void heard.push(`* ${type} ${(event as CircuitTransition).to}`));
  bus.on('circuit:transition', () => {
    throw new Error('listener');
  });
  bus.on('circuit:transition', (event) => void heard.push(`typed ${event.to}`));
  fail(5);
  expect(heard).toEqual(['typed open', '* circuit:transition open']);
  expect(breaker.state).toBe('open');
});

test("K15 a listener of '*' alone is called", () => {
  const bus = createBus<WhirlEvents>();
  const heard: unknown[] = [];
  bus.on('*', (_type, event) => void heard.push(event));
  new CircuitBreaker({ bus }).trip();
  expect(heard).toHaveLength(1);
});

test('K15 reset() inside the event: all listeners get the transitions in their true order', () => {
  const { bus, breaker, fail, events } = setup();
  const later: string[] = [];
  bus.on('circuit:transition', (event) => {
    if (event.to === 'open') breaker.reset();
  });
  bus.on('circuit:transition', (event) => void later.push(event.to));
  fail(5);
  expect(breaker.state).toBe('closed');
  expect(later).toEqual(['open', 'closed']);
  expect(events.map((e) => [e.from, e.to, e.reason, e.generation, e.failureCount])).toEqual([
    ['closed', 'open', 'failures', 1, 5],
    ['open', 'closed', 'reset', 2, 0],
  ]);
});

test('K15 a listener that overrides while a test is admitted is obeyed', () => {
  const { clock, bus, breaker } = setup();
  bus.on('circuit:transition', (event) => {
    if (event.to === 'half_open') breaker.forceOpen();
  });
  breaker.trip();
  clock.t = 30_000;
  expect([breaker.acquire(), breaker.state]).toEqual([0, 'forced_open']);
  breaker.reset();
  const other = setup();
  other.bus.on('circuit:transition', (event) => {
    if (event.to === 'half_open') other.breaker.trip({ openMs: 1 });
  });
  other.breaker.trip();
  other.clock.t = 30_000;
  expect([other.breaker.acquire(), other.breaker.nextTestAt]).toEqual([0, 30_001]);
});

test('K15 nothing is built for a bus without listeners', () => {
  const bus = {
    has: () => false,
    emit: () => {
      throw new Error('emitted');
    },
  };
  const breaker = new CircuitBreaker({ bus });
  breaker.trip();
  expect(breaker.state).toBe('open');
});

test('tickets are unique in the process for each era and each probe', () => {
  const { clock, breaker } = setup({ halfOpenPermits: 2 });
  const other = new CircuitBreaker();
  const tickets = [breaker.acquire(), other.acquire()];
  breaker.reset();
  tickets.push(breaker.acquire());
  breaker.trip();
  clock.t = 30_000;
  tickets.push(breaker.acquire(), breaker.acquire());
  expect(new Set(tickets).size).toBe(5);
  expect(other.acquire()).toBe(tickets[1]);
});

test('K22 snapshot is a plain copy to look at', () => {
  const { clock, breaker, fail } = setup({ name: 'db' });
  expect(breaker.snapshot()).toEqual({
    name: 'db',
    state: 'closed',
    failureCount: 0,
    failureTimes: [],
    generation: 0,
    nextTestAt: undefined,
    lastTransitionAt: undefined,
  });
  clock.t = 7;
  fail(5);
  const snapshot = breaker.snapshot();
  expect(snapshot).toEqual({
    name: 'db',
    state: 'open',
    failureCount: 5,
    failureTimes: [7, 7, 7, 7, 7],
    generation: 1,
    nextTestAt: 30_007,
    lastTransitionAt: 7,
  });
  (snapshot.failureTimes as number[]).pop();
  expect(breaker.failureTimes).toHaveLength(5);
  expect([breaker.openMs, breaker.name]).toEqual([30_000, 'db']);
});
