import { performance as score, roundRobin } from '@whirl/selector';
import { describe, expect, it } from 'vitest';
import { RequestTimeoutError, RetriesExhaustedError } from '../../src/index.ts';
import { errorOf, fast, rig, sums } from '../support/pool-rig.ts';

const ids = (attempts: readonly { proxyId: string }[]) => attempts.map(({ proxyId }) => proxyId);

describe('failover within a request', () => {
  for (const tls of [false, true]) {
    const scheme = tls ? 'https' : 'http';
    it(`F3 a retry avoids every proxy that was tried in this request (${scheme})`, async () => {
      const { rotator, target, proxies } = await rig(
        [{ kind: 'reset' }, { kind: 'close-after-connect' }, { kind: 'ok' }],
        {},
        { tls },
      );
      const response = await rotator.get(target.url);
      expect(await response.body.json()).toMatchObject({ ok: true });
      expect(ids(response.attempts)).toEqual(ids(proxies.map(({ id }) => ({ proxyId: id }))));
      expect(response.proxyId).toBe(proxies[2]?.id);
      expect(sums(rotator)).toEqual({ attempts: 3, parts: 3, proxies: 3 });
    });
  }

  it("F3 the retry's region is the request's, else the failed proxy's", async () => {
    const { rotator, target, proxies } = await rig(
      [{ kind: 'reset' }, { kind: 'ok' }, { kind: 'ok' }],
      {
        proxies: [],
        strategy: score(),
      },
    );
    const [bad, near, far] = proxies.map(({ url }) => url) as [string, string, string];
    rotator.setProxies([
      { url: bad, id: 'bad', region: 'EU' },
      { url: far, id: 'far', region: 'US' },
      { url: near, id: 'near', region: 'EU' },
    ]);
    for (const [region, expected] of [
      [undefined, 'near'],
      ['US', 'far'],
    ] as const) {
      // Only the bad one is there to begin with.
      const others = ['near', 'far'];
      for (const id of others) rotator.forceOpenCircuitBreaker(id);
      rotator.bus.once('attempt:start', () => {
        for (const id of others) rotator.resetCircuitBreaker(id);
      });
      const response = await rotator.get(target.url, { region });
      await response.body.dump();
      expect(ids(response.attempts)).toEqual(['bad', expected]);
    }
  });

  it('F4 POST is retried when provably nothing was sent, and not after', async () => {
    const unsent = await rig([{ kind: 'refuse' }, { kind: 'ok' }]);
    const response = await unsent.rotator.post(`${unsent.target.origin}/echo`, { body: 'hello' });
    expect(await response.body.text()).toBe('hello');
    expect(response.attempts).toHaveLength(2);

    const sent = await rig([{ kind: 'reset' }, { kind: 'ok' }]);
    const error = await errorOf(sent.rotator.post(sent.target.url, { body: 'x' }));
    expect(error).toMatchObject({ code: 'PROXY_CONNECTION', attempts: [{ attempt: 0 }] });
    expect(sent.told('retry:refused')).toMatchObject([{ reason: 'method' }]);
    expect(sent.proxies[1]?.stats.connections).toBe(0);
  });

  it('F4 POST is retried after sending with an Idempotency-Key or retryNonIdempotent', async () => {
    for (const options of [
      { headers: { 'Idempotency-Key': 'k1' } },
      { retryPolicy: { ...fast, retryNonIdempotent: true } },
    ]) {
      const { rotator, target } = await rig([{ kind: 'reset' }, { kind: 'ok' }]);
      const response = await rotator.post(`${target.origin}/echo`, { body: 'again', ...options });
      expect(await response.body.text()).toBe('again');
    }
  });

  it('F4 PUT and PATCH wait for opt-in; GET HEAD OPTIONS TRACE DELETE do not', async () => {
    const { rotator, target, proxies } = await rig([{ kind: 'reset' }, { kind: 'ok' }]);
    for (const method of ['PUT', 'PATCH']) {
      expect(await errorOf(rotator.request(target.url, { method }))).toMatchObject({
        code: 'PROXY_CONNECTION',
      });
      // Round robin: the good one has the next turn; it is not what this is about.
      await (await rotator.get(target.url)).body.dump();
      rotator.resetCircuitBreaker(proxies[0]?.id ?? '');
    }
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'DELETE']) {
      const response = await rotator.request(target.url, { method, proxyId: undefined });
      await response.body.dump();
      expect(response.statusCode).toBe(200);
    }
  });

  it('F6 a status not in the list is returned after one call', async () => {
    const { rotator, target } = await rig([{ kind: 'ok' }, { kind: 'ok' }]);
    const response = await rotator.get(`${target.origin}/status/500`);
    await response.body.dump();
    expect([response.statusCode, target.requests]).toEqual([500, 1]);
  });

  it('F6 a listed status on the last attempt is returned, with its attempts', async () => {
    const { rotator, target, told } = await rig([{ kind: 'ok' }, { kind: 'ok' }, { kind: 'ok' }]);
    const response = await rotator.get(`${target.origin}/status/503`);
    expect(response.statusCode).toBe(503);
    // Seen before the body is read, too.
    expect(response.attempts.map(({ outcome }) => outcome)).toEqual(Array(3).fill('failure'));
    expect(await response.body.text()).toBe('status 503\n');
    expect(response.attempts).toHaveLength(3);
    expect(told('request:end')).toMatchObject([{ outcome: 'failure', statusCode: 503 }]);
  });

  it('F6 a transport failure on the last attempt rejects with RetriesExhaustedError', async () => {
    const { rotator, target } = await rig([
      { kind: 'reset' },
      { kind: 'refuse' },
      { kind: 'close' },
    ]);
    const error = await errorOf(rotator.get(target.url));
    expect(error).toBeInstanceOf(RetriesExhaustedError);
    expect(error).toMatchObject({
      name: 'RetriesExhaustedError',
      code: 'RETRIES_EXHAUSTED',
      cause: { code: 'PROXY_CONNECTION' },
      attempts: [{ outcome: 'failure' }, { outcome: 'failure' }, { outcome: 'failure' }],
    });
  });

  it('F7 after the headers nothing is retried: a reset is an error in the body', async () => {
    const { rotator, target, proxies, told } = await rig([
      { kind: 'cut-body', afterBytes: 100 },
      { kind: 'ok' },
    ]);
    const response = await rotator.get(`${target.origin}/bytes/100000`);
    expect(response.statusCode).toBe(200);
    const error = await errorOf(response.body.text());
    expect(error).toMatchObject({ code: 'PROXY_CONNECTION', phase: 'body' });
    expect(proxies[1]?.stats.requests).toBe(0);
    expect(told('attempt:end')).toMatchObject([
      { outcome: 'failure', phase: 'body', blame: 'unknown' },
    ]);
  });

  it('F9 timeoutMs bounds delays, attempts and body, and ends in RequestTimeoutError', async () => {
    const whole = { ...fast, timeoutMs: 150 };
    const silent = await rig([{ kind: 'hang' }], { retryPolicy: whole });
    const inAttempt = await errorOf(silent.rotator.get(silent.target.url));
    expect(inAttempt).toBeInstanceOf(RequestTimeoutError);
    expect(inAttempt).toMatchObject({
      code: 'REQUEST_TIMEOUT',
      attempts: [{ outcome: 'timeout' }],
    });

    // The third attempt could not start in time: no sleep first.
    const failing = await rig([{ kind: 'reset' }], { retryPolicy: { ...fast, timeoutMs: 190 } });
    const inDelay = await errorOf(failing.rotator.get(failing.target.url));
    expect(inDelay).toMatchObject({ code: 'REQUEST_TIMEOUT', cause: { code: 'PROXY_CONNECTION' } });
    expect(failing.told('retry:scheduled')).toHaveLength(1);
    expect(failing.told('retry:refused')).toMatchObject([{ reason: 'deadline' }]);

    const slow = await rig([{ kind: 'dribble', part: 'body', everyMs: 50 }], {
      retryPolicy: whole,
    });
    const response = await slow.rotator.get(slow.target.url);
    expect(await errorOf(response.body.text())).toMatchObject({ code: 'REQUEST_TIMEOUT' });
  });

  it('F9 attemptTimeoutMs ends at the headers', async () => {
    const policy = { ...fast, attemptTimeoutMs: 100 };
    const { rotator, target, proxies } = await rig(
      [{ kind: 'hang' }, { kind: 'dribble', part: 'body', everyMs: 20 }],
      { retryPolicy: policy },
    );
    const response = await rotator.get(target.url);
    expect(response.attempts[0]).toMatchObject({
      outcome: 'timeout',
      errorCode: 'ATTEMPT_TIMEOUT',
    });
    expect(await response.body.json()).toMatchObject({ ok: true });
    expect(response.proxyId).toBe(proxies[1]?.id);
  });

  it('F10 a policy per request overrides the global one whole; the global one is per request', async () => {
    const { rotator, target } = await rig([{ kind: 'ok' }], {
      retryPolicy: { ...fast, retryStatusCodes: [500], maxAttempts: 2 },
      circuitBreaker: false,
    });
    const url = `${target.origin}/status/500`;
    const attempts = async (options = {}) => {
      const response = await rotator.get(url, options);
      await response.body.dump();
      return response.attempts.length;
    };
    expect(await attempts()).toBe(2);
    // Whole: retryStatusCodes are the defaults again.
    expect(await attempts({ retryPolicy: { maxAttempts: 5 } })).toBe(1);
    expect(await attempts({ retryPolicy: null })).toBe(1);
    rotator.retryPolicy = { ...fast, retryStatusCodes: [500], maxAttempts: 3 };
    expect(await attempts()).toBe(3);
    rotator.retryPolicy = null;
    expect(rotator.retryPolicy).toBeNull();
    expect(await attempts()).toBe(1);
  });

  it('F16d proxyId pins a request to one proxy, its retries too', async () => {
    const { rotator, target, proxies } = await rig([{ kind: 'ok' }, { kind: 'reset' }]);
    const error = await errorOf(rotator.get(target.url, { proxyId: proxies[1]?.id }));
    expect(ids(error['attempts'] as { proxyId: string }[])).toEqual(Array(3).fill(proxies[1]?.id));
    expect(await errorOf(rotator.get(target.url, { proxyId: 'nobody' }))).toMatchObject({
      code: 'INVALID_REQUEST',
    });
  });

  it('F18 407 and unlisted 4xx are final', async () => {
    const auth = await rig([{ kind: 'status', statusCode: 407 }, { kind: 'ok' }]);
    expect(await errorOf(auth.rotator.get(auth.target.url))).toMatchObject({
      code: 'PROXY_AUTHENTICATION',
      statusCode: 407,
    });
    expect(auth.proxies[1]?.stats.requests).toBe(0);
    // C6: the next requests avoid it.
    const response = await auth.rotator.get(auth.target.url);
    await response.body.dump();
    expect(response.attempts).toHaveLength(1);
    const missing = await auth.rotator.get(`${auth.target.origin}/nowhere`);
    await missing.body.dump();
    expect([missing.statusCode, missing.attempts.length]).toEqual([404, 1]);
  });

  it('C6 failoverOnProxyAuth fails over instead, also from a refused CONNECT', async () => {
    for (const tls of [false, true]) {
      const { rotator, target, proxies } = await rig(
        [{ kind: 'status', statusCode: 407 }, { kind: 'ok' }],
        { retryPolicy: { ...fast, failoverOnProxyAuth: true } },
        { tls },
      );
      const response = await rotator.get(target.url);
      await response.body.dump();
      expect(response.proxyId).toBe(proxies[1]?.id);
      expect(rotator.getCircuitBreakerStates().get(proxies[0]?.id ?? '')?.state).toBe('open');
    }
  });

  it('F18 an error that is not of the network is no failure of the proxy', async () => {
    const { rotator, target, told } = await rig([{ kind: 'ok' }, { kind: 'ok' }]);
    const bug = new Error('a bug in the body');
    async function* body() {
      yield 'a';
      throw bug;
    }
    const options = { body: body() as never, headers: { 'idempotency-key': 'k' } };
    expect(await errorOf(rotator.post(`${target.origin}/echo`, options))).toBe(bug);
    expect(told('attempt:end')).toMatchObject([{ blame: 'caller' }]);
    expect(told('retry:scheduled')).toEqual([]);
  });

  it('E5c the response through another proxy convicts those of which nothing was known', async () => {
    const { rotator, target, told } = await rig(
      [{ kind: 'close-after-connect' }, { kind: 'close-after-connect' }, { kind: 'ok' }],
      {},
      { tls: true },
    );
    await (await rotator.get(target.url)).body.dump();
    expect(told('attempt:end').map(({ blame, phase }) => [blame, phase])).toEqual([
      ['unknown', 'tls_target'],
      ['unknown', 'tls_target'],
      ['none', 'body'],
    ]);
    // Told as it was known at the time; settled since.
    const rates = rotator.proxies().map(({ successRate }) => successRate);
    expect(rates.slice(0, 2)).toEqual([0, 0]);
    expect(rates[2]).toBeGreaterThan(0.5);
  });

  it("E1 a listed status is the target's in a tunnel; E2 in absolute form it is uncertain", async () => {
    for (const [tls, blame, failureCount] of [
      [false, 'unknown', 3],
      [true, 'target', 0],
    ] as const) {
      const { rotator, target, told } = await rig([{ kind: 'ok' }], {}, { tls });
      await (await rotator.get(`${target.origin}/status/503`)).body.dump();
      expect(told('attempt:end').map((each) => each.blame)).toEqual(Array(3).fill(blame));
      const [state] = rotator.getCircuitBreakerStates().values();
      // E5b: one target alone is asked for, so what is uncertain counts.
      expect(state).toMatchObject({ state: 'closed', failureCount });
    }
  });

  it("C5 the caller's abort is neutral", async () => {
    const { rotator, target, told, next } = await rig([{ kind: 'hang' }]);
    const controller = new AbortController();
    const ended = errorOf(rotator.get(target.url, { signal: controller.signal }));
    await next('attempt:start');
    const why = new Error('enough');
    controller.abort(why);
    expect(await ended).toBe(why);
    expect(told('attempt:end')).toMatchObject([{ outcome: 'aborted', blame: 'caller' }]);
    const [state] = rotator.getCircuitBreakerStates().values();
    expect(state).toMatchObject({ failureCount: 0 });
  });

  it('an abort while a retry waits ends at once, and leaves no timer', async () => {
    const { rotator, target, next } = await rig([{ kind: 'reset' }], { retryPolicy: {} });
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout');
    const before = timers();
    const controller = new AbortController();
    const ended = errorOf(rotator.get(target.url, { signal: controller.signal }));
    await next('retry:scheduled');
    expect(rotator.inFlight()[0]?.nextRetryAt).toBeGreaterThan(0);
    controller.abort();
    expect((await ended).name).toBe('AbortError');
    expect(rotator.inFlight()).toEqual([]);
    // Those of the rig may have ended meanwhile.
    expect(timers().length).toBeLessThanOrEqual(before.length);
  });

  it('F14 inFlight shows the attempt and its proxy', async () => {
    const { rotator, target, proxies, next } = await rig([{ kind: 'reset' }, { kind: 'hang' }]);
    const controller = new AbortController();
    const ended = errorOf(rotator.get(target.url, { signal: controller.signal }));
    await next('retry:scheduled');
    await next('attempt:start');
    expect(rotator.inFlight()).toEqual([
      {
        requestId: 'r1',
        method: 'GET',
        origin: target.origin,
        attempt: 1,
        proxyId: proxies[1]?.id,
        nextRetryAt: undefined,
      },
    ]);
    controller.abort();
    await ended;
  });

  it('tags reach the selector', async () => {
    const { rotator, target, proxies } = await rig([{ kind: 'ok' }, { kind: 'ok' }], {
      proxies: [],
      strategy: roundRobin(),
    });
    const [a, b] = proxies.map(({ url }) => url) as [string, string];
    rotator.setProxies([
      { url: a, id: 'a', tags: ['home'] },
      { url: b, id: 'b', tags: ['home', 'fast'] },
    ]);
    const view = rotator.with({ tags: ['fast'] });
    for (let i = 0; i < 3; i++) {
      const response = await view.get(target.url);
      await response.body.dump();
      expect(response.proxyId).toBe('b');
    }
    const none = await errorOf(rotator.get(target.url, { tags: ['slow'] }));
    expect(none).toMatchObject({ code: 'NO_PROXIES', message: 'no proxy has the tags slow' });
  });
});
