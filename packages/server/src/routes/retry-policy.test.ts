import { describe, expect, it } from 'vitest';
import { startFixture } from '../testing/fixture.ts';

const url = '/api/v1/retry/policy';
const defaults = {
  max_attempts: 3,
  backoff_strategy: 'exponential',
  base_delay: 1,
  multiplier: 2,
  max_backoff_delay: 30,
  jitter: false,
  retry_status_codes: [502, 503, 504],
  timeout: null,
  retry_non_idempotent: false,
};

describe('A1 the retry policy', () => {
  it('A1 GET shows every field, durations in seconds', async () => {
    const { send } = await startFixture({ now: () => Date.UTC(2026, 0, 2, 3, 4, 5) });
    const policy = (await send('GET', url)).json<object>();
    expect(policy).toMatchObject(defaults);
    expect(policy).toMatchObject({ updated_at: '2026-01-02T03:04:05.000Z' });
  });

  it('A1 PUT replaces: what is absent gets its default', async () => {
    const { send, rotator } = await startFixture();
    await send('PUT', url, { max_attempts: 5, base_delay: 1.5, timeout: 9.25, jitter: true });
    expect(rotator.retryPolicy).toMatchObject({ maxAttempts: 5, timeoutMs: 9250, jitter: true });
    const second = await send('PUT', url, { base_delay: 45 });
    expect(second.statusCode).toBe(200);
    expect(second.json()).toMatchObject({ ...defaults, base_delay: 45, max_backoff_delay: 45 });
  });

  it('A1 PATCH changes only what is given, and timeout: null clears', async () => {
    const { send } = await startFixture();
    await send('PUT', url, { max_attempts: 5, timeout: 10, name: 'mine' });
    const patched = (await send('PATCH', url, { jitter: true, timeout: null })).json<object>();
    expect(patched).toMatchObject({ ...defaults, max_attempts: 5, jitter: true, name: 'mine' });
    const nothing = (await send('PATCH', url, {})).json<object>();
    expect({ ...nothing, updated_at: '' }).toEqual({ ...patched, updated_at: '' });
  });

  it('A1 a cap that follows from the base delay goes on following, a given one does not', async () => {
    const { send } = await startFixture();
    expect((await send('PATCH', url, { base_delay: 45 })).json()).toMatchObject({
      base_delay: 45,
      max_backoff_delay: 45,
    });
    await send('PUT', url, { max_backoff_delay: 20 });
    const refused = await send('PATCH', url, { base_delay: 25 });
    expect(refused.statusCode).toBe(400);
    expect(refused.json()).toMatchObject({
      details: { max_backoff_delay: 'must be at least base_delay (25), got 20' },
    });
  });

  it('A1 a given cap is no default, even when it looks like one', async () => {
    const { send } = await startFixture();
    const details = { max_backoff_delay: 'must be at least base_delay (40), got 30' };
    await send('PUT', url, { max_backoff_delay: 30, base_delay: 1 });
    const before = (await send('GET', url)).json<object>();
    const refused = await send('PATCH', url, { base_delay: 40 });
    expect([refused.statusCode, refused.json()]).toMatchObject([400, { details }]);
    expect((await send('GET', url)).json()).toEqual(before);
    // Given by a PATCH, it is kept by the PATCH after.
    await send('PUT', url, {});
    await send('PATCH', url, { max_backoff_delay: 30 });
    await send('PATCH', url, { jitter: true });
    expect((await send('PATCH', url, { base_delay: 40 })).json()).toMatchObject({ details });
    await send('PUT', url, {});
    expect((await send('PATCH', url, { base_delay: 40 })).statusCode).toBe(200);
  });

  it('A1 a cap of the configuration is a given one', async () => {
    const { send } = await startFixture({ givenPolicy: { maxBackoffDelayMs: 30_000 } });
    expect((await send('PATCH', url, { base_delay: 40 })).statusCode).toBe(400);
  });

  it.each([
    [{ max_attempts: 11 }, ['max_attempts']],
    [
      { max_attempts: 0, base_delay: 0.01, multiplier: 'x' },
      ['base_delay', 'max_attempts', 'multiplier'],
    ],
    [{ retry_status_codes: [503, 200] }, ['retry_status_codes.1']],
    [{ timeout: 0 }, ['timeout']],
    [{ nope: 1, jitter: 'yes' }, ['jitter', 'nope']],
    [[], ['']],
    [null, ['']],
  ])('A1 %j is refused by field, and nothing changes', async (payload, fields) => {
    const { send } = await startFixture();
    await send('PUT', url, { max_attempts: 7 });
    const before = (await send('GET', url)).json<object>();
    for (const method of ['PUT', 'PATCH'] as const) {
      const response = await send(method, url, payload ?? 'null', {
        'content-type': 'application/json',
      });
      expect(response.statusCode).toBe(400);
      const { error, details } = response.json<{ error: string; details: object }>();
      expect(error).toBe('invalid_input');
      expect(Object.keys(details).sort()).toEqual(fields);
    }
    expect((await send('GET', url)).json()).toEqual(before);
  });

  it('A1 what was read may be sent back', async () => {
    const { send } = await startFixture();
    const before = (await send('GET', url)).json<object>();
    const after = await send('PUT', url, before);
    expect(after.statusCode).toBe(200);
    expect({ ...after.json<object>(), updated_at: '' }).toEqual({ ...before, updated_at: '' });
  });
});
