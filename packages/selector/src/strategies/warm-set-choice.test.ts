import { expect, it } from 'vitest';
import { place, scripted } from '../scripted.test-support.ts';

/** The first draw of a pick that looks at warm ones alone. The next ones are its places, then a blur for each look. */
const toWarm = 0.5;

it('S11 a pick looks at three of the warm ones and blurs their cost by up to 30 %', () => {
  const { selector, drawing, picked } = scripted(5);
  const places = [place(1, 5), place(3, 5), place(4, 5)];
  expect(picked(toWarm, ...places, 0.9, 0.1, 0.5)).toBe('3');
  expect(picked(toWarm, ...places, 0.2, 0.9, 0.1)).toBe('4');
  expect(picked(toWarm, ...places, 0.1, 0.2, 0.3)).toBe('1');
  const drawn = drawing([toWarm, ...places], () => selector.select());
  expect(drawn).toBe(7);
});

it('S11 of equals the first one looked at is picked', () => {
  const { picked } = scripted(5);
  expect(picked(toWarm, place(4, 5), place(1, 5), place(3, 5))).toBe('4');
});

it('S11 a look at one that was looked at already is no other look, twelve are the most', () => {
  const { drawing, selector } = scripted(5);
  const twice = [toWarm, place(1, 5), place(1, 5), place(3, 5), place(1, 5), place(0, 5)];
  expect(drawing(twice, () => selector.select())).toBe(1 + 5 + 3);
  const same = Array.from({ length: 12 }, () => place(2, 5));
  expect(drawing([toWarm, ...same], () => selector.select())).toBe(1 + 12 + 1);
});

it('S2 an excluded warm one is not looked at', () => {
  const { selector, drawing, pickedFor } = scripted(5);
  const exclude = ['1', '4'];
  const draws = [toWarm, place(1, 5), place(2, 5), place(4, 5), place(3, 5), place(0, 5)];
  expect(drawing(draws, () => selector.select({ exclude }))).toBe(1 + 5 + 3);
  expect(pickedFor({ exclude }, ...draws, 0.9, 0.1, 0.9)).toBe('3');
});

it('S11 three warm ones are all looked at, without a draw', () => {
  const { selector, drawing, picked } = scripted(3);
  expect(drawing([toWarm], () => selector.select())).toBe(1 + 3);
  expect(picked(toWarm, 0.9, 0.9, 0.1)).toBe('2');
  expect(picked(toWarm, 0.9, 0.1, 0.9)).toBe('1');
  expect(picked(toWarm, 0.1, 0.9, 0.9)).toBe('0');
});

it('S12b beside two warm ones a pick looks at any one', () => {
  const { selector, drawing, picked } = scripted(2, 'new');
  expect(drawing([toWarm], () => selector.select())).toBe(1 + 2 + 2);
  // An untried one costs 1.6 % more than they do.
  expect(picked(toWarm, 0.9, 0.9, place(2, 3), 0)).toBe('new');
  expect(picked(toWarm, 0.1, 0.1, place(2, 3), 0)).toBe('new');
  expect(picked(toWarm, 0.04, 0.04, place(2, 3), 0)).toBe('0');
  expect(picked(toWarm, 0.2, 0.5, place(1, 3), 0.2)).toBe('0');
  expect(picked(toWarm, 0.2, 0.5, place(1, 3), 0.1)).toBe('1');
});

it('S12b while none is warm a pick looks at four of all', () => {
  const { selector, record, drawing, picked } = scripted(0, 'a', 'b', 'c', 'd', 'e');
  expect(drawing([], () => selector.select())).toBe(8);
  record('e', 'failure');
  const looks = (...noise: number[]) => noise.flatMap((each, i) => [place(i, 5), each]);
  expect(picked(...looks(0.9, 0.8, 0.7, 0.1))).toBe('d');
  expect(picked(...looks(0.9, 0.1, 0.7, 0.8))).toBe('b');
});

it('S2 while all warm ones are excluded a pick looks at four of the others', () => {
  const { selector, drawing } = scripted(3, 'a', 'b');
  const exclude = ['0', '1', '2'];
  expect(drawing([toWarm], () => selector.select({ exclude }))).toBe(1 + 8);
});

it('S11 each attempt in flight adds its cost once more', () => {
  const { selector, picked } = scripted(3);
  selector.started('0');
  for (let i = 0; i < 2; i++) selector.started('1');
  for (let i = 0; i < 3; i++) selector.started('2');
  // 2 · 1.297 < 3, and 2 · 1.06 > 2 · 1.05.
  expect(picked(toWarm, 0.99, 0, 0)).toBe('0');
  selector.settled('2');
  selector.settled('2');
  expect(picked(toWarm, 0.2, 0, 0.15)).toBe('2');
  expect(picked(toWarm, 0.1, 0, 0.15)).toBe('0');
});

it('S7 a matching region takes a blur of 33 % to outdo', () => {
  const { selector, pickedFor } = scripted(3);
  selector.update({ id: '1', region: 'eu' });
  const eu = { region: 'eu' };
  expect(pickedFor(eu, toWarm, 0, 0.333, 0)).toBe('1');
  expect(pickedFor(eu, toWarm, 0, 0.334, 0)).toBe('0');
  expect(pickedFor({ region: 'us' }, toWarm, 0, 0, 0)).toBe('0');
});

it('S7 without a region those that have none are not preferred', () => {
  const { selector, picked } = scripted(3);
  selector.update({ id: '0', region: 'eu' });
  expect(picked(toWarm, 0, 0, 0)).toBe('0');
});

it('S12b an attempt in flight for three times the expected latency counts as a failure', () => {
  const { clock, selector, picked } = scripted(3);
  for (let i = 0; i < 9; i++) selector.started('2');
  selector.started('0');
  clock.now = 200;
  selector.started('1');
  // One more failure adds 3.3 % to its cost, a draw of 0.05 adds 1.5 %.
  clock.now = 384;
  expect(picked(toWarm, 0, 0.05, 0)).toBe('0');
  clock.now = 385;
  expect(picked(toWarm, 0, 0.05, 0)).toBe('1');
  clock.now = 585;
  expect(picked(toWarm, 0, 0.05, 0)).toBe('0');
});

it('S12b one without an attempt in flight is not late, however long ago it was used', () => {
  const { clock, selector, picked } = scripted(3);
  selector.started('2');
  clock.now = 10_000;
  selector.started('1');
  selector.settled('1');
  expect(picked(toWarm, 0, 0.05, 0)).toBe('0');
});
