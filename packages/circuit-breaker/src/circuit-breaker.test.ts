import { createBus, type CircuitTransition, type WhirlEvents } from '@whirl/events';
import { expect, test } from 'vitest';
import { CircuitBreaker, CircuitOpenError, type CircuitBreakerOptions } from './index.ts';

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
    expect([breaker.state, breaker.acquire()]).toEqual(['half_open', 0]);
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

test('K10 a released probe returns its permit', () => {
  const { clock, breaker, fail } = setup();
  fail(5);
  clock.t = 30_000;
  breaker.release(breaker.acquire());
  expect([breaker.state, breaker.canAttempt()]).toEqual(['half_open', true]);
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

test('K12 the open time grows to its cap; jitter spreads it', () => {
  const { clock, breaker, fail } = setup({ openMultiplier: 2 });
  fail(5);
  const times: number[] = [];
  for (let i = 0; i < 6; i++) {
    times.push((breaker.nextTestAt ?? 0) - clock.t);
    clock.t = breaker.nextTestAt ?? 0;
    fail();
  }
  expect(times).toEqual([30_000, 60_000, 120_000, 240_000, 300_000, 300_000]);
  for (const [draw, at] of [
    [0, 27_000],
    [0.5, 30_000],
    [1, 33_000],
  ] as const) {
    const jittered = setup({ openJitter: 0.1, random: () => draw });
    jittered.fail(5);
    expect(jittered.breaker.nextTestAt).toBeCloseTo(at);
  }
});

test('K13 a clock that steps breaks nothing', () => {
  const { clock, breaker, fail } = setup();
  clock.t = 10_000;
  fail(2);
  clock.t = 5_000;
  fail();
  expect(breaker.failureCount).toBe(3);
  clock.t = 3_600_000;
  expect(breaker.failureCount).toBe(0);
});

test('K14 overrides', () => {
  const { clock, breaker, events } = setup();
  breaker.reset();
  expect(breaker.generation).toBe(0);
  breaker.forceOpen();
  breaker.forceOpen();
  clock.t = 1e9;
  expect([breaker.acquire(), breaker.retryAfterMs, events.length]).toEqual([0, undefined, 1]);
  breaker.disable();
  for (let i = 0; i < 9; i++) breaker.fail(breaker.acquire());
  expect([breaker.state, breaker.failureCount]).toEqual(['disabled', 0]);
  breaker.reset();
  expect([breaker.state, breaker.generation]).toEqual(['closed', 3]);
});

test('K14b trip opens now, for the time given', () => {
  const { clock, breaker, events } = setup();
  breaker.trip({ reason: 'custom', openMs: 90_000 });
  expect([breaker.nextTestAt, events[0]?.nextTestAt]).toEqual([90_000, 90_000]);
  clock.t = 90_000;
  expect(breaker.state).toBe('half_open');
});

test('K15 a listener that throws or resets breaks nothing; order is true', () => {
  const { bus, breaker, fail, events } = setup();
  bus.on('circuit:transition', (event) => {
    if (event.to === 'open') breaker.reset();
    throw new Error('listener');
  });
  fail(5);
  expect(events.map((e) => [e.from, e.to, e.generation, e.failureCount])).toEqual([
    ['closed', 'open', 1, 5],
    ['open', 'closed', 2, 0],
  ]);
});

test('K19 10,000 random sequences agree with an independent model', () => {
  let seed = 1;
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  let reached = 0;
  for (let run = 0; run < 10_000; run++) {
    let t = 0;
    const breaker = new CircuitBreaker({
      failureThreshold: 2,
      windowMs: 50,
      openMs: 20,
      now: () => t,
    });
    let m = { s: 'closed', fails: [] as number[], until: 0, probe: 0, lease: 0 };
    let era = 0;
    let tickets: { ticket: number; era: number }[] = [];
    let half = false;
    const go = (s: string) => {
      m = { s, fails: [], until: s === 'open' ? t + 20 : 0, probe: 0, lease: 0 };
      era++;
    };
    for (let step = 0; step < 100; step++) {
      const roll = random();
      if (roll < 0.4) {
        if (m.s === 'open' && t >= m.until) go('half_open');
        const yes =
          m.s === 'closed' ||
          m.s === 'disabled' ||
          (m.s === 'half_open' && (m.probe === 0 || t >= m.lease));
        const ticket = breaker.acquire();
        expect(ticket > 0).toBe(yes);
        if (yes) tickets.push({ ticket, era });
        if (yes && m.s === 'half_open') [m.probe, m.lease] = [ticket, t + 20];
      } else if (roll < 0.8 && tickets.length > 0) {
        const [call] = tickets.splice(Math.floor(random() * tickets.length), 1);
        const kind = (['succeed', 'fail', 'fail', 'release'] as const)[Math.floor(random() * 4)]!;
        breaker[kind](call!.ticket);
        if (call!.era === era && m.s === 'closed' && kind === 'fail') {
          m.fails = [...m.fails, t].filter((at) => t - at <= 50);
          if (m.fails.length >= 2) go('open');
        } else if (m.s === 'half_open' && m.probe === call!.ticket) {
          if (kind === 'release') m.probe = 0;
          else go(kind === 'fail' ? 'open' : 'closed');
        }
      } else if (roll < 0.98) t += Math.floor(random() * 15);
      else if (roll < 0.985) {
        breaker.reset();
        go('closed');
      } else if (roll < 0.99 && m.s !== 'forced_open') {
        breaker.forceOpen();
        go('forced_open');
      } else if (roll > 0.997 && m.s !== 'disabled') {
        breaker.disable();
        go('disabled');
      }
      const state = m.s === 'open' && t >= m.until ? 'half_open' : m.s;
      half ||= state === 'half_open';
      if (breaker.state !== state) expect(breaker.state).toBe(state);
    }
    tickets = [];
    if (half) reached++;
  }
  expect(reached).toBeGreaterThan(3_000);
});

test('K20 execute rejects, releases and records', async () => {
  const { breaker, fail } = setup();
  const boom = new Error('boom');
  const reject = () => Promise.reject(boom);
  await expect(breaker.execute(reject, { isFailure: () => false })).rejects.toBe(boom);
  expect(breaker.failureCount).toBe(0);
  const controller = new AbortController();
  const aborting = () => {
    controller.abort(boom);
    throw boom;
  };
  await expect(breaker.execute(aborting, { signal: controller.signal })).rejects.toBe(boom);
  expect(breaker.failureCount).toBe(0);
  await expect(breaker.execute(() => 1, { signal: controller.signal })).rejects.toBe(boom);
  await expect(breaker.execute(reject)).rejects.toBe(boom);
  expect(breaker.failureCount).toBe(1);
  fail(4);
  const refused = await breaker.execute(() => 1).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(CircuitOpenError);
  expect(refused).toMatchObject({ code: 'CIRCUIT_OPEN', retryAfterMs: 30_000 });
});

test('K22 snapshot is a plain copy; bad options are named', () => {
  expect(setup().breaker.snapshot()).toMatchObject({ state: 'closed', generation: 0 });
  expect(() => new CircuitBreaker({ openMs: Number.NaN })).toThrow(
    /^openMs must be a number from 1 to \d+, got NaN$/,
  );
  expect(() => new CircuitBreaker({ nope: 1 } as object)).toThrow(/nope/);
});
