import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { startFixture } from './testing/fixture.ts';

const proxies = Array.from({ length: 200 }, (_, i) => `10.0.0.${i}:8080`);

describe('A16 compression', () => {
  it('A16 a list is compressed for a client that takes it, with a Vary header', async () => {
    const { app } = await startFixture({ rotator: { proxies } });
    const url = '/api/v1/proxies';
    const plain = await app.inject({ url });
    expect(plain.headers['content-encoding']).toBeUndefined();
    const gzip = await app.inject({ url, headers: { 'accept-encoding': 'gzip' } });
    expect(gzip.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding' });
    expect(gunzipSync(gzip.rawPayload).toString()).toBe(plain.body);
    expect(gzip.rawPayload.length * 8).toBeLessThan(plain.body.length);
  });

  it('A19 the description of the API is compressed to a sixth', async () => {
    const { app } = await startFixture();
    const answer = await app.inject({
      url: '/openapi.json',
      headers: { 'accept-encoding': 'gzip' },
    });
    expect(answer.headers['content-encoding']).toBe('gzip');
    const whole = gunzipSync(answer.rawPayload);
    expect(JSON.parse(whole.toString())).toMatchObject({ openapi: '3.1.0' });
    expect(answer.rawPayload.length * 6).toBeLessThan(whole.length);
  });

  it('A16 a small response, and a body of a client, stay as they are', async () => {
    const { app, rotator } = await startFixture();
    const small = await app.inject({ url: '/health/live', headers: { 'accept-encoding': 'gzip' } });
    expect(small.headers['content-encoding']).toBeUndefined();
    // A compressed body could grow without bound.
    const sent = await app.inject({
      method: 'POST',
      url: '/api/v1/proxies',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      payload: gzipSync('{"url":"h:1"}'),
    });
    expect([sent.statusCode, rotator.size]).toEqual([400, 0]);
  });

  it('A16 the event stream is not compressed', async () => {
    const { app } = await startFixture({ rotator: { proxies } });
    const base = await app.listen({ port: 0 });
    const stop = new AbortController();
    const { headers, body } = await fetch(`${base}/api/v1/events`, {
      headers: { 'accept-encoding': 'gzip' },
      signal: stop.signal,
    });
    expect(headers.get('content-encoding')).toBeNull();
    expect(body).not.toBeNull();
    stop.abort();
  });
});
