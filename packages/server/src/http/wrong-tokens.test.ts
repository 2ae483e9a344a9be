import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { WrongTokens } from './wrong-tokens.ts';

describe('A8 wrong tokens', () => {
  it('A8 one that is sent again is no new guess, for as long as the window', () => {
    let now = 0;
    const wrong = new WrongTokens(60_000, { now: () => now });
    expect(wrong.isNew('10.0.0.1', 'typo')).toBe(true);
    expect(wrong.isNew('10.0.0.1', 'typo')).toBe(false);
    expect(wrong.isNew('10.0.0.1', 'typo2')).toBe(true);
    expect(wrong.isNew('10.0.0.2', 'typo')).toBe(true);
    now = 59_999;
    expect(wrong.isNew('10.0.0.1', 'typo')).toBe(false);
    now = 60_000;
    expect(wrong.isNew('10.0.0.1', 'typo')).toBe(true);
    expect(wrong.size).toBe(1);
  });

  it('A8 so many are remembered and no more, and none as it was sent', () => {
    const wrong = new WrongTokens(60_000, { capacity: 3 });
    for (let i = 0; i < 100; i++) wrong.isNew('10.0.0.1', `hunter${i}`);
    expect(wrong.size).toBeLessThanOrEqual(3);
    expect(inspect(wrong, { showHidden: true, depth: 9 })).not.toContain('hunter');
  });
});
