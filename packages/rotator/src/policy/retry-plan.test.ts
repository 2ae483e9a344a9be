import type { Blame } from '@whirl/events';
import { describe, expect, it } from 'vitest';
import type { Failure } from '../blame/failure.ts';
import { presets } from './presets.ts';
import { backoffOf, resolvePolicy, type RetryPolicyOptions } from './retry-policy.ts';
import { chargesBudget, refusal, repeatable, retryDelay } from './retry-plan.ts';
import { ProxyRotator } from '../index.ts';

const failure = (given: Partial<Failure> = {}): Failure => ({
  outcome: 'failure',
  phase: 'headers',
  reason: 'status',
  blame: 'target',
  error: new Error('x'),
  ...given,
});

function delay(
  options: RetryPolicyOptions,
  given: Partial<Parameters<typeof retryDelay>[0]> = {},
): ReturnType<typeof retryDelay> {
  const policy = resolvePolicy(options);
  return retryDelay({
    policy,
    backoff: backoffOf(policy, () => 0.5),
    retry: 0,
    previousDelayMs: undefined,
    failure: failure(),
    another: true,
    remainingMs: Infinity,
    ...given,
  });
}

describe('the plan after a failure', () => {
  it('F2 defaults wait 1, 2, 4 s; linear 2 s waits 2, 4, 6 s', () => {
    const waits = (options: RetryPolicyOptions) =>
      [0, 1, 2].map((retry) => delay(options, { retry }));
    expect(waits({})).toEqual([1000, 2000, 4000]);
    expect(waits({ backoffStrategy: 'linear', baseDelayMs: 2000 })).toEqual([2000, 4000, 6000]);
    expect(waits({ backoffStrategy: 'fixed' })).toEqual([1000, 1000, 1000]);
  });

  it('F4 which methods may be sent twice', () => {
    const policy = resolvePolicy();
    const methods = 'GET HEAD OPTIONS TRACE DELETE PUT POST PATCH'.split(' ');
    expect(methods.filter((method) => repeatable(policy, method, false))).toEqual(
      methods.slice(0, 5),
    );
    expect(methods.every((method) => repeatable(policy, method, true))).toBe(true);
    const given = {
      policy,
      attempts: 1,
      sent: true,
      repeatable: false,
      replayable: true,
      failure: failure(),
      targetDown: false,
    };
    expect(refusal(given)).toBe('method');
    expect(refusal({ ...given, sent: false })).toBeUndefined();
    expect(refusal({ ...given, repeatable: true, replayable: false })).toBe('body');
    expect(refusal({ ...given, attempts: 3 })).toBe('attempts');
  });

  it('E6 a target that is down gets no retry, unless it was not what failed', () => {
    const given = {
      policy: resolvePolicy(),
      attempts: 1,
      sent: true,
      repeatable: true,
      replayable: true,
      targetDown: true,
    };
    const refused = (blame: Blame) => refusal({ ...given, failure: failure({ blame }) });
    expect([refused('target'), refused('unknown')]).toEqual(['target_down', 'target_down']);
    expect([refused('proxy'), refused('route'), refused('caller')]).toEqual(
      Array(3).fill(undefined),
    );
    expect(refusal({ ...given, failure: failure(), targetDown: false })).toBeUndefined();
  });

  it('E5d failoverDelay none: another proxy takes over at once, unless the target is to blame', () => {
    const waits = (['proxy', 'route', 'unknown', 'target', 'caller'] as const).map((blame) =>
      delay({ failoverDelay: 'none' }, { failure: failure({ blame }) }),
    );
    expect(waits).toEqual([0, 0, 0, 1000, 1000]);
  });

  it('F8 Retry-After is a floor, not jittered, up to maxRetryAfterMs and what remains', () => {
    const limited = (retryAfterMs: number) => ({ failure: failure({ retryAfterMs }) });
    expect(delay({ jitter: true }, limited(5000))).toBe(5000);
    expect(delay({}, limited(300))).toBe(1000);
    expect(delay({}, limited(60_000))).toBe(60_000);
    expect(delay({}, limited(60_001))).toBe('retry_after');
    expect(delay({ respectRetryAfter: false }, limited(60_001))).toBe(1000);
    expect(delay({}, { ...limited(5000), remainingMs: 5000 })).toBe('retry_after');
    const none = { failoverDelay: 'none' } as const;
    expect(delay(none, limited(5000))).toBe(1000);
    expect(delay(none, { ...limited(5000), another: false })).toBe(5000);
    const proxy = { failure: failure({ retryAfterMs: 5000, blame: 'proxy' }) };
    expect(delay(none, proxy)).toBe(0);
    expect(delay({}, proxy)).toBe(5000);
    // The proxy speaks for itself when it refuses the tunnel.
    const refused = {
      failure: failure({ retryAfterMs: 90_000, blame: 'proxy', phase: 'connect' }),
    };
    expect(delay({}, refused)).toBe(1000);
    expect(delay({}, { ...refused, another: false })).toBe('retry_after');
  });

  it('F9 no retry is begun that could not start before the deadline', () => {
    expect(delay({}, { remainingMs: 1000 })).toBe('deadline');
    expect(delay({}, { remainingMs: 1001 })).toBe(1000);
  });

  it('G3 failovers from a proxy or a route are free; target and unknown are charged, unless contested', () => {
    const charged = (given: Partial<Failure>) => chargesBudget(failure(given));
    for (const phase of ['tcp', 'connect', 'headers'] as const) {
      expect(charged({ phase, blame: 'proxy' })).toBe(false);
      expect(charged({ phase, blame: 'route' })).toBe(false);
      expect(charged({ phase, blame: 'caller' })).toBe(false);
      expect(charged({ phase, blame: 'target' })).toBe(true);
      expect(charged({ phase, blame: 'unknown' })).toBe(true);
      expect(charged({ phase, blame: 'target', contested: true })).toBe(false);
      expect(charged({ phase, blame: 'unknown', contested: true })).toBe(false);
    }
  });
});

