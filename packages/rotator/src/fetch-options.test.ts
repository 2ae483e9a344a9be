import { describe, expect, it } from 'vitest';
import { InvalidRequestError } from './index.ts';
import { errorOf, rig } from '../test/support/pool-rig.ts';

describe('F16c options of fetch', () => {
  it.each([
    ['retrypolicy', 'unknown option "retrypolicy": retryPolicy is meant'],
    ['sessionID', 'unknown option "sessionID": sessionId is meant'],
    ['timeoutMs', 'unknown option "timeoutMs": it is a field of retryPolicy'],
    ['maxAttempts', 'unknown option "maxAttempts": it is a field of retryPolicy'],
  ])('%s, which can only be meant for the pool, is refused', async (name, message) => {
    const { rotator, target, facts } = await rig([{ kind: 'ok' }]);
    const error = await errorOf(rotator.fetch(target.url, { [name]: {} } as never));
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error.message).toBe(message);
    expect(facts).toEqual([]);
  });

  it("every other name is left to fetch: its own, and those of tomorrow's", async () => {
    const { rotator, target } = await rig([{ kind: 'ok' }]);
    const response = await rotator.fetch(target.url, {
      method: 'GET',
      headers: {},
      cache: 'default',
      credentials: 'omit',
      integrity: '',
      keepalive: false,
      mode: 'cors',
      redirect: 'follow',
      referrer: 'about:client',
      referrerPolicy: '',
      signal: new AbortController().signal,
      window: null,
      duplex: 'half',
      priority: 'auto',
      name: 'of tomorrow',
      region: 'EU',
    } as never);
    expect(await response.json()).toMatchObject({ ok: true });
  });
});
