import { ProxyRotator } from '@whirl/rotator';
import { startProxy, startTarget } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { buildApp } from './app.ts';
import { readConfig } from './config.ts';

describe('API', () => {
  it('A1 A2 A3 A5 through a real proxy', async () => {
    const target = await startTarget();
    const proxy = await startProxy();
    const rotator = new ProxyRotator({ proxies: [proxy.url] });
    const app = buildApp({ rotator });
    try {
      const policy = await app.inject({
        method: 'PUT',
        url: '/api/v1/retry/policy',
        payload: { max_attempts: 5, base_delay: 1.5, jitter: true },
      });
      expect(policy.json()).toMatchObject({ max_attempts: 5, base_delay: 1.5, timeout: null });
      const bad = await app.inject({
        method: 'PATCH',
        url: '/api/v1/retry/policy',
        payload: { max_attempts: 11, nope: 1 },
      });
      expect(bad.statusCode).toBe(400);
      expect(Object.keys(bad.json<{ details: object }>().details)).toEqual([
        'max_attempts',
        'nope',
      ]);
      const sent = await app.inject({
        method: 'POST',
        url: '/api/v1/request',
        payload: { url: target.url },
      });
      expect(sent.json()).toMatchObject({ status_code: 200, proxy_id: proxy.id });
      const circuit = await app.inject(`/api/v1/circuit-breakers/${proxy.id}`);
      expect(circuit.json()).toMatchObject({ state: 'closed', failure_threshold: 5 });
      expect((await app.inject('/api/v1/circuit-breakers/nobody')).statusCode).toBe(404);
      const summary = await app.inject('/api/v1/metrics/retries');
      expect(summary.json()).toMatchObject({ total_requests: 1, success_by_attempt: { '0': 1 } });
      expect((await app.inject('/metrics')).body).toContain('whirl_requests_total');
    } finally {
      await app.close();
      await rotator.destroy();
      await proxy.close();
      await target.close();
    }
  });

  it('A9 a malformed proxy is refused without its password', () => {
    const read = () => readConfig({ WHIRL_PROXIES: 'ftp://bob:hunter2@h:1' });
    expect(read).toThrow(/WHIRL_PROXIES/);
    expect(read).toThrow(/^(?!.*hunter2)/);
  });
});
