import { expect, it } from 'vitest';
import { place, scripted } from '../scripted.test-support.ts';

/** Draws of a pick that looks at those that wait for 30 s, and at the warm one at a place if none is due. */
const toCold = (position = 0, size = 5) => [
  0.0149,
  ...Array.from({ length: 12 }, () => place(position, size)),
];

const proved = (count: number) => Array.from({ length: count }, (_, i) => `${i}`);

it('S12 a warm one that lost 30 looks in a row, and was not tried for 30 s, has to prove itself again', () => {
  const { clock, record, picked, selector } = scripted(3);
  clock.now = 1000;
  for (const id of proved(3)) record(id, 'success');
  // All are looked at, and the first one costs least.
  const looks = [0.0149, 0, 0.9, 0.9];
  const winners = (count: number) => Array.from({ length: count }, () => picked(...looks)).join('');
  clock.now = 30_999;
  expect(winners(40)).toBe('0'.repeat(40));
  clock.now = 31_000;
  expect(winners(3)).toBe('012');
  for (const id of proved(3)) record(id, 'success', 2);
  clock.now = 61_000;
  selector.started('2');
  expect(winners(31)).toBe(`${'0'.repeat(30)}1`);
  expect(winners(2)).toBe('00');
  selector.settled('2');
  expect(winners(2)).toBe('02');
});

it('S12 a look that is won starts the count again', () => {
  const { clock, picked } = scripted(3);
  clock.now = 30_000;
  for (let i = 0; i < 29; i++) expect(picked(0.0149, 0, 0.9, 0.9)).toBe('0');
  expect(picked(0.0149, 0.9, 0, 0.9)).toBe('1');
  // The third one has lost 30, the second none.
  expect(picked(0.0149, 0, 0.9, 0.9)).toBe('2');
  for (let i = 0; i < 29; i++) expect(picked(0.0149, 0, 0.9, 0.9)).toBe('0');
});

it('S12 no member of a full warm set has to prove itself again', () => {
  const { clock, picked } = scripted(53, ...proved(75).slice(53));
  clock.now = 30_000;
  const looks = [0.0039, place(0, 53), place(1, 53), place(2, 53), 0, 0.9, 0.9];
  for (let i = 0; i < 40; i++) expect(picked(...looks)).toBe('0');
});

/** 53 warm ones of 75, no more are wanted; `7` and `9` take three times as long. */
function full() {
  const pool = scripted(53, 'new', ...proved(75).slice(54));
  for (const id of ['7', '9']) pool.record(id, 'success', 10, 300);
  // They are seen to cost more when they are looked at.
  pool.picked(0.5, place(7, 53), place(9, 53), place(0, 53));
  return pool;
}

it('S10 of a full warm set a newcomer takes the place of the costliest of five', () => {
  const { clock, record, drawing, picked, warm, passSecondLooks } = full();
  record('new', 'success', 1, 50);
  const draws = [3, 7, 5, 9, 11].map((each) => place(each, 53));
  expect(drawing(draws, () => record('new', 'success', 1, 50))).toBe(5);
  const after = warm(53);
  expect([after.size, after.has('new'), after.has('7'), after.has('9')]).toEqual([
    53,
    true,
    false,
    true,
  ]);
  passSecondLooks();
  clock.now = 29_999;
  expect(picked(0.0039, place(0, 53))).toBe('0');
  clock.now = 30_000;
  expect(picked(0.0039)).toBe('7');
});

it('S10 of two that cost the same the first one drawn goes; it may be the first of all', () => {
  const { record, drawing, warm } = scripted(53, 'new', ...proved(75).slice(54));
  record('new', 'success', 1, 50);
  drawing(
    [0, 20, 30, 40, 50].map((each) => place(each, 53)),
    () => record('new', 'success', 1, 50),
  );
  expect([warm(53).has('0'), warm(53).has('20')]).toEqual([false, true]);
});

it('S10 a newcomer that costs more than those drawn has to wait', () => {
  const { clock, record, drawing, picked, warm, passSecondLooks } = full();
  record('new', 'success', 1, 300);
  expect(drawing([], () => record('new', 'success', 1, 300))).toBe(5);
  expect(warm(53)).toEqual(new Set(proved(53)));
  passSecondLooks();
  clock.now = 30_000;
  expect(picked(0.0039)).toBe('new');
});

it('S10 a warm set of just the size that is wanted counts as full', () => {
  const { clock, picked } = full();
  clock.now = 30_000;
  expect(['0.0039', '0.004'].map((draw) => picked(Number(draw), 0))).toEqual(['0', 'new']);
});

