import type { TripRule } from '@whirl/circuit-breaker';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { errorOf, rig } from '../support/pool-rig.ts';

const error = new Error('a bug in the trip rule');
const bug = (): never => {
  throw error;
};
const throws: TripRule = { create: () => ({ record: bug, failureCount: bug, failureTimes: bug }) };
const makesNone: TripRule = { create: bug };

afterEach(() => void vi.restoreAllMocks());

describe('K15 a trip rule that throws opens nothing and fails no request', () => {
  it.each([
    ['at each outcome', throws],
    ['before it has a window', makesNone],
  ])('%s', async (_, trip) => {
    const shown = vi.spyOn(console, 'error').mockImplementation(() => {});
    const { rotator, target, told } = await rig([{ kind: 'ok' }, { kind: 'reset' }], {
      circuitBreaker: { trip },
      retryPolicy: null,
    });
    expect(await (await rotator.get(target.url)).body.text()).not.toBe('');
    await errorOf(rotator.get(target.url));
    expect(shown).toHaveBeenCalledWith(error);
    expect(told('request:end').map(({ outcome }) => outcome)).toEqual(['success', 'failure']);
    expect(rotator.inFlight()).toEqual([]);
    expect(rotator.proxies()).toMatchObject([{ inFlight: 0 }, { inFlight: 0 }]);
    expect(rotator.circuitCounts()).toMatchObject({ closed: 2 });
    const [id = ''] = rotator.proxyIds();
    expect(rotator.circuitBreakerState(id)).toMatchObject({ state: 'closed', failureCount: 0 });
    rotator.forceOpenCircuitBreaker(id);
    expect(told('circuit:transition')).toMatchObject([{ to: 'forced_open', failureCount: 0 }]);
  });
});
