import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CircuitBreaker, CircuitOpenError } from './index.ts';

/** Opens, waits `ms` by a timer, and says what the breaker does then. */
async function waited(breaker: CircuitBreaker, ms = breaker.retryAfterMs!) {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return breaker.acquire() > 0;
}

describe('K20c waiting exactly retryAfterMs is enough', () => {
  test.each([
    [0, 100],
    [0.4, 100],
    [99, 1],
    [99.001, 0],
    [99.999, 0],
    [100, 0],
  ])('K20c at %s of 100 ms it is %s', (at, retryAfterMs) => {
    let t = 0;
    const breaker = new CircuitBreaker({ openMs: 100, now: () => t });
    breaker.trip();
    t = at;
    expect([breaker.retryAfterMs, breaker.canAttempt()]).toEqual([retryAfterMs, at > 99]);
    // Timers of Node count whole milliseconds: they fire less than one early.
    t = at + retryAfterMs - 0.999;
    if (retryAfterMs > 0) expect(breaker.acquire()).toBeGreaterThan(0);
  });

  test('K20c with the real clock and real timers, thirty times', async () => {
    const admitted = await Promise.all(
      Array.from({ length: 30 }, (_, i) => {
        const breaker = new CircuitBreaker({ openMs: 5 + i / 7 });
        breaker.trip();
        return waited(breaker);
      }),
    );
    expect(admitted).not.toContain(false);
  });
});

describe('K20c the default clock under fake timers of vitest', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('K20c a circuit opens, waits on virtual time, and is tested', async () => {
    const breaker = new CircuitBreaker({ openMs: 10_000 });
    const at: number[] = [];
    breaker.on('circuit:transition', (event) => at.push(event.at));
    breaker.trip();
    expect(breaker.acquire()).toBe(0);
    const admitted = waited(breaker);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await admitted).toBe(true);
    expect(at.every(Number.isFinite)).toBe(true);
    expect(at[1]! - at[0]!).toBe(10_000);
  });

  test('K20c a timeOrigin that is a function, as sinon leaves it, changes nothing', () => {
    vi.stubGlobal('performance', { now: () => 0, timeOrigin: () => undefined });
    const breaker = new CircuitBreaker();
    breaker.trip();
    expect(breaker.nextTestAt).toBeGreaterThan(1.6e12);
    vi.unstubAllGlobals();
  });

  test('K20c fake timers that came before the package do not break its clock', async () => {
    vi.resetModules();
    vi.stubGlobal('performance', { now: () => 7, timeOrigin: () => undefined });
    const fresh = await import('./index.ts');
    const breaker = new fresh.CircuitBreaker();
    breaker.trip();
    expect(breaker.nextTestAt).toBe(Date.now() + 30_000);
    vi.unstubAllGlobals();
  });
});

test('K20c under the fake timers of node:test a circuit opens and refuses', () => {
  const script = `
    import { test } from 'node:test';
    import assert from 'node:assert';
    import { CircuitBreaker } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
    test('virtual', (t) => {
      t.mock.timers.enable();
      const standard = new CircuitBreaker();
      standard.trip();
      assert(Number.isFinite(standard.nextTestAt));
      assert.equal(standard.acquire(), 0);
      const breaker = new CircuitBreaker({ now: Date.now });
      breaker.trip();
      t.mock.timers.tick(29_999);
      assert.equal(breaker.acquire(), 0);
      t.mock.timers.tick(1);
      assert(breaker.acquire() > 0);
    });`;
  const args = [
    '--conditions=@whirl/source',
    '--import',
    'tsx',
    '--input-type=module',
    '-e',
    script,
  ];
  const out = execFileSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined },
  });
  expect(out).toMatch(/pass 1\n/);
});

describe('K20c frozen intrinsics', () => {
  test('K20c a refusal leaves Error.stackTraceLimit as it was', () => {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 7;
    const { stack } = new CircuitOpenError('db', 'open');
    expect([Error.stackTraceLimit, stack]).toEqual([7, 'CircuitOpenError: circuit db is open']);
    Error.stackTraceLimit = limit;
  });

  test('K20c a read-only Error.stackTraceLimit breaks nothing', () => {
    const descriptor = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit')!;
    Object.defineProperty(Error, 'stackTraceLimit', { ...descriptor, writable: false });
    try {
      const error = new CircuitOpenError('db', 'open', 5, 'why');
      expect([error.message, error.retryAfterMs, error.cause]).toEqual([
        'circuit db is open',
        5,
        'why',
      ]);
    } finally {
      Object.defineProperty(Error, 'stackTraceLimit', descriptor);
    }
  });
});
