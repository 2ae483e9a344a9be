import { Turns } from './turns.ts';

/** What a row is sorted by. Null comes last in both directions. */
export type SortValue = string | number | null;

/** A row's place in the order: by value, then by id. */
export interface Place {
  readonly value: SortValue;
  readonly id: string;
}

export interface PageOptions {
  /** The ids to look at. The iterator may be live: it is read over several turns of the event loop. */
  readonly ids: Iterable<string>;
  /** What the row is sorted by; undefined when it is not in the list. */
  readonly valueOf: (id: string) => SortValue | undefined;
  readonly descending: boolean;
  /** Rows up to and including this place are on earlier pages. */
  readonly after: Place | undefined;
  readonly limit: number;
}

export interface Page {
  readonly ids: readonly string[];
  /** Rows in the list, on all pages. */
  readonly total: number;
  /** Where the next page begins; undefined on the last one. */
  readonly end: Place | undefined;
}

/** Ids between two looks at the clock. */
const stride = 64;

/**
 * Finds one page among any number of rows, in slices of a few milliseconds, and holds two pages of places
 * at most. A row that changes its place between two pages may come twice or not at all; sorted by id no
 * row does.
 */
export async function pageOf(options: PageOptions): Promise<Page> {
  const { ids, valueOf, after, limit } = options;
  const compare = comparison(options.descending);
  const turns = new Turns();
  let best: Place[] = [];
  /** No row after this one can be on the page. */
  let worst: Place | undefined;
  let total = 0;
  let behind = 0;
  let seen = 0;
  for (const id of ids) {
    if (++seen % stride === 0 && turns.isDue) await turns.next();
    const value = valueOf(id);
    if (value === undefined) continue;
    total++;
    const place = { value, id };
    if (after !== undefined && compare(place, after) <= 0) continue;
    behind++;
    if (worst !== undefined && compare(place, worst) >= 0) continue;
    best.push(place);
    if (best.length >= 2 * limit) {
      best = best.sort(compare).slice(0, limit);
      worst = best.at(-1);
    }
  }
  best = best.sort(compare).slice(0, limit);
  return {
    ids: best.map(({ id }) => id),
    total,
    end: behind > best.length ? best.at(-1) : undefined,
  };
}

function comparison(descending: boolean): (a: Place, b: Place) => number {
  const sign = descending ? -1 : 1;
  return (a, b) => {
    if (a.value !== b.value) {
      if (a.value === null) return 1;
      if (b.value === null) return -1;
      return a.value < b.value ? -sign : sign;
    }
    if (a.id === b.id) return 0;
    return a.id < b.id ? -sign : sign;
  };
}
