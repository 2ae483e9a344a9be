import { ProxyRotator, type RotatorOptions } from '@whirl/rotator';
import { startProxy, startTarget } from '@whirl/testkit';
import { fetch, ProxyAgent, request, type Dispatcher } from 'undici';
import { afterEach, expect } from 'vitest';
import { rowsOf } from './rows.ts';

const row = rowsOf('proxy-agent');
const opened: { close(): Promise<unknown> }[] = [];
const use = <Resource extends { close(): Promise<unknown> }>(resource: Resource): Resource => {
  opened.push(resource);
  return resource;
};
afterEach(async () => {
  for (const each of opened.splice(0).toReversed()) await quiet(each.close());
});

const quiet = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);

/** Both, over the same proxies, and what a call through each of them gives. */
function pair(theirs: ProxyAgent.Options, ours: RotatorOptions) {
  const agent = new ProxyAgent(theirs);
  use({ close: () => agent.destroy() });
  const rotator = new ProxyRotator(ours);
  use({ close: () => rotator.destroy() });
  const through = async <Answer>(call: (dispatcher: Dispatcher) => Promise<Answer>) => [
    await call(agent),
    await call(rotator.dispatcher as unknown as Dispatcher),
  ];
  return { agent, rotator, through };
}
const text = (url: string) => async (dispatcher: Dispatcher) =>
  (await fetch(url, { dispatcher })).text();

row(1, 'new ProxyAgent(uri) is the dispatcher of a rotator', async () => {
  const target = use(await startTarget());
  const proxy = use(await startProxy());
  const { through } = pair({ uri: proxy.url }, { proxies: [proxy.url] });
  const [theirs, ours] = await through(text(`${target.origin}/`));
  expect(ours).toBe(theirs);
  expect(JSON.parse(ours!)).toMatchObject({ ok: true });
  const statuses = through(async (dispatcher) => {
    const { statusCode, body } = await request(`${target.origin}/status/404`, { dispatcher });
    await body.dump();
    return statusCode;
  });
  expect(await statuses).toEqual([404, 404]);
  expect(proxy.stats.connections).toBeGreaterThan(1);
});

row(2, 'token is the credentials in the URL', async () => {
  const target = use(await startTarget());
  const proxy = use(await startProxy({ username: 'ann', password: 'p@ss' }));
  const token = `Basic ${Buffer.from('ann:p@ss').toString('base64')}`;
  const { host } = new URL(proxy.url);
  const { through } = pair({ uri: proxy.url, token }, { proxies: [`http://ann:p%40ss@${host}`] });
  const [theirs, ours] = await through(text(`${target.origin}/`));
  expect(ours).toBe(theirs);
});

row(3, 'requestTls is tls', async () => {
  const target = use(await startTarget({ tls: true }));
  const proxy = use(await startProxy());
  const ca = target.ca!;
  const { through } = pair(
    { uri: proxy.url, requestTls: { ca } },
    { proxies: [proxy.url], tls: { ca } },
  );
  const [theirs, ours] = await through(text(`${target.origin}/`));
  expect(ours).toBe(theirs);
});

row(4, 'proxyTls is proxyTls', async () => {
  const target = use(await startTarget());
  const proxy = use(await startProxy({ tls: true }));
  const ca = proxy.ca!;
  const { through } = pair(
    { uri: proxy.url, proxyTls: { ca } },
    { proxies: [proxy.url], proxyTls: { ca } },
  );
  const [theirs, ours] = await through(text(`${target.origin}/`));
  expect(ours).toBe(theirs);
});

row(5, 'differs: a dead proxy is an error there, and a failover here', async () => {
  const target = use(await startTarget());
  const [dead, alive] = [
    use(await startProxy({ behaviour: { kind: 'refuse' } })),
    use(await startProxy()),
  ];
  const { agent, rotator } = pair(
    { uri: dead.url },
    { proxies: [dead.url, alive.url], retryPolicy: { failoverDelay: 'none' } },
  );
  const failed = (await quiet(fetch(`${target.origin}/`, { dispatcher: agent }))) as Error;
  expect(failed.message).toBe('fetch failed');
  for (let i = 0; i < 5; i++) {
    const { statusCode, body } = await rotator.get(`${target.origin}/`);
    expect(statusCode).toBe(200);
    await body.dump();
  }
});

row(6, 'differs: a 503 is the response there, and is retried here', async () => {
  const target = use(await startTarget());
  const proxies = [use(await startProxy()), use(await startProxy())];
  const { agent, rotator } = pair(
    { uri: proxies[0]!.url },
    { proxies: proxies.map(({ url }) => url), retryPolicy: { baseDelayMs: 100 } },
  );
  const theirs = await fetch(`${target.origin}/status/503`, { dispatcher: agent });
  expect([theirs.status, target.requests]).toEqual([503, 1]);
  const { statusCode, body, attempts } = await rotator.get(`${target.origin}/status/503`);
  await body.dump();
  expect([statusCode, attempts.length, target.requests]).toEqual([503, 3, 4]);
  const once = await rotator.get(`${target.origin}/status/503`, { retryPolicy: null });
  await once.body.dump();
  expect([once.statusCode, target.requests]).toEqual([503, 5]);
});
