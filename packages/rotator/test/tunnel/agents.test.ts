import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { startTarget, type Behaviour } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { errorOf, fast } from '../support/pool-rig.ts';
import { use } from '../support/rig.ts';
import { tunnelRig } from '../support/tunnel-rig.ts';

/** Five that never open a way, and one that works. */
const dead: readonly Behaviour[] = [
  { kind: 'refuse' },
  { kind: 'close' },
  { kind: 'reset' },
  { kind: 'status', statusCode: 503 },
  { kind: 'garbage' },
];
const deadAndGood: readonly Behaviour[] = [...dead, { kind: 'ok' }];

interface Answer {
  readonly statusCode: number | undefined;
  readonly text: string;
}

function ask(url: string, options: https.RequestOptions, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { request } = url.startsWith('https:') ? https : http;
    const asked = request(url, options, async (response) => {
      let text = '';
      for await (const chunk of response) text += String(chunk);
      resolve({ statusCode: response.statusCode, text });
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

describe('agents()', () => {
  it('T12 node:http and node:https see no dead proxy', async () => {
    for (const tls of [false, true]) {
      const target = use(await startTarget({ tls }));
      const { rotator, proxies, told } = await tunnelRig(deadAndGood, { tls: { ca: target.ca } });
      const agent = rotator.agents()[tls ? 'https' : 'http'];
      const answer = await ask(`${target.url}echo`, { agent, method: 'POST' }, 'hello');
      expect(answer).toEqual({ statusCode: 200, text: 'hello' });
      expect(told('attempt:end').map(({ outcome }) => outcome)).toEqual([
        ...Array<string>(5).fill('failure'),
        'success',
      ]);
      expect(told('tunnel:open')).toMatchObject([{ proxyId: proxies[5]?.id }]);
      expect(rotator.proxies().map(({ inFlight }) => inFlight)).toEqual([0, 0, 0, 0, 0, 1]);
      await rotator.close();
      expect(told('tunnel:end')).toMatchObject([{ closedBy: 'close' }]);
    }
  });

  it('T12 TLS that fails through a proxy fails over, inside of the connection', async () => {
    const target = use(await startTarget({ tls: true }));
    const kinds = ['close-after-connect', 'plain-after-connect', 'silent-after-connect'] as const;
    const { rotator } = await tunnelRig([...kinds.map((kind) => ({ kind })), { kind: 'ok' }], {
      tls: { ca: target.ca },
      retryPolicy: { ...fast, maxAttempts: 10, attemptTimeoutMs: 500 },
    });
    const agent = rotator.agents().https;
    expect((await ask(target.url, { agent })).statusCode).toBe(200);
  });

  it('T12 connections are kept, and close() does not wait for one that is idle', async () => {
    const target = use(await startTarget());
    const { rotator, told } = await tunnelRig([{ kind: 'ok' }, { kind: 'ok' }]);
    const { http: agent } = rotator.agents({ sessionId: 'basket-17', region: 'eu' });
    for (let i = 0; i < 3; i++) expect((await ask(target.url, { agent })).statusCode).toBe(200);
    expect(told('tunnel:open')).toHaveLength(1);
    const [name] = Object.keys(agent.freeSockets);
    expect(name).toContain('basket-17');
    expect(name).toContain('eu');
    const { http: single } = rotator.agents({ keepAlive: false });
    for (let i = 0; i < 2; i++) await ask(target.url, { agent: single });
    expect(told('tunnel:open').map(({ proxyId }) => proxyId)).toHaveLength(3);
    // Far beyond the deadline of the test.
    await rotator.close({ graceMs: 600_000 });
    expect(told('tunnel:end')).toHaveLength(3);
    expect(await errorOf(ask(target.url, { agent }))).toMatchObject({ code: 'CLOSED' });
  });

  it('T12 a request that is given up while its connection is opened frees the attempt', async () => {
    const { rotator, told, next, proxies } = await tunnelRig([{ kind: 'hang' }]);
    const started = next('attempt:start');
    const request = http.get('http://target.test/', { agent: rotator.agents().http });
    const failed = once(request, 'error');
    await started;
    request.destroy();
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
    await proxies[0]?.idle();
    expect(rotator.proxies()).toMatchObject([{ inFlight: 0 }]);
    expect(told('attempt:end')).toMatchObject([{ outcome: 'aborted', blame: 'caller' }]);
  });

  it('T12 the error of the request is the one of connect()', async () => {
    const { rotator } = await tunnelRig(dead);
    const { http: agent } = rotator.agents({
      retryPolicy: { maxAttempts: 2, failoverDelay: 'none' },
    });
    const error = await errorOf(ask('http://target.test/', { agent }));
    expect(error).toMatchObject({ code: 'RETRIES_EXHAUSTED' });
    expect(error['attempts']).toHaveLength(2);
    expect(() => rotator.agents({ keepAlive: 1 as never })).toThrow('keepAlive must be true or');
    expect(() => rotator.agents({ sesionId: 'a' } as never)).toThrow(/did you mean "sessionId"/);
  });

  it("T12 TLS settings of a request hold beside the rotator's", async () => {
    const target = use(await startTarget({ tls: true }));
    const { rotator } = await tunnelRig([{ kind: 'ok' }], { retryPolicy: null });
    const { https: agent } = rotator.agents({ keepAlive: false });
    const refused = await errorOf(ask(target.url, { agent }));
    expect(refused).toMatchObject({ cause: { code: 'TARGET_CONNECTION' } });
    for (const options of [{ ca: target.ca }, { rejectUnauthorized: false }]) {
      expect((await ask(target.url, { agent, ...options })).statusCode).toBe(200);
    }
  });

  it('T12 a timeout of the request fires while the target is silent', async () => {
    const target = use(await startTarget());
    const { rotator } = await tunnelRig([{ kind: 'ok' }]);
    const { http: agent } = rotator.agents();
    const request = http.get(`${target.url}delay/5000`, { agent, timeout: 50 });
    request.on('error', () => {});
    await once(request, 'timeout');
    request.destroy();
    expect(rotator.size).toBe(1);
  });
});
