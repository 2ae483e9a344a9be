import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ok, startFixture } from '../testing/fixture.ts';

const url = '/api/v1/request';

/** A target that answers as a test wants. */
async function serveOnce(listener: http.RequestListener): Promise<string> {
  const server = http.createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

describe('A5 POST /request', () => {
  it('A5 sends through a proxy and shows the way it took', async () => {
    const { send, proxies, target } = await startFixture({ behaviours: [ok] });
    const response = await send('POST', url, {
      url: `${target.origin}/echo`,
      method: 'POST',
      headers: { 'content-type': 'text/x-demo', 'x-mine': 'yes' },
      body: 'grüße',
    });
    expect(response.statusCode).toBe(200);
    const answer = response.json<{ attempts: { latency: number }[] }>();
    expect(answer).toMatchObject({
      status_code: 200,
      headers: { 'content-type': 'text/x-demo', 'x-method': 'POST' },
      body: 'grüße',
      body_encoding: 'utf8',
      proxy_id: proxies[0]?.id,
      attempts: [
        {
          attempt: 0,
          proxy_id: proxies[0]?.id,
          outcome: 'success',
          status_code: 200,
          delay_before: 0,
        },
      ],
    });
    expect(target.received[0]?.headers).toMatchObject({ 'x-mine': 'yes' });
    expect(proxies[0]?.stats.requests).toBe(1);
  });

  it('A5 a retry shows up as a second attempt with its delay', async () => {
    const { send, target } = await startFixture({
      behaviours: [{ kind: 'status', statusCode: 503 }],
    });
    const response = await send('POST', url, {
      url: target.url,
      retry_policy: { max_attempts: 2, base_delay: 0.1 },
    });
    expect(response.json()).toMatchObject({
      status_code: 503,
      attempts: [
        { attempt: 0, outcome: 'failure', status_code: 503, delay_before: 0 },
        { attempt: 1, outcome: 'failure', status_code: 503 },
      ],
    });
    const [, second] = response.json<{ attempts: { delay_before: number }[] }>().attempts;
    expect(second?.delay_before).toBeGreaterThanOrEqual(0.1);
  });

  it('A5 retry_policy: null makes one attempt', async () => {
    const { send, target } = await startFixture({
      behaviours: [{ kind: 'status', statusCode: 503 }],
    });
    const response = await send('POST', url, { url: target.url, retry_policy: null });
    expect(response.json<{ attempts: unknown[] }>().attempts).toHaveLength(1);
  });

  it('A5 bytes that are no UTF-8 travel as base64, both ways', async () => {
    const { send } = await startFixture({ behaviours: [ok] });
    const bytes = Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28]);
    const echo = await serveOnce((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => response.end(Buffer.concat(chunks)));
    });
    const response = await send('POST', url, {
      url: echo,
      method: 'PUT',
      body: bytes.toString('base64'),
      body_encoding: 'base64',
    });
    expect(response.json()).toMatchObject({
      body: bytes.toString('base64'),
      body_encoding: 'base64',
    });
  });

  it('A5 a byte order mark survives', async () => {
    const { send } = await startFixture({ behaviours: [ok] });
    const marked = await serveOnce((_request, response) => response.end('\ufefftext'));
    expect((await send('POST', url, { url: marked })).json()).toMatchObject({
      body: '\ufefftext',
      body_encoding: 'utf8',
    });
  });

  it('A5 a status above 599 is passed on as it is', async () => {
    const { send, target } = await startFixture({ behaviours: [ok] });
    const sent = await send('POST', '/api/v1/request', { url: `${target.origin}/status/799` });
    expect(sent.json()).toMatchObject({ status_code: 799, attempts: [{ status_code: 799 }] });
  });

  it('A5 several set-cookie headers stay apart', async () => {
    const { send } = await startFixture({ behaviours: [ok] });
    const cookies = await serveOnce((_request, response) =>
      response.writeHead(200, { 'set-cookie': ['a=1', 'b=2'] }).end(),
    );
    expect((await send('POST', url, { url: cookies })).json()).toMatchObject({
      headers: { 'set-cookie': ['a=1', 'b=2'] },
    });
  });

  it('A5 a body of 10 MiB is passed on, one byte more is a 502 of its own', async () => {
    const { send, target } = await startFixture({ behaviours: [ok] });
    const most = 10 * 1024 * 1024;
    const good = await send('POST', url, { url: `${target.origin}/bytes/${most}` });
    expect(good.json<{ body: string }>().body).toHaveLength(most);
    const bad = await send('POST', url, { url: `${target.origin}/bytes/${most + 1}` });
    expect(bad.statusCode).toBe(502);
    expect(bad.json()).toMatchObject({ error: 'body_too_large' });
  });

  it('A5 all circuits open: 503 with Retry-After, none when all are forced', async () => {
    const { send, rotator, target } = await startFixture({
      rotator: {
        proxies: ['127.0.0.1:1'],
        retryPolicy: { maxAttempts: 1 },
        circuitBreaker: { failureThreshold: 1, openMs: 20_000 },
      },
    });
    await rotator.get(target.url).catch(() => {});
    const open = await send('POST', url, { url: target.url });
    expect(open.statusCode).toBe(503);
    expect(open.json()).toMatchObject({ error: 'all_proxies_unavailable' });
    expect(open.headers['retry-after']).toMatch(/^(19|20)$/);
    rotator.forceOpenCircuitBreaker('127.0.0.1:1');
    const forced = await send('POST', url, { url: target.url });
    expect(forced.statusCode).toBe(503);
    expect(forced.headers).not.toHaveProperty('retry-after');
    expect(target.requests).toBe(0);
  });

  it('A5 an empty pool is a 503: nothing is sent without a proxy', async () => {
    const { send, target } = await startFixture();
    const response = await send('POST', url, { url: target.url });
    expect(response.statusCode).toBe(503);
    expect(response.json()).toMatchObject({ error: 'no_proxies' });
    expect(target.requests).toBe(0);
  });

  it('A5 retries exhausted: 502 with each attempt', async () => {
    const { send, target } = await startFixture({ behaviours: [{ kind: 'reset' }] });
    const response = await send('POST', url, {
      url: target.url,
      retry_policy: { max_attempts: 2, base_delay: 0.1 },
    });
    expect(response.statusCode).toBe(502);
    expect(response.json()).toMatchObject({
      error: 'retries_exhausted',
      details: { attempts: [{ attempt: 0, outcome: 'failure' }, { attempt: 1 }] },
    });
  });

  it('A12 a tunnel that the proxies of the demo refuse is a 502 with the reason', async () => {
    const demoTarget = 'http://127.0.0.1:9/';
    const behaviours = [{ kind: 'status', statusCode: 403 }] as const;
    const foreign = { url: 'https://example.com/', retry_policy: null };
    const demo = await startFixture({ mode: 'demo', demoTarget, behaviours });
    const refused = (await demo.send('POST', url, foreign)).json<{ message: string }>();
    expect(refused.message).toMatch(
      /responded to CONNECT with 403.*; this is a demo: its proxies reach http:\/\/127\.0\.0\.1:9\/ alone$/,
    );
    const live = await startFixture({ behaviours });
    const plain = (await live.send('POST', url, foreign)).json<{ message: string }>();
    expect(plain.message).toMatch(/responded to CONNECT with 403$/);
  });

  it('A5 the message of a request that gave up has each error once', async () => {
    const { send, proxies } = await startFixture({
      behaviours: [{ kind: 'status', statusCode: 403 }],
    });
    const refused = await send('POST', url, { url: 'https://example.com/', retry_policy: null });
    expect(refused.json<{ message: string }>().message).toBe(
      `gave up after 1 attempt: ${proxies[0]?.id} responded to CONNECT with 403`,
    );
  });

  it('A5 the total timeout: 504, also while the body arrives', async () => {
    const { send, target } = await startFixture({ behaviours: [ok] });
    const slow = await send('POST', url, {
      url: `${target.origin}/delay/60000`,
      retry_policy: { timeout: 0.2 },
    });
    expect(slow.statusCode).toBe(504);
    expect(slow.json()).toMatchObject({ error: 'request_timeout' });
    const stalling = await serveOnce((_request, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('half');
    });
    const cut = await send('POST', url, { url: stalling, retry_policy: { timeout: 0.2 } });
    expect(cut.statusCode).toBe(504);
  });

  it('A5 a body cut after its headers is a 502', async () => {
    const { send, target } = await startFixture({ behaviours: [ok] });
    const response = await send('POST', url, { url: `${target.origin}/cut` });
    expect(response.statusCode).toBe(502);
  });

  it.each([
    [{ url: 'ftp://a/' }, 'url'],
    [{ url: 'file:///etc/passwd' }, 'url'],
    [{ url: '/relative' }, 'url'],
    [{ url: 'http://bob:hunter2@a/' }, 'url'],
    [{}, 'url'],
    [{ url: 'http://a/', method: 'CONNECT' }, 'method'],
    [{ url: 'http://a/', headers: { 'bad name': 'x' } }, 'headers.bad name'],
    [{ url: 'http://a/', headers: { 'x-a': 'line\r\nbreak' } }, 'headers.x-a'],
    [
      { url: 'http://a/', headers: { 'Transfer-Encoding': 'chunked' } },
      'headers.Transfer-Encoding',
    ],
    [{ url: 'http://a/', body: '!', body_encoding: 'base64' }, 'body'],
    [{ url: 'http://a/', retry_policy: { max_attempts: 99 } }, 'retry_policy.max_attempts'],
    [{ url: 'http://a/', nope: 1 }, 'nope'],
  ])('A5 %j is refused by field, without its secrets', async (payload, field) => {
    const { send } = await startFixture({ rotator: { proxies: ['127.0.0.1:1'] } });
    const response = await send('POST', url, payload);
    expect(response.statusCode).toBe(400);
    expect(Object.keys(response.json<{ details: object }>().details)).toEqual([field]);
    expect(response.body).not.toContain('hunter2');
  });

  it('A5 a pinned proxy that is not there is a 400', async () => {
    const { send, target } = await startFixture({ behaviours: [ok] });
    const response = await send('POST', url, { url: target.url, proxy_id: 'nobody' });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ error: 'invalid_request' });
  });

  it('A5 a caller that goes away ends its request', async () => {
    const { app, rotator, target } = await startFixture({ behaviours: [ok] });
    const address = await app.listen({ port: 0 });
    const ended = new Promise<string>((resolve) => {
      rotator.bus.on('request:end', ({ outcome }) => resolve(outcome));
    });
    const started = new Promise((resolve) => rotator.bus.on('attempt:start', resolve));
    const caller = new AbortController();
    const sent = fetch(`${address}${url}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ url: `${target.origin}/delay/60000` }),
      signal: caller.signal,
    }).catch(() => 'gone');
    await started;
    caller.abort();
    expect(await sent).toBe('gone');
    expect(await ended).toBe('aborted');
  });
});
