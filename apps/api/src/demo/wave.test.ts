import { describe, expect, it } from 'vitest';
import { turnOf } from './wave.ts';

const wave = { firstMs: 5000, lastsMs: 6000, everyMs: 20_000 };

describe('the waves of the demo fleet', () => {
  it.each([
    [0, false, 5000],
    [4999, false, 1],
    [5000, true, 6000],
    [10_999, true, 1],
    [11_000, false, 14_000],
    [25_000, true, 6000],
    [31_000, false, 14_000],
  ])('at %i ms: troubled %s, for %i ms more', (elapsedMs, troubled, leftMs) => {
    expect(turnOf(wave, elapsedMs)).toEqual({ troubled, leftMs });
  });
});
