import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deadline, Deadlines } from './deadlines.ts';

describe('F9 deadlines of one length share a timer', () => {
  let deadlines: Deadlines;
  let passed: string[];
  let startedAt: number;
  const named = (name: string, then?: () => void) =>
    new Deadline({
      expired() {
        passed.push(`${name} ${performance.now() - startedAt}`);
        then?.();
      },
    });

  beforeEach(() => {
    vi.useFakeTimers();
    deadlines = new Deadlines();
    passed = [];
    startedAt = performance.now();
  });

  afterEach(() => {
    deadlines.close();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it('each passes at its own time, and one timer is set at a time', () => {
    for (const name of ['a', 'b', 'c']) {
      deadlines.start(named(name), 100);
      expect(vi.getTimerCount()).toBe(1);
      vi.advanceTimersByTime(30);
    }
    vi.advanceTimersByTime(300);
    expect(passed).toEqual(['a 100', 'b 130', 'c 160']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('one that is stopped does not pass, and its timer serves the next one', () => {
    const [a, b] = [named('a'), named('b')];
    deadlines.start(a, 100);
    vi.advanceTimersByTime(60);
    a.stop();
    a.stop();
    deadlines.start(b, 100);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(99);
    expect(passed).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(passed).toEqual(['b 160']);
  });

  it('one that begins once more passes later, once, and one that does not run stays so', () => {
    const [a, b] = [named('a'), named('b')];
    deadlines.start(a, 100);
    deadlines.start(b, 100);
    vi.advanceTimersByTime(50);
    a.restart();
    deadlines.start(b, 20);
    vi.advanceTimersByTime(200);
    a.restart();
    vi.advanceTimersByTime(200);
    expect(passed).toEqual(['b 70', 'a 150']);
  });

  it('lengths do not wait for each other', () => {
    deadlines.start(named('long'), 1000);
    deadlines.start(named('short'), 10);
    vi.advanceTimersByTime(1000);
    expect(passed).toEqual(['short 10', 'long 1000']);
  });

  it('an owner may stop others, begin again, and throw: what is due then passes a moment later', () => {
    const b = named('b');
    const a = named('a', () => {
      b.stop();
      if (passed.length < 3) deadlines.start(a, 100);
      else throw new Error('from the owner');
    });
    deadlines.start(a, 100);
    deadlines.start(b, 100);
    vi.advanceTimersByTime(200);
    deadlines.start(named('c'), 100);
    expect(() => vi.advanceTimersByTime(100)).toThrow('from the owner');
    vi.advanceTimersByTime(100);
    expect(passed).toEqual(['a 100', 'a 200', 'a 300', 'c 301']);
  });

  it('many lengths leave no timers behind, and few wait for their next deadline', () => {
    const many = Array.from({ length: 200 }, (_, i) => {
      const each = named(`${i}`);
      deadlines.start(each, 1000 + i);
      return each;
    });
    expect(vi.getTimerCount()).toBe(200);
    for (const each of many) each.stop();
    expect(vi.getTimerCount()).toBe(16);
    vi.advanceTimersByTime(2000);
    expect(vi.getTimerCount()).toBe(0);
    expect(passed).toEqual([]);
  });

  it('a length beyond what a timer takes waits for as long as one can', () => {
    deadlines.start(named('far'), Infinity);
    vi.advanceTimersByTime(2 ** 31 - 2);
    expect(passed).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(passed).toHaveLength(1);
  });
});

it('F9 a deadline keeps the process alive while it runs, and no longer', () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const deadlines = new Deadlines();
  const [a, b] = [new Deadline({ expired() {} }), new Deadline({ expired() {} })];
  deadlines.start(a, 60_000);
  expect(timers()).toBe(before + 1);
  a.stop();
  expect(timers()).toBe(before);
  deadlines.start(b, 60_000);
  expect(timers()).toBe(before + 1);
  deadlines.close();
  expect(timers()).toBe(before);
});
