import { describe, expect, it } from 'vitest';
import { ok, startFixture } from './testing/fixture.ts';

const token = 'correct-horse-battery';
const policy = '/api/v1/retry/policy';
const bearer = (value: string) => ({ authorization: `Bearer ${value}` });

describe('A8 secure by default', () => {
  it.each([
    'localhost',
    'localhost:8000',
    '127.0.0.1:8000',
    '[::1]:8000',
    'whirl.localhost',
    'LOCALHOST',
  ])('A8 the Host %s is answered', async (host) => {
    const { app } = await startFixture();
    expect((await app.inject({ url: policy, headers: { host } })).statusCode).toBe(200);
  });

  it.each([
    'evil.example.com',
    'localhost.evil.example.com',
    'evil.example.com:8000',
    '10.0.0.1',
    '127.0.0.1.evil.example.com',
    'localhost@evil.example.com',
    'localhost evil',
  ])('A8 the Host %j is refused', async (host) => {
    const { app } = await startFixture();
    for (const url of [policy, '/metrics', '/', '/docs', '/openapi.json']) {
      const response = await app.inject({ url, headers: { host } });
      expect(response.statusCode).toBe(403);
      expect(response.json()).toMatchObject({ error: 'forbidden_host' });
    }
    expect((await app.inject({ url: '/health/live', headers: { host } })).statusCode).toBe(200);
  });

  it('A8 on another address its own name, IP addresses and the listed names are answered', async () => {
    const { app } = await startFixture({
      host: '0.0.0.0',
      token,
      allowedHosts: ['whirl.example.com'],
    });
    const statusOf = async (host: string) =>
      (await app.inject({ url: policy, headers: { host, ...bearer(token) } })).statusCode;
    expect(await statusOf('whirl.example.com:8000')).toBe(200);
    expect(await statusOf('10.0.0.1')).toBe(200);
    expect(await statusOf('evil.example.com')).toBe(403);
  });

  it.each([
    { origin: 'https://evil.example.com' },
    { origin: 'null' },
    { origin: 'http://localhost:9999' },
    { 'sec-fetch-site': 'cross-site' },
  ])('A8 a page from elsewhere (%j) cannot change anything', async (headers) => {
    const { send, rotator } = await startFixture({ behaviours: [ok] });
    const all = { host: 'localhost:8000', 'content-type': 'text/plain', ...headers };
    const response = await send('POST', '/api/v1/proxies/import', 'evil.example.com:1', all);
    expect(response.statusCode).toBe(403);
    expect(response.json()).toMatchObject({ error: 'forbidden_origin' });
    expect(rotator.proxies()).toHaveLength(1);
  });

  it('A8 the own page can', async () => {
    const { send } = await startFixture();
    const response = await send('POST', '/api/v1/proxies/import', 'p:1', {
      host: 'localhost:8000',
      origin: 'http://localhost:8000',
      'sec-fetch-site': 'same-origin',
      'content-type': 'text/plain',
    });
    expect(response.statusCode).toBe(201);
  });

  it('A8 with a token only health and the page are open without it', async () => {
    const { app, send } = await startFixture({ token, dashboard: true, dashboardFolder: '/none' });
    for (const url of ['/', '/health/live']) {
      expect((await app.inject(url)).statusCode).toBe(200);
    }
    expect((await app.inject('/health/ready')).statusCode).toBe(503);
    for (const url of ['/metrics', '/docs/', '/openapi.json', policy, '/api/v1/events']) {
      const refused = await app.inject(url);
      expect(refused.statusCode).toBe(401);
      expect(refused.headers['www-authenticate']).toBe('Bearer');
      expect(refused.json()).toMatchObject({ error: 'unauthorized' });
    }
    expect((await send('GET', policy, undefined, bearer(token))).statusCode).toBe(200);
    expect((await app.inject({ url: '/metrics', headers: bearer(token) })).statusCode).toBe(200);
  });

  it.each([
    bearer(`${token}x`),
    bearer(token.slice(1)),
    bearer(''),
    { authorization: `Basic ${token}` },
    { authorization: token },
    { authorization: 'Bearer' },
  ])('A8 %j is no token', async (headers) => {
    const { send } = await startFixture({ token });
    const response = await send('GET', policy, undefined, headers);
    expect(response.statusCode).toBe(401);
    expect(response.body).not.toContain(token);
  });

  it('A8 after twenty wrong tokens in a minute not even the right one is looked at', async () => {
    const { send, app } = await startFixture({ token });
    // Asking without a token, as a page does before it has one, is no guess.
    for (let i = 0; i < 30; i++) await send('GET', policy);
    for (let i = 0; i < 20; i++) {
      expect((await send('GET', policy, undefined, bearer(`guess${i}`))).statusCode).toBe(401);
    }
    const limited = await send('GET', policy, undefined, bearer(token));
    expect(limited.statusCode).toBe(429);
    expect(limited.json()).toMatchObject({ error: 'rate_limited' });
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
    const elsewhere = await app.inject({
      url: policy,
      headers: bearer(token),
      remoteAddress: '127.0.0.2',
    });
    expect(elsewhere.statusCode).toBe(200);
  });

  it('A8 a wrong token that is sent again is one guess: a page asks four things at once', async () => {
    const { send } = await startFixture({ token });
    for (let signIn = 0; signIn < 19; signIn++) {
      const answers = await Promise.all(
        [1, 2, 3, 4].map(() => send('GET', policy, undefined, bearer(`typo${signIn}`))),
      );
      expect(answers.map(({ statusCode }) => statusCode)).toEqual([401, 401, 401, 401]);
    }
    expect((await send('GET', policy, undefined, bearer(token))).statusCode).toBe(200);
    await send('GET', policy, undefined, bearer('typo19'));
    expect((await send('GET', policy, undefined, bearer(token))).statusCode).toBe(429);
  });

  it.each(['bearer', 'BEARER'])('A8 %s is the same scheme as Bearer', async (scheme) => {
    const { send } = await startFixture({ token });
    const headers = { authorization: `${scheme} ${token}` };
    expect((await send('GET', policy, undefined, headers)).statusCode).toBe(200);
  });

  it('A8 the right token is never limited', async () => {
    const { send } = await startFixture({ token });
    for (let i = 0; i < 50; i++) {
      expect((await send('GET', policy, undefined, bearer(token))).statusCode).toBe(200);
    }
  });

  it('A8 every answer has the security headers, errors too', async () => {
    const { app } = await startFixture();
    for (const url of ['/', policy, '/nope', '/api/v1/circuit-breakers/%zz']) {
      const { headers } = await app.inject(url);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
      });
      expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
      expect(headers).not.toHaveProperty('strict-transport-security');
    }
  });
});