it('S10 each of the untried ones is as likely as the others', () => {
  const { picked, pickedFor } = scripted(5, 'a', 'b', 'c');
  expect([0, 1, 2].map((each) => picked(0.02, place(each, 3)))).toEqual(['a', 'b', 'c']);
  const exclude = ['b'];
  expect(pickedFor({ exclude }, 0.02, place(2, 3))).toBe('c');
  expect(pickedFor({ exclude }, 0.02, place(1, 3), 0.1)).toBe('0');
});

it('S14 the first candidate of all is offered like the others', () => {
  const { clock, record, picked } = scripted(5);
  record('0', 'failure', 5);
  clock.now = 29_999;
  expect(picked(...toCold(2, 4))).not.toBe('0');
  clock.now = 30_000;
  expect(picked(...toCold(2, 4))).toBe('0');
  record('0', 'success');
  clock.now = 31_000;
  expect(picked(0.0999, ...toCold(2, 4))).toBe('0');
});

it('S14 none is offered while none is due', () => {
  const { clock, picked, record } = scripted(5, 'cold');
  for (const position of [0, 2, 4]) expect(picked(...toCold(position))).toBe(`${position}`);
  record('cold', 'failure');
  clock.now = 20_000;
  for (const position of [0, 2, 4]) expect(picked(...toCold(position))).toBe(`${position}`);
});

it('S14 one that waits and is excluded is not offered, nor are those behind it before their time', () => {
  const { clock, record, pickedFor } = scripted(5, 'a', 'b');
  record('a', 'failure');
  clock.now = 1;
  record('b', 'failure');
  const exclude = ['a'];
  clock.now = 30_000;
  expect(pickedFor({ exclude }, ...toCold(3))).toBe('3');
  clock.now = 30_001;
  expect(pickedFor({ exclude }, ...toCold(3))).toBe('b');
  expect(pickedFor({ exclude: ['a', 'b'] }, ...toCold(3))).toBe('3');
});

it.each([
  [7, ['b']],
  [8, ['3', 'b']],
  [16, ['3', '3', 'b']],
])('S9 one look at those that wait mends eight entries: %d tried since', (tried, expected) => {
  const ids = proved(tried).map((id) => `a${id}`);
  const { clock, record, picked } = scripted(5, ...ids, 'b');
  for (const id of ids) record(id, 'failure');
  clock.now = 1;
  record('b', 'failure');
  clock.now = 20_000;
  for (const id of ids) record(id, 'failure');
  clock.now = 30_001;
  expect(expected.map(() => picked(...toCold(3)))).toEqual(expected);
});

it('S12 those that became warm since are passed, and can wait again', () => {
  const { clock, record, picked, warm, passSecondLooks } = scripted(5, 'a', 'b', 'c');
  for (const id of ['a', 'b']) record(id, 'failure');
  for (const id of ['a', 'b']) record(id, 'success', 30);
  record('c', 'failure');
  expect(warm(7).size).toBe(7);
  passSecondLooks();
  clock.now = 40_000;
  expect(picked(...toCold(3, 7))).toBe('c');
  expect(picked(...toCold(3, 7))).toBe('3');
  record('a', 'failure', 5);
  expect(warm(6)).toEqual(new Set([...proved(5), 'b']));
  clock.now = 70_000;
  expect([picked(0.0149), picked(0.0149)].sort()).toEqual(['a', 'c']);
});

it('S12 a second look that is due for none leaves its pick to the untried', () => {
  const { clock, record, drawing, selector, picked } = scripted(5, 'trial', 'new');
  record('trial', 'success', 1);
  clock.now = 999;
  expect(drawing([], () => selector.select())).toBe(1 + 12 + 1);
  record('trial', 'success', 1);
  clock.now = 2000;
  expect(picked(0.05, 0.02)).toBe('new');
});

it('S12 one that succeeds at its second look, and not yet often enough, has the next one after 1 s', () => {
  const { clock, record, picked } = scripted(5, 'trial');
  record('trial', 'failure', 3);
  record('trial', 'success');
  for (const at of [1000, 2000]) {
    clock.now = at - 1;
    expect(picked(0.05, ...toCold(3))).toBe('3');
    clock.now = at;
    expect(picked(0.05, ...toCold(3))).toBe('trial');
    record('trial', 'success');
  }
});

it('S12 one that is no longer good leaves the warm set with its second failure in a row', () => {
  const { record, warm } = scripted(5, 'few');
  record('few', 'success', 2);
  record('few', 'failure');
  expect(warm(6)).toContain('few');
  record('few', 'failure');
  expect(warm(5)).toEqual(new Set(proved(5)));
});

