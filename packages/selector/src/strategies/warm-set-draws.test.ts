import { expect, it } from 'vitest';
import { Selector } from '../index.ts';
import { scripted } from '../scripted.test-support.ts';

it('S10 untried ones get up to 8 % of the picks while the warm set is not full', () => {
  const { picked } = scripted(5, 'new');
  // 1.5 % for those that wait come first, then 8 % · (1 − 5 ÷ (50 + 0.04 · 6)).
  expect([0.0149, 0.015, 0.087, 0.0871].map((draw) => picked(draw) === 'new')).toEqual([
    false,
    true,
    true,
    false,
  ]);
});

it('S10 a full warm set leaves them 1 %, and 0.4 % to those that wait', () => {
  const { clock, picked } = scripted(60, 'new');
  const draws = [0.0039, 0.004, 0.0139, 0.014];
  expect(draws.map((draw) => picked(draw) === 'new')).toEqual([false, true, true, false]);
  clock.now = 29_999;
  const early = Array.from({ length: 8 }, () => picked(0.0039));
  clock.now = 30_000;
  // 53 of 61 are warm, seven wait: each is looked at once.
  const due = Array.from({ length: 7 }, () => picked(0.0039));
  expect([new Set(early).size, new Set(due).size, due.includes('new')]).toEqual([1, 7, false]);
  expect(picked(0.0039)).toBe(early[0]);
});

it('S14 one that failed is looked at after 30 s, in 1.5 % of the picks, once', () => {
  const { clock, record, picked } = scripted(5, 'cold');
  record('cold', 'failure', 3);
  clock.now = 29_999;
  expect(picked(0.0149)).not.toBe('cold');
  clock.now = 30_000;
  expect(picked(0.015)).not.toBe('cold');
  expect([picked(0.0149), picked(0.0149)].map((id) => id === 'cold')).toEqual([true, false]);
  clock.now = 59_999;
  expect(picked(0.0149)).not.toBe('cold');
  clock.now = 60_000;
  expect(picked(0.0149)).toBe('cold');
});

it('S12 one that succeeded once gets a second look after 1 s, in 10 % of the picks; two make it warm', () => {
  const { clock, record, picked, warm } = scripted(5, 'trial');
  record('trial', 'success');
  clock.now = 999;
  expect(picked(0.05)).not.toBe('trial');
  clock.now = 1000;
  expect(picked(0.1, 0.5)).not.toBe('trial');
  expect([picked(0.0999), picked(0.0999)].map((id) => id === 'trial')).toEqual([true, false]);
  expect(warm(5)).not.toContain('trial');
  record('trial', 'success');
  expect(warm(6)).toEqual(new Set(['0', '1', '2', '3', '4', 'trial']));
});

it('S12 a good one leaves the warm set with its third failure in a row', () => {
  const { record, warm } = scripted(5);
  record('2', 'success', 200);
  for (const id of ['0', '1', '3', '4']) record(id, 'failure');
  record('2', 'failure', 2);
  expect(warm(5)).toContain('2');
  record('2', 'success');
  record('2', 'failure', 2);
  expect(warm(5)).toContain('2');
  record('2', 'failure');
  expect(warm(4)).toEqual(new Set(['0', '1', '3', '4']));
});

it('S12 of the past of one that failed a quarter counts from its third success in a row on', () => {
  const { selector, record } = scripted(5, 'cold');
  record('cold', 'failure', 50);
  const score = () => selector.stats('cold').score;
  const scores = [score()];
  for (let i = 0; i < 4; i++) {
    record('cold', 'success');
    scores.push(score());
  }
  const rises = scores.slice(1).map((each, i) => each - scores[i]!);
  expect(rises[2]).toBeGreaterThan(3 * Math.max(rises[0]!, rises[1]!));
  expect(rises[3]).toBeLessThan(rises[2]! / 2);
});

it('S8 an empty pool draws nothing and has no pick', () => {
  let drawn = 0;
  const selector = new Selector({ random: () => ((drawn += 1), 0.5) });
  expect([selector.select(), drawn]).toEqual([undefined, 0]);
});
