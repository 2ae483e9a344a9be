import { describe, expect, it } from 'vitest';
import { banProxy, banTarget, throttle, type BanRule, type Verdict } from '../index.ts';
import { checkBanRules } from './ban-rules.ts';
import { Judgement } from './judgement.ts';
import { errorOf, fast, rig } from '../../test/support/pool-rig.ts';

const response = {
  statusCode: 200,
  headers: {},
  method: 'GET',
  origin: 'https://a.test',
  proxyId: 'p',
};
const now = 1_700_000_000_000;

/** A rule for the responses of one proxy. */
const when = (proxyId: string | undefined, verdict: ReturnType<BanRule['judge']>): BanRule => ({
  name: 'test rule',
  judge: (seen) => (seen.proxyId === proxyId ? verdict : undefined),
});

describe('Judgement', () => {
  it('F13 the first rule with a verdict decides; one that reads a body is waited for', () => {
    const rules: BanRule[] = [
      { name: 'status', judge: ({ statusCode }) => (statusCode === 403 ? 'fatal' : undefined) },
      {
        name: 'captcha',
        bodyBytes: 7,
        judge: ({ body }) => (body.toString() === 'captcha' ? 'retry' : undefined),
      },
      { name: 'rest', judge: () => 'ok' },
    ];
    const judgement = new Judgement(rules, response);
    expect(judgement.ask(false)).toBeUndefined();
    judgement.add(Buffer.from('capt'));
    expect(judgement.ask(false)).toBeUndefined();
    judgement.add(Buffer.from('cha!'));
    expect(judgement.ask(false)).toEqual({ rule: 'captcha', verdict: 'retry' });
    expect(judgement.body.toString()).toBe('captcha!');
    expect(new Judgement(rules, { ...response, statusCode: 403 }).ask(false)).toEqual({
      rule: 'status',
      verdict: 'fatal',
    });
    // The body was shorter than the rule wanted.
    expect(new Judgement(rules, response).ask(true)).toEqual({ rule: 'rest', verdict: 'ok' });
    expect(new Judgement([], response).ask(false)).toBe('none');
  });

  it.each([
    ['a promise', Promise.resolve('ok'), 'a promise'],
    ['an unknown word', 'ban', '"ban"'],
    ['null', null, 'null'],
    ['a truth value', true, 'true'],
    ['an unknown action', { action: 'ban', forMs: 1 }, '{"action":"ban","forMs":1}'],
    ['no duration', { action: 'banProxy' }, '{"action":"banProxy"}'],
    ['an endless duration', { action: 'throttle', forMs: Infinity }, 'forMs Infinity'],
    ['a negative one', { action: 'banTarget', forMs: -1 }, 'forMs -1'],
  ])('F13 a verdict that is %s is a TypeError that names the rule', (_, verdict, shown) => {
    const rules = [{ name: 'odd', judge: () => verdict as never }];
    const ask = () => new Judgement(rules, response).ask(true);
    expect(ask).toThrow(TypeError);
    expect(ask).toThrow(/^the ban rule "odd" must say .* got /);
    expect(ask).toThrow(shown);
  });

  it('refuses bad rules and durations by name', () => {
    expect(() => checkBanRules([{ name: '', judge: () => 'ok' }])).toThrow(/banRules\[0\].name/);
    expect(() => checkBanRules([{ name: 'a' } as never])).toThrow(/banRules\[0\].judge/);
    expect(() => checkBanRules([{ name: 'a', bodyBytes: -1, judge: () => 'ok' }])).toThrow(
      /bodyBytes .* got -1/,
    );
    const judge = () => 'ok' as const;
    expect(() => checkBanRules([{ name: 'a', judge, bodybytes: 9 } as BanRule])).toThrow(
      new TypeError('unknown option "banRules[0].bodybytes": did you mean "bodyBytes"?'),
    );
    expect(() => checkBanRules([{ name: 'a', judge, seen: new Set() } as BanRule])).not.toThrow();
    expect(() => banTarget(0)).toThrow(/forMs must be a number > 0, got 0/);
  });
});

