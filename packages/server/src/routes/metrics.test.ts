import { describe, expect, it } from 'vitest';
import { ok, startFixture } from '../testing/fixture.ts';

const url = '/api/v1/metrics/retries';

describe('A3 metrics', () => {
  it('A3 counts requests and retries, by attempt, by hour, by proxy and by policy', async () => {
    const { send, rotator, proxies, target } = await startFixture({ behaviours: [ok] });
    const id = proxies[0]?.id ?? '';
    rotator.retryPolicy = { name: 'quick', baseDelayMs: 100 };
    for (let i = 0; i < 3; i++) await (await rotator.get(target.url)).body.dump();
    await (await rotator.get(`${target.origin}/status/503`)).body.dump();

    expect((await send('GET', url)).json()).toMatchObject({
      total_requests: 4,
      total_attempts: 6,
      total_retries: 2,
      success_by_attempt: { '0': 3 },
      failure_by_reason: { status: 3 },
      circuit_breaker_events_count: 0,
      retention_hours: 24,
    });
    const { data_points: points } = (await send('GET', `${url}/timeseries`)).json<{
      data_points: Record<string, unknown>[];
    }>();
    expect(points.at(-1)).toMatchObject({
      total_requests: 4,
      total_retries: 2,
      success_rate: 0.75,
    });
    const { proxies: byProxy } = (await send('GET', `${url}/by-proxy?hours=168`)).json<{
      proxies: Record<string, { avg_latency: number }>;
    }>();
    expect(byProxy[id]).toMatchObject({
      proxy_id: id,
      total_attempts: 6,
      success_count: 3,
      failure_count: 3,
      circuit_breaker_opens: 0,
    });
    // Seconds, not milliseconds: a loopback answer takes no ten seconds.
    expect(byProxy[id]?.avg_latency).toBeGreaterThan(0);
    expect(byProxy[id]?.avg_latency).toBeLessThan(10);
    expect((await send('GET', `${url}/by-policy`)).json()).toMatchObject({
      policies: { quick: { total_requests: 4, success_rate: 0.75 } },
    });
  });

  it.each([
    ...['0', '169', '1.5', '-1', '', 'abc', '0x10', '1e1', ' 5', '001', '024', '24&hours=2'],
    '5&nope=1',
  ])('A3 hours=%s is refused', async (hours) => {
    const { send } = await startFixture();
    const paths = [
      `${url}/timeseries`,
      `${url}/by-proxy`,
      `${url}/by-policy`,
      '/api/v1/circuit-breakers/metrics',
    ];
    for (const path of paths) {
      const response = await send('GET', `${path}?hours=${hours}`);
      expect(response.statusCode).toBe(400);
      const field = hours.includes('nope') ? 'nope' : 'hours';
      expect(response.json<{ details: object }>().details).toHaveProperty(field);
    }
  });

  it('A3 the last hour comes by minute, too', async () => {
    const { send, rotator, target } = await startFixture({ behaviours: [ok] });
    await (await rotator.get(target.url)).body.dump();
    const pointsOf = async (query: string) =>
      (await send('GET', `${url}/timeseries${query}`)).json<{
        data_points: { timestamp: string; total_requests: number }[];
      }>().data_points;
    const points = await pointsOf('?minutes=60');
    expect(points.map(({ total_requests }) => total_requests)).toContain(1);
    expect(Date.parse(points[0]?.timestamp ?? '') % 60_000).toBe(0);
    expect(await pointsOf('?minutes=1')).toHaveLength(1);
    for (const minutes of ['0', '61', '1.5', '', '05', 'x']) {
      const response = await send('GET', `${url}/timeseries?minutes=${minutes}`);
      expect(response.statusCode).toBe(400);
      expect(response.json<{ details: object }>().details).toHaveProperty('minutes');
    }
  });

  it('A3 hours from 1 to 168 are accepted, more than the retention returns what there is', async () => {
    const { send } = await startFixture();
    for (const hours of [1, 24, 168]) {
      expect((await send('GET', `${url}/timeseries?hours=${hours}`)).statusCode).toBe(200);
    }
  });
});
