import { expect, it, vi } from 'vitest';
import { jittered } from './jitter.ts';

const raw = (retry: number) => 1000 * (retry + 1);

it('B3 without jitter the delay is the capped one, and nothing is drawn', () => {
  const random = vi.fn(() => 0.5);
  for (const jitter of [undefined, false, 'none'] as const) {
    const backoff = jittered({ jitter, random }, 1000, 2500, raw);
    expect([0, 1, 2, 9].map((retry) => backoff.delay(retry))).toEqual([1000, 2000, 2500, 2500]);
  }
  expect(random).not.toHaveBeenCalled();
});

it('B3 a delay is drawn once', () => {
  const random = vi.fn(() => 0.5);
  expect(jittered({ jitter: 'full', random }, 1000, 2500, raw).delay(1)).toBe(1000);
  expect(random).toHaveBeenCalledTimes(1);
});

it.each(['fully', '', 'toString', 5])(
  'B6 jitter %o is refused, naming those there are',
  (jitter) => {
    expect(() => jittered({ jitter: jitter as never }, 1000, 2500, raw)).toThrow(
      new TypeError(
        `jitter must be one of false,none,full,equal,true,proportional,decorrelated, got ${typeof jitter}`,
      ),
    );
  },
);
