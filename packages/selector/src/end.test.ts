import { createVirtualClock } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { roundRobin, Selector } from './index.ts';

function pool(maxConcurrent?: number) {
  const clock = createVirtualClock(1_000_000);
  const selector = new Selector({ strategy: roundRobin(), now: clock.now });
  selector.add({ id: 'a', maxConcurrent });
  return { clock, selector };
}

describe('end()', () => {
  it('settles the attempt and learns from it in one call; record() settles nothing', () => {
    const { selector } = pool();
    selector.started('a');
    selector.started('a');
    selector.end({ id: 'a', outcome: 'success', latencyMs: 50 });
    expect(selector.stats('a')).toMatchObject({ inFlight: 1, samples: 1, avgLatencyMs: 50 });
    selector.record({ id: 'a', outcome: 'failure', latencyMs: 50 });
    expect(selector.stats('a')).toMatchObject({ inFlight: 1, samples: 2 });
    selector.end({ id: 'a', outcome: 'failure', latencyMs: 50, target: 'A', blame: 'unknown' });
    expect(selector.stats('a')).toMatchObject({ inFlight: 0, samples: 2 });
    selector.end({ id: 'a', outcome: 'failure', latencyMs: 50 });
    expect(selector.stats('a')).toMatchObject({ inFlight: 0, samples: 3 });
  });

  it('gives a candidate with one place back, and ends the test of a circuit', () => {
    const { clock, selector } = pool(1);
    selector.circuitChanged({ name: 'a', to: 'open', nextTestAt: clock.now() });
    expect(selector.select()?.id).toBe('a');
    selector.started('a');
    expect(selector.select()).toBeUndefined();
    selector.end({ id: 'a', outcome: 'failure', latencyMs: 1, blame: 'unknown' });
    expect(selector.select()?.id).toBe('a');
  });

  it('bad input is refused and settles nothing', () => {
    const { selector } = pool();
    selector.started('a');
    const good = { id: 'a', outcome: 'success', latencyMs: 1 } as const;
    expect(() => selector.end({ ...good, id: 'x' })).toThrow(/unknown id "x"/);
    expect(() => selector.end({ ...good, latencyMs: NaN })).toThrow(/latencyMs of "a".*NaN/);
    expect(() => selector.end({ ...good, target: '' })).toThrow(
      /target of "a" must be a string of at least one character/,
    );
    expect(() => selector.end({ ...good, blame: 'me' as never })).toThrow(/blame of "a"/);
    expect(selector.stats('a')).toMatchObject({ inFlight: 1, samples: 0 });
  });
});