it('S13 in a poor pool two successes in a row make a candidate warm', () => {
  const { record, warm } = scripted(0, ...proved(10));
  for (const id of proved(10)) record(id, 'failure', 2);
  const chosen = ['3', '5', '7', '8'];
  for (const id of chosen) record(id, 'success', 2);
  expect(warm(4)).toEqual(new Set(chosen));
});

it.each([
  [1, proved(5)],
  [3, ['0', '1', '3', '4']],
])('S4 a warm one that was full, and failed %d times in a row by then', (failures, expected) => {
  const { selector, record, warm } = scripted(5);
  selector.update({ id: '2', maxConcurrent: 1 });
  selector.started('2');
  expect(warm(4)).not.toContain('2');
  record('2', 'failure', failures);
  selector.settled('2');
  expect(warm(5)).toEqual(new Set(expected));
});

it('S4 one that waited before it was banned waits after', () => {
  const { clock, selector, record, picked, warm } = scripted(5, 'cold');
  record('cold', 'failure');
  clock.now = 10_000;
  selector.ban('cold', 20_000);
  clock.now = 20_000;
  expect(warm(5)).toEqual(new Set(proved(5)));
  clock.now = 29_999;
  expect(picked(...toCold(3))).toBe('3');
  clock.now = 30_000;
  expect(picked(...toCold(3))).toBe('cold');
});

it('S2 one that is banned when its look is due is not looked at before the ban ends', () => {
  const { clock, selector, record, picked } = scripted(5, 'cold', 'trial');
  record('cold', 'failure');
  record('trial', 'success');
  for (const id of ['cold', 'trial']) selector.ban(id, 50_000);
  clock.now = 40_000;
  expect(picked(...toCold(3))).toBe('3');
  clock.now = 50_000;
  expect(picked(0.05)).not.toBe('trial');
  expect(picked(...toCold(3))).toBe('cold');
  clock.now = 51_000;
  expect(picked(0.05)).toBe('trial');
});

it('S13 one that is added in the place of a warm one is untried', () => {
  const { selector, picked, warm } = scripted(5);
  selector.remove('2');
  selector.add({ id: 'new' });
  expect(warm(4)).toEqual(new Set(['0', '1', '3', '4']));
  expect(picked(0.02)).toBe('new');
});

it('S13 an untried one that others know to be good is warm, one that they know to be bad waits', () => {
  const { clock, selector, picked, warm } = scripted(5, 'good', 'bad', 'new', 'away');
  selector.ban('away', 10);
  selector.inform([
    { id: 'good', successRate: 0.9, weight: 10 },
    { id: 'bad', successRate: 0.1, weight: 10 },
    { id: 'away', successRate: 0.9, weight: 10 },
  ]);
  expect(warm(6)).toEqual(new Set([...proved(5), 'good']));
  expect([0, 0.9].map((each) => picked(0.02, each))).toEqual(['new', 'new']);
  clock.now = 29_999;
  expect(warm(7)).toEqual(new Set([...proved(5), 'good', 'away']));
  expect(picked(...toCold(3, 7))).toBe('3');
  clock.now = 30_000;
  expect(picked(...toCold(3, 7))).toBe('bad');
});

it('S13 what others know of one that was tried does not move it', () => {
  const { selector, record, warm } = scripted(5, 'cold');
  record('cold', 'failure');
  selector.inform([
    { id: 'cold', successRate: 1, weight: 10 },
    { id: '0', successRate: 0.1, weight: 10 },
  ]);
  expect(warm(5)).toEqual(new Set(proved(5)));
});

it('S12 one that is good again after its wait is forgiven what it failed at before', () => {
  const { clock, selector, record, picked, passSecondLooks } = scripted(5, 'a', 'b', 'c', 'new');
  for (const id of ['a', 'b', 'c']) {
    record(id, 'success', 30);
    record(id, 'failure', 5);
  }
  passSecondLooks();
  clock.now = 30_000;
  expect([picked(0.0149), picked(0.0149)]).toEqual(['a', 'b']);
  record('b', 'failure');
  for (const id of ['a', 'b', 'c']) record(id, 'success', 30);
  const score = (id: string) => selector.stats(id).score;
  const mean = score('new');
  // All of a's 30 are successes now; b failed after its wait, c was not looked at.
  expect(score('a')).toBeGreaterThan(mean + 0.75 * (1 - mean));
  expect(score('b')).toBeLessThan(score('a') - 0.005);
  expect(score('c')).toBeLessThan(score('a') - 0.005);
  record('a', 'failure', 10);
  record('a', 'success', 30);
  expect(score('a')).toBeLessThan(mean + 0.75 * (1 - mean));
});
