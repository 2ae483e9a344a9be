import { describe, expect, it } from 'vitest';
import { hasRoom } from './axis.ts';

describe('A7 labels of an axis', () => {
  it('A7 one that the edge of the picture would cut is left out', () => {
    const axis = { from: 1000, to: 2000, width: 800 };
    expect(hasRoom(1000, axis)).toBe(true);
    expect(hasRoom(1980, axis)).toBe(true);
    expect(hasRoom(1981, axis)).toBe(false);
    expect(hasRoom(2000, axis)).toBe(false);
  });
});
