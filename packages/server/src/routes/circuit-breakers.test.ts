import { describe, expect, it } from 'vitest';
import { startFixture } from '../testing/fixture.ts';

const url = '/api/v1/circuit-breakers';
const dead = ['http://127.0.0.1:1', 'http://bob:hunter2@127.0.0.1:2'];

/** Two proxies that refuse, with circuits that open at the second failure. */
const start = () =>
  startFixture({
    rotator: {
      proxies: dead,
      retryPolicy: { maxAttempts: 1 },
      circuitBreaker: { failureThreshold: 2, openMs: 20_000 },
    },
  });

describe('A2 circuit breakers', () => {
  it('A2 lists every proxy of the pool, used or not', async () => {
    const { send } = await start();
    const { circuit_breakers: list } = (await send('GET', url)).json<{
      circuit_breakers: object[];
    }>();
    expect(list).toMatchObject(
      ['127.0.0.1:1', 'bob@127.0.0.1:2'].map((id) => ({
        proxy_id: id,
        state: 'closed',
        forced: false,
        failure_count: 0,
        failure_threshold: 2,
        window_duration: 60,
        timeout_duration: 20,
        next_test_time: null,
      })),
    );
  });

  it('A2 an open circuit shows when it is tested, and its transitions are listed', async () => {
    const { send, rotator } = await start();
    const id = '127.0.0.1:1';
    for (let i = 0; i < 2; i++) {
      await rotator.get('http://target.invalid/', { proxyId: id }).catch(() => {});
    }
    const circuit = (await send('GET', `${url}/${id}`)).json<Record<string, string>>();
    expect(circuit).toMatchObject({ state: 'open', forced: false, failure_count: 2 });
    const wait =
      Date.parse(circuit.next_test_time ?? '') - Date.parse(circuit.last_state_change ?? '');
    expect(wait).toBe(20_000);
    const { events } = (await send('GET', `${url}/metrics?hours=1`)).json<{ events: object[] }>();
    expect(events).toMatchObject([
      { proxy_id: id, from_state: 'closed', to_state: 'open', failure_count: 2 },
    ]);
    const reset = await send('POST', `${url}/${id}/reset`);
    expect(reset.json()).toMatchObject({ state: 'closed', failure_count: 0, next_test_time: null });
  });

  it('A2 a circuit forced open has no test time, and a reset lifts it', async () => {
    const { send } = await start();
    const opened = await send('POST', `${url}/127.0.0.1:1/open`);
    expect(opened.json()).toMatchObject({ state: 'open', forced: true, next_test_time: null });
    const reset = await send('POST', `${url}/127.0.0.1:1/reset`, '', {
      'content-type': 'application/json',
    });
    expect(reset.json()).toMatchObject({ state: 'closed', forced: false });
  });

  it('A2 an id may hold ":" and "@", raw or encoded', async () => {
    const { send } = await start();
    for (const id of ['bob@127.0.0.1:2', 'bob%40127.0.0.1%3A2', 'bob%40127.0.0.1:2']) {
      expect((await send('GET', `${url}/${id}`)).json()).toMatchObject({
        proxy_id: 'bob@127.0.0.1:2',
      });
      expect((await send('POST', `${url}/${id}/open`)).json()).toMatchObject({ forced: true });
    }
  });

  it('A2 an unknown id is a 404 everywhere, and a broken escape a 400', async () => {
    const { send } = await start();
    const answers = await Promise.all([
      send('GET', `${url}/nobody`),
      send('POST', `${url}/nobody/reset`),
      send('POST', `${url}/nobody/open`),
    ]);
    for (const answer of answers) {
      expect(answer.statusCode).toBe(404);
      expect(answer.json()).toEqual({
        error: 'not_found',
        message: 'no proxy has the id "nobody"',
      });
    }
    const broken = await send('GET', `${url}/%zz`);
    expect(broken.statusCode).toBe(400);
    expect(broken.json()).toMatchObject({ error: 'invalid_path' });
  });

  it('A2 no response holds the password', async () => {
    const { send } = await start();
    for (const path of [url, `${url}/bob@127.0.0.1:2`, '/api/v1/proxies', '/metrics']) {
      expect((await send('GET', path)).body).not.toContain('hunter2');
    }
  });
});
