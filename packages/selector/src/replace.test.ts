import { expect, it } from 'vitest';
import { roundRobin, Selector } from './index.ts';

function setup() {
  let now = 1_700_000_000_000;
  const selector = new Selector({ strategy: roundRobin(), now: () => now });
  for (const id of ['a', 'b']) selector.add({ id, tags: ['x'] });
  return { selector, pass: (ms: number) => (now += ms), now: () => now };
}

it('V2 replace forgets outcomes, attempts in flight, circuits and bans of every kind', () => {
  const { selector, now } = setup();
  selector.started('a');
  for (let i = 0; i < 3; i++) {
    selector.record({ id: 'a', outcome: 'failure', latencyMs: 5, target: 't', blame: 'route' });
  }
  selector.ban('a', now() + 60_000);
  selector.banTarget('a', 't', now() + 60_000);
  selector.avoid('a', now() + 60_000);
  selector.circuitChanged({ name: 'a', to: 'forced_open' });
  selector.replace({ id: 'a', tags: ['x'] });
  expect(selector.stats('a')).toMatchObject({ samples: 0, inFlight: 0, available: true });
  expect([...selector.bans()]).toEqual([]);
  const picks = Array.from({ length: 4 }, () => selector.select({ target: 't' })?.id);
  expect(new Set(picks)).toEqual(new Set(['a', 'b']));
});

it('V2 replace refuses an unknown id and bad options, and changes nothing', () => {
  const { selector } = setup();
  expect(() => selector.replace({ id: 'c' })).toThrow(RangeError);
  expect(() => selector.replace({ id: 'a', weight: -1 })).toThrow(RangeError);
  expect(selector.size).toBe(2);
  expect(selector.has('a')).toBe(true);
});
