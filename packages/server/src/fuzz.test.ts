import { ProxyRotator } from '@whirl/rotator';
import { seededRandom, startProxy } from '@whirl/testkit';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { buildApp } from './app.ts';
import { callsOf, valuesOf, type Call, type Schema } from './testing/arbitraries.ts';
import { conformanceOf, type Operation } from './testing/conformance.ts';

const seed = 20_261_125;

/** What has gone wrong before: tried first, whatever the seed. */
const examples: Readonly<Record<string, readonly [path: string, payload: unknown][]>> = {
  addProxy: [
    ['/api/v1/proxies', { url: '127.0.0.1:1' }],
    ['/api/v1/proxies', { host: '127.0.0.1', port: 7, protocol: 'socks5' }],
    ['/api/v1/proxies', { url: 'h1:1', id: 'a\ud800' }],
    ['/api/v1/proxies', { url: 'h1:1:\ud800:p' }],
    ['/api/v1/proxies', { url: 'h1:1:u:\udfff' }],
  ],
  importProxies: [
    ['/api/v1/proxies/import', ['ok:1', 'h:1:\ud800:p']],
    ['/api/v1/proxies/import?format=http://bob:hunter2@127.0.0.1:2', ['ok:1']],
  ],
};

async function startApp(rotator: ProxyRotator) {
  const app = await buildApp({ rotator, dashboard: false });
  onTestFinished(async () => {
    await app.close();
    await rotator.destroy();
  });
  return { app, conformance: conformanceOf(app) };
}

describe('A11 whatever comes in', () => {
  it('A11 thousands of requests to every operation: each response is documented, none is a 500', async () => {
    const ids = ['127.0.0.1:1', 'bob@127.0.0.1:2'];
    const rotator = new ProxyRotator({
      proxies: ['127.0.0.1:1', 'http://bob:hunter2@127.0.0.1:2'],
    });
    const { app, conformance } = await startApp(rotator);
    const { operations, schemas, check } = conformance;
    const seen = new Map<string, Set<number>>();
    // The stream of events never ends, and sending has a fuzz of its own below.
    const fuzzed = operations.filter(
      ({ operationId }) => operationId !== 'streamEvents' && operationId !== 'sendRequest',
    );
    for (const operation of fuzzed) {
      const { method, operationId } = operation;
      const statuses = new Set<number>();
      seen.set(operationId, statuses);
      await fc.assert(
        fc.asyncProperty(callsOf(operation, schemas, ids), async ({ url, headers, payload }) => {
          const response = await app.inject({
            method: method as 'GET',
            url,
            headers,
            ...(payload === undefined ? {} : { payload }),
          });
          statuses.add(response.statusCode);
          check(method, url, response);
          expect(response.statusCode).not.toBe(500);
          expect(response.body).not.toContain('hunter2');
        }),
        { seed, numRuns: payloadRuns(operation), examples: examplesOf(operation) },
      );
    }
    expect(fuzzed.length).toBeGreaterThan(18);
    // The fuzz reaches the good paths as well as the bad ones.
    const reached = (operationId: string) => [...(seen.get(operationId) ?? [])];
    expect(reached('replaceRetryPolicy')).toEqual(expect.arrayContaining([200, 400]));
    expect(reached('changeRetryPolicy')).toEqual(expect.arrayContaining([200, 400]));
    expect(reached('addProxy')).toEqual(expect.arrayContaining([201, 400, 409]));
    expect(reached('importProxies')).toEqual(expect.arrayContaining([201, 400]));
    expect(reached('getCircuitBreaker')).toEqual(expect.arrayContaining([200, 400, 404]));
    expect(reached('resetCircuitBreaker')).toEqual(expect.arrayContaining([200, 400, 404]));
    expect(reached('getRetryTimeseries')).toEqual(expect.arrayContaining([200, 400]));
  });

  it('A11 thousands of requests to send: 502, 503 and 504 only for their reasons', async () => {
    const random = seededRandom(seed);
    // Nothing is forwarded: every answer is the proxy's own, so no address outside is ever dialled.
    const parts = [
      { ratio: 0.6, behaviour: { kind: 'status', statusCode: 200 } },
      { ratio: 0.1, behaviour: { kind: 'status', statusCode: 503 } },
      { ratio: 0.1, behaviour: { kind: 'reset' } },
      { ratio: 0.1, behaviour: { kind: 'garbage' } },
      { ratio: 0.1, behaviour: { kind: 'status', statusCode: 407 } },
    ] as const;
    const proxy = await startProxy({ behaviour: { kind: 'mix', parts }, random });
    onTestFinished(() => proxy.close());
    const rotator = new ProxyRotator({
      proxies: [proxy.url],
      retryPolicy: { maxAttempts: 1 },
      circuitBreaker: { openMs: 1 },
    });
    const { app, conformance } = await startApp(rotator);
    const operation = conformance.operations.find((each) => each.operationId === 'sendRequest');
    if (operation === undefined) throw new Error('sendRequest is not documented');
    const statuses = new Map<number, Set<string>>();
    const schema = operation.requestBody?.content['application/json']?.schema as Schema;
    const wanted = fc
      .tuple(
        valuesOf(schema, conformance.schemas),
        fc.constantFrom('http://t.invalid/', 'http://t.invalid:81/x?y', 'https://t.invalid/', 'x'),
        fc.boolean(),
      )
      .map(([value, url, sane]) => {
        if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
        // One attempt, so that no retry waits its delay; a bound, so that nothing hangs.
        const policy = { max_attempts: 1, timeout: 5 };
        const {
          headers: _headers,
          region: _region,
          tags: _tags,
          proxy_id: _id,
          ...rest
        } = value as Record<string, unknown>;
        return sane
          ? {
              url,
              ...(rest.method === 'POST' ? { method: 'POST', body: 'x' } : {}),
              retry_policy: policy,
            }
          : { ...value, url, retry_policy: policy };
      });
    await fc.assert(
      fc.asyncProperty(wanted, async (payload) => {
        const response = await app.inject({
          method: 'POST',
          url: operation.path,
          headers: { 'content-type': 'application/json' },
          payload: JSON.stringify(payload),
        });
        conformance.check('POST', operation.path, response);
        expect(response.statusCode).not.toBe(500);
        const { error = '' } = response.json<{ error?: string }>();
        statuses.set(
          response.statusCode,
          (statuses.get(response.statusCode) ?? new Set()).add(error),
        );
      }),
      { seed, numRuns: 3000 },
    );
    const bad = ['retries_exhausted', 'proxy_authentication', 'body_failed', 'proxy_connection'];
    const unavailable = ['all_proxies_unavailable', 'proxies_busy', 'no_proxies'];
    expect([...statuses.keys()]).toEqual(expect.arrayContaining([200, 400, 502]));
    for (const error of statuses.get(502) ?? []) expect(bad).toContain(error);
    for (const error of statuses.get(503) ?? []) expect(unavailable).toContain(error);
    for (const error of statuses.get(504) ?? []) expect(error).toBe('request_timeout');
  });
});

function examplesOf({ operationId }: Operation): [Call][] {
  const headers = { 'content-type': 'application/json' };
  return (examples[operationId] ?? []).map(([url, payload]) => [
    { url, headers, payload: JSON.stringify(payload) },
  ]);
}

function payloadRuns({ requestBody, path }: Operation): number {
  if (requestBody !== undefined) return 1000;
  return path.includes('{') ? 400 : 100;
}
