import { describe, expect, it } from 'vitest';
import { LastHour } from './last-hour.ts';

const minuteMs = 60_000;

describe('LastHour', () => {
  it('forgets what happened an hour ago, to the minute', () => {
    let now = 10.5 * minuteMs;
    const hour = new LastHour(() => now);
    expect(hour.sum).toBe(0);
    hour.add(3);
    now = 69.9 * minuteMs;
    hour.add(2);
    expect(hour.sum).toBe(5);
    now = 70 * minuteMs;
    expect(hour.sum).toBe(2);
    now = 129 * minuteMs;
    expect(hour.sum).toBe(0);
  });

  it('holds nothing over after a long silence', () => {
    let now = 0;
    const hour = new LastHour(() => now);
    hour.add(7);
    now = 1000 * minuteMs + 7;
    expect(hour.sum).toBe(0);
    hour.add(1);
    expect(hour.sum).toBe(1);
  });
});
