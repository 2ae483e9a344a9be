import { describe, expect, it } from 'vitest';
import { DirtyIds } from './dirty-ids.ts';

describe('DirtyIds', () => {
  it('A16 takes what is in view first, then what has waited longest, each once', () => {
    const dirty = new DirtyIds();
    for (const id of ['a', 'b', 'c']) dirty.add(id);
    dirty.add('a');
    expect(dirty.take(['c', 'x'])).toEqual(['c', 'a', 'b']);
    expect(dirty.take(['c'])).toEqual([]);
  });

  it('A16 takes no more than fits into one request, and the rest next time', () => {
    const dirty = new DirtyIds();
    const ids = Array.from({ length: 150 }, (_, i) => `p${i}`);
    for (const id of ids) dirty.add(id);
    expect([...dirty.take([]), ...dirty.take([])]).toEqual(ids);
    for (const id of ids) dirty.add(id.padEnd(200, 'x'));
    expect(dirty.take([])).toHaveLength(17);
  });

  it('A16 a proxy that left is not asked for', () => {
    const dirty = new DirtyIds();
    dirty.add('a');
    dirty.delete('a');
    expect(dirty.take(['a'])).toEqual([]);
  });
});
