import { describe, expect, it } from 'vitest';
import { ok, startFixture } from '../testing/fixture.ts';

const url = '/api/v1/targets';

describe('E7 GET /targets', () => {
  it('E7 shows each target with what was to blame, the latest first', async () => {
    const { send, rotator, target } = await startFixture({ behaviours: [ok, ok] });
    expect((await send('GET', url)).json()).toEqual({ targets: [] });
    await (await rotator.get(target.url)).body.dump();
    const unresolved = 'http://nothing.invalid';
    await rotator.get(`${unresolved}/`, { retryPolicy: null }).then(
      ({ body }) => body.dump(),
      () => {},
    );
    const { targets } = (await send('GET', url)).json<{ targets: Record<string, unknown>[] }>();
    expect(targets.map(({ origin }) => origin)).toEqual([unresolved, target.origin]);
    expect(targets[1]).toMatchObject({
      state: 'up',
      attempts: 1,
      success_rate: 1,
      failures: { proxy: 0, route: 0, target: 0, unknown: 0, caller: 0 },
      since: expect.any(String) as string,
      last_response: expect.any(String) as string,
    });
    const one = (await send('GET', `${url}?limit=1`)).json<{ targets: object[] }>();
    expect(one.targets).toMatchObject([{ origin: unresolved }]);
  });

  it.each(['0', '1001', '', 'x'])('E7 limit=%s is refused', async (limit) => {
    const { send } = await startFixture();
    expect((await send('GET', `${url}?limit=${limit}`)).statusCode).toBe(400);
  });
});
