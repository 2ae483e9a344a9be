import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { grown, NameTable } from './name-table.ts';

/** A table with a number to each row, which folding adds to row 0. */
function tally(maxNames: number) {
  const capacities: number[] = [];
  let counts = new Uint32Array(0);
  const names = new NameTable(maxNames, {
    grow(capacity) {
      capacities.push(capacity);
      counts = grown(counts, capacity);
    },
    fold(row) {
      counts[0]! += counts[row]!;
      counts[row] = 0;
    },
  });
  const use = (name: string) => {
    const row = names.use(name);
    counts[row]! += 1;
    return row;
  };
  return { names, use, capacities, count: (row: number) => counts[row] };
}

describe('NameTable', () => {
  it('M5 beyond the maximum the least recently used folds into other', () => {
    const { names, use, count } = tally(2);
    expect([use('a'), use('b'), use('a')]).toEqual([1, 2, 1]);
    expect(use('c')).toBe(2);
    expect(names.find('b')).toBeUndefined();
    expect([count(0), count(1), count(2)]).toEqual([1, 2, 1]);
    expect([names.nameOf(0), names.nameOf(1), names.nameOf(2)]).toEqual(['other', 'a', 'c']);
    expect(names.size).toBe(2);
  });

  it('gives a released row to the next new name', () => {
    const { names, use, count } = tally(10);
    use('a');
    use('b');
    names.release(1);
    expect([names.find('a'), names.nameOf(1), count(0)]).toEqual([undefined, undefined, 1]);
    expect(use('c')).toBe(1);
  });

  it('counts the name other itself in row 0', () => {
    const { names, use } = tally(10);
    expect([use('other'), names.find('other'), names.size]).toEqual([0, 0, 0]);
  });

  it('M5 grows by doubling, but not past the maximum', () => {
    const { use, capacities } = tally(100);
    for (let i = 0; i < 150; i++) use(`p${i}`);
    expect(capacities).toEqual([16, 32, 64, 101]);
  });

  it('agrees with a plain list of names in order of use', () => {
    const names = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g');
    const step = fc.oneof(
      fc.record({ do: fc.constant('use' as const), name: names }),
      fc.record({ do: fc.constant('release' as const), name: names }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const table = tally(4);
        const model: string[] = [];
        for (const { do: what, name } of steps) {
          const at = model.indexOf(name);
          if (what === 'use') {
            if (at >= 0) model.splice(at, 1);
            else if (model.length === 4) model.pop();
            model.unshift(name);
            table.use(name);
          } else if (at >= 0) {
            model.splice(at, 1);
            table.names.release(table.names.find(name)!);
          }
          expect(table.names.size).toBe(model.length);
          const rows = model.map((each) => table.names.find(each));
          expect(new Set(rows).size).toBe(model.length);
          expect(rows).not.toContain(undefined);
        }
      }),
    );
  });
});
