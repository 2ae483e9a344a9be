import { createVirtualClock, seededRandom } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import {
  adaptive,
  costAware,
  geo,
  leastUsed,
  performance,
  random,
  roundRobin,
  Selector,
  sticky,
  weighted,
  type Strategy,
} from './index.ts';

const strategies: readonly [string, () => Strategy][] = [
  ['adaptive', adaptive],
  ['performance', performance],
  ['roundRobin', roundRobin],
  ['random', random],
  ['weighted', weighted],
  ['leastUsed', leastUsed],
  ['sticky', () => sticky(adaptive())],
  ['geo', () => geo(random())],
  ['costAware', () => costAware(adaptive())],
];

function pool(strategy: Strategy) {
  const clock = createVirtualClock(1_000_000);
  const selector = new Selector({ strategy, now: clock.now, random: seededRandom(3) });
  for (const id of ['eu1', 'us1', 'us2', 'us3']) {
    selector.add({ id, region: id.slice(0, 2), tags: [id.slice(2)] });
  }
  return { clock, selector };
}

const picks = (count: number, pick: () => { id: string } | undefined) =>
  new Set(Array.from({ length: count }, () => pick()?.id));

describe.each(strategies)('S6b under %s', (_, strategy) => {
  it('a strict region is a condition: without a candidate there is no pick', () => {
    const { selector } = pool(strategy());
    const eu = { region: 'eu', strictRegion: true };
    expect(picks(20, () => selector.select(eu))).toEqual(new Set(['eu1']));
    expect(selector.select({ region: 'jp', strictRegion: true })).toBeUndefined();
    expect(selector.select({ ...eu, tags: ['2'] })).toBeUndefined();
    expect(selector.select({ ...eu, exclude: ['eu1'] })).toEqual({ id: 'eu1', reused: true });
    selector.remove('eu1');
    expect(selector.select(eu)).toBeUndefined();
    expect(selector.select({ region: 'eu' })).toBeDefined();
  });

  it('a preferred candidate is picked while it is available', () => {
    const { clock, selector } = pool(strategy());
    const ask = { prefer: 'us2' };
    expect(picks(20, () => selector.select(ask))).toEqual(new Set(['us2']));
    expect(selector.select({ ...ask, exclude: ['us2'] })?.id).not.toBe('us2');
    expect(selector.select({ ...ask, tags: ['3'] })?.id).toBe('us3');
    expect(selector.select({ ...ask, region: 'eu', strictRegion: true })?.id).toBe('eu1');
    selector.ban('us2', clock.now() + 1000);
    expect(selector.select(ask)?.id).not.toBe('us2');
    clock.advance(1000);
    expect(selector.select(ask)?.id).toBe('us2');
    expect(selector.select({ prefer: 'nobody' })).toBeDefined();
  });

  it('a preferred candidate that its target avoids is passed by', () => {
    const { clock, selector } = pool(strategy());
    selector.banTarget('us2', 'https://shop.example', clock.now() + 1000);
    const ask = { prefer: 'us2', target: 'https://shop.example' };
    expect(picks(20, () => selector.select(ask)).has('us2')).toBe(false);
    expect(selector.select({ prefer: 'us2', target: 'https://other.example' })?.id).toBe('us2');
  });
});

it.each([
  [{ strictRegion: 1 }, 'strictRegion must be true or false, got 1'],
  [{ prefer: 1 }, 'prefer must be a string, got 1'],
])('S6b %j is refused', (ask, message) => {
  const { selector } = pool(adaptive());
  expect(() => selector.select(ask as object)).toThrow(new TypeError(message));
});