describe('ban rules', () => {
  const pair = [{ kind: 'ok' }, { kind: 'ok' }] as const;

  async function ruled(verdict: ReturnType<BanRule['judge']>, behaviours: typeof pair = pair) {
    let bad: string | undefined;
    const rule: BanRule = {
      name: 'test rule',
      judge: (seen) => when(bad, verdict).judge(seen),
    };
    const all = await rig(behaviours, { banRules: [rule], now: () => now });
    bad = all.proxies[0]?.id;
    return { ...all, bad: bad as string, good: all.proxies[1]?.id };
  }

  it('F13 an invalid verdict reaches the caller of the request, and bans no proxy', async () => {
    const { rotator, target, told } = await rig(pair, {
      banRules: [{ name: 'late', judge: (() => Promise.reject(new Error('unheard'))) as never }],
    });
    const error = await errorOf(rotator.get(target.url));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/"late" .* got a promise/);
    expect(told('attempt:end')).toMatchObject([{ blame: 'caller' }]);
    expect(told('proxy:banned')).toEqual([]);
    expect(rotator.proxies().every(({ state }) => state === 'closed')).toBe(true);
  });

  it('F13 ok: a listed status stands', async () => {
    const { rotator, target } = await rig([{ kind: 'ok' }], {
      banRules: [{ name: 'fine', judge: () => 'ok' }],
    });
    const response = await rotator.get(`${target.origin}/status/503`);
    await response.body.dump();
    expect([response.statusCode, response.attempts.length]).toEqual([503, 1]);
    expect(response.attempts[0]?.outcome).toBe('success');
  });

  it('F13 retry: another attempt, nothing to blame', async () => {
    const { rotator, target, told, good } = await ruled('retry');
    const response = await rotator.get(target.url);
    await response.body.dump();
    expect(response.proxyId).toBe(good);
    expect(told('retry:scheduled')).toMatchObject([{ reason: 'banned', delayMs: 0 }]);
    expect(told('attempt:end')[0]).toMatchObject({ reason: 'banned', blame: 'target' });
    expect(told('proxy:banned')).toEqual([]);
  });

  it('F13 fatal: the response is returned as a failure and nothing is tried again', async () => {
    const { rotator, target, told } = await ruled('fatal');
    const response = await rotator.get(target.url);
    expect(await response.body.json()).toMatchObject({ ok: true });
    expect(told('request:end')).toMatchObject([{ outcome: 'failure', attemptCount: 1 }]);
  });

  it('F13 banTarget: the fact names the origin, and the circuit stays closed', async () => {
    const { rotator, target, told, bad, good } = await ruled(banTarget(60_000));
    const response = await rotator.get(target.url);
    await response.body.dump();
    expect(response.proxyId).toBe(good);
    expect(told('proxy:banned')).toEqual([
      {
        type: 'proxy:banned',
        proxyId: bad,
        target: target.origin,
        until: now + 60_000,
        rule: 'test rule',
        at: now,
      },
    ]);
    expect(rotator.getCircuitBreakerStates().get(bad)).toMatchObject({
      state: 'closed',
      failureCount: 0,
    });
  });

  it('F13 banProxy and throttle open the circuit for that long; only banProxy blames', async () => {
    for (const [verdict, blame] of [
      [banProxy(5000), 'proxy'],
      [throttle(5000), 'target'],
    ] as const) {
      const { rotator, target, told, bad, good } = await ruled(verdict);
      const response = await rotator.get(target.url);
      await response.body.dump();
      expect(response.proxyId).toBe(good);
      expect(told('proxy:banned')).toMatchObject([{ proxyId: bad, target: undefined }]);
      expect(told('attempt:end')[0]).toMatchObject({ blame, reason: 'banned' });
      expect(rotator.getCircuitBreakerStates().get(bad)).toMatchObject({
        state: 'open',
        nextTestAt: now + 5000,
      });
    }
  });

  it('K14 F13 resetCircuitBreaker lifts a ban as well, with or without a circuit', async () => {
    for (const circuitBreaker of [undefined, false] as const) {
      let verdict: Verdict | undefined = throttle(3_600_000);
      const { rotator, target, proxies } = await rig([{ kind: 'ok' }], {
        circuitBreaker,
        retryPolicy: null,
        banRules: [{ name: 'limited', judge: () => verdict }],
      });
      await (await rotator.get(target.url)).body.dump();
      verdict = undefined;
      expect(await errorOf(rotator.get(target.url))).toMatchObject({
        code: 'ALL_PROXIES_UNAVAILABLE',
      });
      expect(rotator.resetCircuitBreaker(proxies[0]?.id ?? '')).toBe(circuitBreaker !== false);
      const response = await rotator.get(target.url);
      await response.body.dump();
      expect(response.statusCode).toBe(200);
    }
  });

  it('F13 a rule that reads the body delays the response, and every byte still arrives', async () => {
    const seen: number[] = [];
    const { rotator, target } = await rig([{ kind: 'ok' }], {
      banRules: [
        {
          name: 'peek',
          bodyBytes: 10,
          judge: ({ body }) => {
            seen.push(body.length);
            return undefined;
          },
        },
      ],
    });
    const response = await rotator.get(`${target.origin}/bytes/300000`);
    const body = Buffer.from(await response.body.arrayBuffer());
    expect(body.equals(Buffer.alloc(300_000, 97))).toBe(true);
    const none = await rotator.head(`${target.origin}/bytes/300000`);
    expect(await none.body.text()).toBe('');
    expect(seen).toEqual([10, 0]);
  });

  it('F13 without a further attempt the banned response is returned', async () => {
    const { rotator, target } = await rig([{ kind: 'ok' }], {
      retryPolicy: { ...fast, maxAttempts: 2 },
      banRules: [{ name: 'all', judge: () => 'retry' }],
    });
    const response = await rotator.get(target.url);
    expect(await response.body.json()).toMatchObject({ ok: true });
    expect(response.attempts.map(({ outcome }) => outcome)).toEqual(['failure', 'failure']);
  });

  it('F18 a rule that throws ends its request, and is no failure of the proxy', async () => {
    const bug = new Error('a bug in a rule');
    const { rotator, target, told } = await rig([{ kind: 'ok' }, { kind: 'ok' }], {
      banRules: [
        {
          name: 'broken',
          judge: () => {
            throw bug;
          },
        },
      ],
    });
    expect(await errorOf(rotator.get(target.url))).toBe(bug);
    expect(told('attempt:end')).toMatchObject([{ blame: 'caller' }]);
  });
});
