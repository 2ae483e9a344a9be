import { describe, expect, it } from 'vitest';
import { errorOf, rig } from '../support/pool-rig.ts';

const reason = new Error('enough');
const listed = { kind: 'status', statusCode: 503 } as const;

describe('M1 a request that a listener aborts leaves no place taken, and emits nothing after its end', () => {
  it.each([
    ['attempt:end of a listed status', 'attempt:end', [listed, { kind: 'ok' }]],
    ['attempt:end of a lost connection', 'attempt:end', [{ kind: 'reset' }, { kind: 'ok' }]],
    ['retry:scheduled', 'retry:scheduled', [{ kind: 'reset' }, { kind: 'ok' }]],
    ['attempt:start', 'attempt:start', [{ kind: 'ok' }, { kind: 'ok' }]],
  ] as const)('in %s', async (_, type, behaviours) => {
    const { rotator, target, facts } = await rig(behaviours);
    const controller = new AbortController();
    rotator.bus.once(type, () => controller.abort(reason));
    expect(await errorOf(rotator.get(target.url, { signal: controller.signal }))).toBe(reason);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(rotator.inFlight()).toEqual([]);
    expect(rotator.proxies().map(({ inFlight }) => inFlight)).toEqual([0, 0]);
    expect(facts.filter((fact) => fact.type === 'request:end')).toMatchObject([
      { outcome: 'aborted' },
    ]);
    expect(facts.at(-1)?.type).toBe('request:end');
  });

  it('in the transition of the circuit that its retry is to test', async () => {
    const { rotator, target, told } = await rig([{ kind: 'reset' }], {
      circuitBreaker: { failureThreshold: 1, openMs: 100 },
      retryPolicy: { baseDelayMs: 150 },
    });
    const controller = new AbortController();
    rotator.bus.on('circuit:transition', ({ to }) => {
      if (to === 'half_open') controller.abort(reason);
    });
    expect(await errorOf(rotator.get(target.url, { signal: controller.signal }))).toBe(reason);
    expect(told('attempt:start')).toHaveLength(1);
    // The test was given back: the next request may make it.
    expect(rotator.proxies()).toMatchObject([{ inFlight: 0, state: 'half_open' }]);
    expect(rotator.getCircuitBreakerStates().values().next().value?.canAttempt).toBe(true);
  });
});