describe('the policy', () => {
  it('F1 the defaults', () => {
    expect(resolvePolicy()).toEqual({
      maxAttempts: 3,
      backoffStrategy: 'exponential',
      baseDelayMs: 1000,
      multiplier: 2,
      maxBackoffDelayMs: 30_000,
      jitter: false,
      retryStatusCodes: [502, 503, 504],
      timeoutMs: undefined,
      attemptTimeoutMs: 30_000,
      connectTimeoutMs: 10_000,
      bodyTimeoutMs: 300_000,
      retryNonIdempotent: false,
      failoverDelay: 'backoff',
      failoverOnProxyAuth: false,
      respectRetryAfter: true,
      maxRetryAfterMs: 60_000,
      name: undefined,
    });
    expect(resolvePolicy({ baseDelayMs: 60_000 }).maxBackoffDelayMs).toBe(60_000);
  });

  it('F1 out of bounds: the error names field, bound and value', () => {
    for (const [field, values] of Object.entries({
      maxAttempts: [0, 11, 1.5],
      baseDelayMs: [99, 60_001, Number.NaN],
      multiplier: [1, 10.1],
      maxBackoffDelayMs: [999, 300_001],
      timeoutMs: [0, -1],
      backoffStrategy: ['random'],
      jitter: ['yes'],
      maxTries: [3],
    })) {
      for (const value of values) {
        expect(() => resolvePolicy({ [field]: value })).toThrow(field);
      }
    }
    expect(() => resolvePolicy({ maxAttempts: 11 })).toThrow(/maxAttempts: .*10.*, got 11/);
    expect(() => resolvePolicy({ retryStatusCodes: [200] })).toThrow(
      /retryStatusCodes.0: .*400.*got 200/,
    );
    expect(() => resolvePolicy({ baseDelayMs: 5000, maxBackoffDelayMs: 1000 })).toThrow(
      /maxBackoffDelayMs/,
    );
  });

  it('F1 the presets are those of the guide, and valid', () => {
    for (const preset of Object.values(presets)) expect(() => resolvePolicy(preset)).not.toThrow();
    expect(resolvePolicy(presets.rateLimited)).toMatchObject({
      maxAttempts: 3,
      backoffStrategy: 'linear',
      baseDelayMs: 5000,
      retryStatusCodes: [429, 502, 503, 504],
    });
  });

  it('F1 a deadline below the sum of the delays is allowed, with one warning', () => {
    const warnings: string[] = [];
    const quiet = () => {};
    const logger = {
      debug: quiet,
      info: quiet,
      error: quiet,
      warn: (_: object, text: string) => void warnings.push(text),
    };
    const rotator = new ProxyRotator({ logger, retryPolicy: { timeoutMs: 2999 } });
    rotator.retryPolicy = { timeoutMs: 2999 };
    expect(warnings).toHaveLength(1);
    rotator.retryPolicy = { timeoutMs: 3000 };
    expect(warnings).toHaveLength(1);
  });
});
