import { describe, expect, it } from 'vitest';
import { pageOf, type Place, type SortValue } from './page.ts';

const ids = (n: number) =>
  Array.from({ length: n }, (_, i) => `p${String((i * 7) % n).padStart(5, '0')}`);

/** Every page of a list, one after the other. */
async function pages(
  all: readonly string[],
  valueOf: (id: string) => SortValue | undefined,
  options: { limit: number; descending?: boolean },
): Promise<string[][]> {
  const found: string[][] = [];
  let after: Place | undefined;
  do {
    const page = await pageOf({ ids: all, valueOf, descending: false, ...options, after });
    found.push([...page.ids]);
    after = page.end;
  } while (after !== undefined);
  return found;
}

describe('A16 a page of a long list', () => {
  it('A16 the pages together are the whole list, in order, with nothing twice', async () => {
    const all = ids(1000);
    for (const limit of [1, 3, 333, 999, 1000, 5000]) {
      const found = await pages(all, () => null, { limit });
      expect(found.flat()).toEqual([...all].sort());
      expect(found).toHaveLength(Math.max(1, Math.ceil(1000 / limit)));
    }
  });

  it('A16 sorts by value, then by id; rows without a value come last in both directions', async () => {
    const values: Record<string, SortValue> = { a: 2, b: null, c: 1, d: 2, e: null };
    const valueOf = (id: string) => values[id];
    const up = await pages(['e', 'd', 'c', 'b', 'a'], valueOf, { limit: 2 });
    expect(up).toEqual([['c', 'a'], ['d', 'b'], ['e']]);
    const down = await pages(['e', 'd', 'c', 'b', 'a'], valueOf, { limit: 2, descending: true });
    expect(down).toEqual([['d', 'a'], ['c', 'e'], ['b']]);
  });

  it('A16 shows how many there are; what is not in the list does not count', async () => {
    const valueOf = (id: string) => (id < 'p00010' ? null : undefined);
    const page = await pageOf({
      ids: ids(100),
      valueOf,
      descending: false,
      after: undefined,
      limit: 4,
    });
    expect(page).toMatchObject({ total: 10, end: { value: null, id: 'p00003' } });
  });

  it('A16 a row that goes between two pages neither moves the others nor hides one', async () => {
    const all = new Set(ids(10));
    const options = { ids: all, valueOf: () => null, descending: false, limit: 4 };
    const first = await pageOf({ ...options, after: undefined });
    all.delete('p00001');
    all.add('p00000x');
    const second = await pageOf({ ...options, after: first.end });
    expect(second.ids).toEqual(['p00004', 'p00005', 'p00006', 'p00007']);
  });

  it('A16 the event loop has turns while a long list is walked through', async () => {
    let turns = 0;
    let walking = true;
    const count = () => {
      turns++;
      if (walking) setImmediate(count);
    };
    setImmediate(count);
    // Each value takes a while, as if the list was long.
    const valueOf = () => {
      const until = performance.now() + 0.2;
      while (performance.now() < until);
      return null;
    };
    await pageOf({ ids: ids(1000), valueOf, descending: false, after: undefined, limit: 10 });
    walking = false;
    expect(turns).toBeGreaterThan(10);
  });
});
