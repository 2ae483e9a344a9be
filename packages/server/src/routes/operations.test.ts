import { describe, expect, it, vi } from 'vitest';
import { ok, startFixture } from '../testing/fixture.ts';

describe('A7 operations', () => {
  it('A7 /metrics is Prometheus text with what happened', async () => {
    const { send, rotator, target, proxies } = await startFixture({ behaviours: [ok] });
    await (await rotator.get(target.url)).body.dump();
    const response = await send('GET', '/metrics');
    expect(response.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(response.body).toContain('whirl_requests_total{outcome="success"} 1\n');
    expect(response.body).toContain('# TYPE whirl_circuits gauge\n');
    expect(response.body).toContain('whirl_proxies 1\n');
    expect(response.body).toContain(`whirl_proxy_circuit_state{proxy="${proxies[0]?.id}"} 0\n`);
  });

  it('A7 /health/ready is 503 while no proxy is available, /health/live is always 200', async () => {
    const { send, rotator } = await startFixture();
    expect((await send('GET', '/health/ready')).statusCode).toBe(503);
    rotator.addProxy('p1:1');
    expect((await send('GET', '/health/ready')).json()).toEqual({
      status: 'ok',
      mode: 'live',
    });
    rotator.forceOpenCircuitBreaker('p1:1');
    expect((await send('GET', '/health/ready')).json()).toEqual({
      error: 'not_ready',
      message: 'no proxy is available',
    });
    expect((await send('GET', '/health/live')).statusCode).toBe(200);
    rotator.resetCircuitBreaker('p1:1');
    expect((await send('GET', '/health/ready')).statusCode).toBe(200);
  });

  it('A12 readiness and status say whether the server is a demo', async () => {
    let at = 1_000_000;
    const { send, rotator } = await startFixture({
      mode: 'demo',
      now: () => at,
      rotator: { proxies: ['p1:1'] },
    });
    expect((await send('GET', '/health/ready')).json()).toEqual({ status: 'ok', mode: 'demo' });
    at += 1500;
    rotator.addProxy('p2:1');
    rotator.addProxy('p3:1');
    rotator.removeProxy('p1:1');
    const version = expect.stringMatching(/^\d+\.\d+\.\d+/);
    expect((await send('GET', '/api/v1/status')).json()).toEqual({
      mode: 'demo',
      demo_target: null,
      version,
      proxies: 2,
      gateway: null,
      uptime: 1.5,
    });
  });

  it('A7 /health/ready looks at no circuit while one is closed: it needs no token', async () => {
    const { send, rotator } = await startFixture({ rotator: { proxies: ['p1:1', 'p2:2'] } });
    rotator.forceOpenCircuitBreaker('p1:1');
    const looks = vi.spyOn(rotator, 'getCircuitBreakerStates');
    for (let i = 0; i < 10; i++) {
      expect((await send('GET', '/health/ready')).statusCode).toBe(200);
    }
    expect(looks).not.toHaveBeenCalled();
  });

  it('A16 a scrape looks at no proxy of the pool: it takes as long for 300,000', async () => {
    const { send, rotator } = await startFixture({ rotator: { proxies: ['p1:1', 'p2:2'] } });
    rotator.forceOpenCircuitBreaker('p1:1');
    const looks = (
      ['getCircuitBreakerStates', 'circuitBreakerState', 'proxies', 'proxy'] as const
    ).map((name) => vi.spyOn(rotator, name));
    const { body } = await send('GET', '/metrics');
    expect(body).toContain('\nwhirl_proxies 2\n');
    expect(body).toContain('\nwhirl_circuits{state="closed"} 1\n');
    expect(body).toContain('\nwhirl_circuits{state="forced_open"} 1\n');
    for (const look of looks) expect(look).not.toHaveBeenCalled();
  });
});
