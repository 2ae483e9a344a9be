import { describe, expect, it } from 'vitest';
import { ok, startFixture } from '../testing/fixture.ts';

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
  ])('A8 the Host %s is served', async (host) => {
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

  it('A8 on another address its own name, IP addresses and the listed names are served', async () => {
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
      expect(refused.headers['www-authenticate']).toMatch(/Bearer$/);
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

  it('A14 after twenty wrong tokens in a minute the right one is still taken, others are not looked at', async () => {
    const { send, app } = await startFixture({ token });
    // Asking without a token, as a page does before it has one, is no guess.
    for (let i = 0; i < 30; i++) await send('GET', policy);
    for (let i = 0; i < 20; i++) {
      expect((await send('GET', policy, undefined, bearer(`guess${i}`))).statusCode).toBe(401);
    }
    const limited = await send('GET', policy, undefined, bearer('guess21'));
    expect(limited.statusCode).toBe(429);
    expect(limited.json()).toMatchObject({ error: 'rate_limited' });
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
    expect((await send('GET', policy, undefined, bearer(token))).statusCode).toBe(200);
    expect((await send('GET', policy)).statusCode).toBe(401);
    const elsewhere = await app.inject({
      url: policy,
      headers: bearer('guess'),
      remoteAddress: '127.0.0.2',
    });
    expect(elsewhere.statusCode).toBe(401);
  });

  it('A8 a wrong token that is sent again is one guess: a page asks four things at once', async () => {
    const { send } = await startFixture({ token });
    for (let signIn = 0; signIn < 19; signIn++) {
      const answers = await Promise.all(
        [1, 2, 3, 4].map(() => send('GET', policy, undefined, bearer(`typo${signIn}`))),
      );
      expect(answers.map(({ statusCode }) => statusCode)).toEqual([401, 401, 401, 401]);
    }
    expect((await send('GET', policy, undefined, bearer('typo19'))).statusCode).toBe(401);
    expect((await send('GET', policy, undefined, bearer('typo20'))).statusCode).toBe(429);
  });

  it('A14 a browser may send the token as the password of Basic, and is asked for it under /docs', async () => {
    const { app, send } = await startFixture({ token });
    const basic = (user: string, password: string) => ({
      authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
    });
    const asked = await app.inject('/docs/');
    expect(asked.headers['www-authenticate']).toBe('Basic realm="whirl", Bearer');
    expect((await app.inject({ url: '/docs/', headers: basic('', token) })).statusCode).toBe(200);
    expect((await send('GET', policy, undefined, basic('me', token))).statusCode).toBe(200);
    expect((await send('GET', policy, undefined, basic(token, ''))).statusCode).toBe(401);
    expect((await send('GET', policy)).headers['www-authenticate']).toBe('Bearer');
  });

  it('A14 clients behind a trusted reverse proxy are told apart', async () => {
    const { app } = await startFixture({ token, trustProxy: ['127.0.0.1'] });
    const ask = (client: string, value: string) =>
      app.inject({ url: policy, headers: { ...bearer(value), 'x-forwarded-for': client } });
    for (let i = 0; i < 20; i++) await ask('192.0.2.1', `guess${i}`);
    expect((await ask('192.0.2.1', 'guess')).statusCode).toBe(429);
    expect((await ask('192.0.2.2', 'guess')).statusCode).toBe(401);
  });

  it('A14 without trust X-Forwarded-* change nothing', async () => {
    const { app } = await startFixture({ token });
    for (let i = 0; i < 21; i++) {
      const headers = { ...bearer(`guess${i}`), 'x-forwarded-for': `192.0.2.${i}` };
      expect((await app.inject({ url: policy, headers })).statusCode).toBe(i < 20 ? 401 : 429);
    }
    const headers = { host: 'evil.example.com', 'x-forwarded-host': 'localhost' };
    expect((await app.inject({ url: policy, headers })).statusCode).toBe(403);
  });

  it('A14 behind a reverse proxy the name that it was asked for is what counts', async () => {
    const { app } = await startFixture({
      trustProxy: ['127.0.0.0/8'],
      allowedHosts: ['whirl.example.com'],
    });
    const post = (headers: Record<string, string>) =>
      app.inject({
        method: 'POST',
        url: '/api/v1/proxies/import',
        payload: '192.0.2.1:1',
        headers,
      });
    const origin = 'https://whirl.example.com';
    const type = { 'content-type': 'text/plain', 'x-forwarded-proto': 'https', origin };
    const forwarded = { host: '127.0.0.1:8000', 'x-forwarded-host': 'whirl.example.com:443' };
    expect((await post({ ...type, ...forwarded })).statusCode).toBe(201);
    const other = await post({ ...type, ...forwarded, 'x-forwarded-host': 'evil.example.com' });
    expect(other.json()).toMatchObject({ error: 'forbidden_host' });
  });

  it('A14 a refused Host or Origin is named beside what would be right', async () => {
    const { app } = await startFixture({ allowedHosts: ['whirl.example.com'] });
    const host = await app.inject({ url: policy, headers: { host: 'evil.example.com' } });
    expect(host.json().message).toBe(
      'the Host is "evil.example.com", the server accepts localhost, 127.0.0.1, ' +
        'whirl.example.com; add the name to WHIRL_API_ALLOWED_HOSTS',
    );
    const origin = await app.inject({
      method: 'POST',
      url: '/api/v1/proxies/import',
      payload: 'p:1',
      headers: { host: '127.0.0.1:8000', origin: 'https://whirl.example.com' },
    });
    expect(origin.json().message).toBe(
      'a page of "https://whirl.example.com" may change nothing on a server asked for as ' +
        '"127.0.0.1:8000"; behind a reverse proxy set WHIRL_TRUST_PROXY to its address',
    );
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

  it('A8 every response has the security headers, errors too', async () => {
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
