import { startProxy, startSocks, startTarget, type Behaviour } from '@whirl/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { parseProxy, parseProxyList, ProxyRotator, type RotatorOptions } from './index.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function rig(behaviours: Behaviour[], options: RotatorOptions = {}, tls = false) {
  const target = await startTarget({ tls });
  const proxies = await Promise.all(behaviours.map((behaviour) => startProxy({ behaviour })));
  const rotator = new ProxyRotator({
    proxies: proxies.map(({ url }) => url),
    retryPolicy: { failoverDelay: 'none', baseDelayMs: 100 },
    tls: { ca: target.ca },
    ...options,
  });
  open.push(target, ...proxies, { close: () => rotator.destroy() });
  return { target, proxies, rotator };
}

describe('ProxyRotator', () => {
  for (const tls of [false, true]) {
    it(`C2 reaches an ${tls ? 'https' : 'http'} target`, async () => {
      const { rotator, target, proxies } = await rig([{ kind: 'ok' }], {}, tls);
      const response = await rotator.get(target.url);
      expect(response.statusCode).toBe(200);
      expect(await response.body.json()).toMatchObject({ ok: true });
      expect(proxies[0]?.stats.connects).toBe(tls ? 1 : 0);
    });

    it(`F3 fails over from bad proxies to the good one (${tls ? 'https' : 'http'})`, async () => {
      const { rotator, target } = await rig(
        [{ kind: 'reset' }, { kind: 'close-after-connect' }, { kind: 'ok' }],
        {},
        tls,
      );
      for (let i = 0; i < 5; i++) {
        const response = await rotator.get(target.url);
        expect(response.statusCode).toBe(200);
        await response.body.dump();
        const ids = response.attempts.map(({ proxyId }) => proxyId);
        expect(new Set(ids).size).toBe(ids.length);
      }
      const summary = rotator.getRetryMetrics().getSummary();
      expect(summary.totalAttempts).toBe(summary.totalRequests + summary.totalRetries);
    });
  }

  it('C1 SOCKS5 with credentials reaches http and https targets; wrong ones are refused', async () => {
    for (const tls of [false, true]) {
      const { rotator, target } = await rig([], {}, tls);
      const socks = await startSocks({ username: 'ann', password: 's3cret' });
      open.push(socks);
      rotator.addProxy(socks.url);
      const response = await rotator.get(target.url);
      expect(await response.body.json()).toMatchObject({ ok: true });
      expect(response.proxyId).toBe(`ann@127.0.0.1:${socks.port}`);
      rotator.removeProxy(socks.id);
      rotator.addProxy(`socks5://ann:wrong@127.0.0.1:${socks.port}`);
      const error = await rotator.get(target.url).catch((e: unknown) => e);
      expect(error).toMatchObject({ code: 'PROXY_AUTHENTICATION' });
      expect(JSON.stringify(error)).not.toContain('wrong');
    }
  });

  it('C3 a proxy that closes after CONNECT is dialled once per attempt', async () => {
    const { rotator, target, proxies } = await rig(
      [{ kind: 'close-after-connect' }],
      { retryPolicy: null },
      true,
    );
    await expect(rotator.get(target.url)).rejects.toMatchObject({ code: 'RETRIES_EXHAUSTED' });
    expect(proxies[0]?.stats.connections).toBe(1);
  });

  it('C3 a silent proxy ends at the attempt deadline', async () => {
    const { rotator, target } = await rig([{ kind: 'hang' }], {
      retryPolicy: { maxAttempts: 1, attemptTimeoutMs: 100 },
    });
    const error = await rotator.get(target.url).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'RETRIES_EXHAUSTED', cause: { code: 'ATTEMPT_TIMEOUT' } });
  });

  it('C6 407 ends the request and opens the circuit', async () => {
    const { rotator, target } = await rig([{ kind: 'status', statusCode: 407 }], {}, true);
    await expect(rotator.get(target.url)).rejects.toMatchObject({ code: 'PROXY_AUTHENTICATION' });
    await expect(rotator.get(target.url)).rejects.toMatchObject({
      code: 'ALL_PROXIES_UNAVAILABLE',
    });
  });

  it('F4 POST is retried when nothing was sent, and not after', async () => {
    const { rotator, target } = await rig([{ kind: 'refuse' }, { kind: 'ok' }]);
    for (let i = 0; i < 4; i++) {
      const response = await rotator.post(`${target.origin}/echo`, { body: 'hello' });
      expect(await response.body.text()).toBe('hello');
    }
    const bad = await rig([{ kind: 'reset' }]);
    await expect(bad.rotator.post(bad.target.url, { body: 'x' })).rejects.toMatchObject({
      code: 'PROXY_CONNECTION',
    });
    expect(bad.proxies[0]?.stats.requests).toBe(1);
  });

  it('F6 a listed status on the last attempt is returned', async () => {
    const { rotator, target } = await rig([{ kind: 'ok' }]);
    const response = await rotator.get(`${target.origin}/status/503`);
    expect(response.statusCode).toBe(503);
    await response.body.dump();
    expect(response.attempts).toHaveLength(3);
  });

  it('F9 timeoutMs always ends in RequestTimeoutError', async () => {
    const { rotator, target } = await rig([{ kind: 'hang' }], { retryPolicy: { timeoutMs: 100 } });
    await expect(rotator.get(target.url)).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
  });

  it('F11 an empty pool has its own code', async () => {
    await expect(new ProxyRotator().get('http://x.test/')).rejects.toMatchObject({
      code: 'NO_PROXIES',
    });
  });

  it('F16 the built-in fetch works through the dispatcher, POST included', async () => {
    const { rotator, target } = await rig([{ kind: 'refuse' }, { kind: 'ok' }]);
    const response = await rotator.fetch(`${target.origin}/echo`, { method: 'POST', body: 'hi' });
    expect(await response.text()).toBe('hi');
  });

  it('F17 proxies in every shape; errors never show the password', () => {
    expect(parseProxy('h:1:u:p')).toMatchObject({ id: 'u@h:1', password: 'p' });
    expect(parseProxy('u:p@h:1').id).toBe('u@h:1');
    expect(parseProxy('http://h:80').id).toBe('h:80');
    expect(JSON.stringify(parseProxy('u:hunter2@h:1'))).not.toContain('hunter2');
    expect(() => parseProxy('ftp://u:hunter2@h:1')).toThrow(/^(?!.*hunter2)/);
    expect(() => parseProxyList('h:1\n# no\nbad')).toThrow(/line 3/);
  });
});
