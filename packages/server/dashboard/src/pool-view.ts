import type { PoolRow } from './pool.ts';
import type { CircuitState } from './wire.ts';

export type SortKey =
  | 'id'
  | 'state'
  | 'successRate'
  | 'score'
  | 'avgLatency'
  | 'p50'
  | 'p95'
  | 'p99'
  | 'inFlight'
  | 'attempts'
  | 'opens';

export interface Sorting {
  readonly key: SortKey;
  readonly descending: boolean;
}

export interface PoolFilter {
  /** Words that must all occur in id, region or tags. */
  readonly text: string;
  readonly state: CircuitState | 'all';
}

const severity: Readonly<Record<CircuitState, number>> = { open: 0, half_open: 1, closed: 2 };

/** The rows that pass the filter, in the order asked for; the input is left as it is. */
export function viewPool(
  rows: Iterable<PoolRow>,
  filter: PoolFilter,
  sorting: Sorting,
): readonly PoolRow[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  const shown: PoolRow[] = [];
  for (const row of rows) {
    if (filter.state !== 'all' && row.state !== filter.state) continue;
    if (!words.every((word) => row.haystack.includes(word))) continue;
    shown.push(row);
  }
  return shown.sort(comparison(sorting));
}

/** Which way a column is first sorted: names upward, trouble and load first. */
export function firstDirection(key: SortKey): Sorting {
  return { key, descending: !['id', 'state', 'successRate'].includes(key) };
}

/** What a click on a column's head does: turn the order around, or begin with this column. */
export function nextSorting(current: Sorting, key: SortKey): Sorting {
  return current.key === key ? { key, descending: !current.descending } : firstDirection(key);
}

/** Rows without a figure come last in both directions; ties keep the natural order of ids. */
function comparison({ key, descending }: Sorting): (a: PoolRow, b: PoolRow) => number {
  const sign = descending ? -1 : 1;
  if (key === 'id') return (a, b) => sign * (a.rank - b.rank);
  if (key === 'state') {
    return (a, b) =>
      sign * (severity[a.state] - severity[b.state]) ||
      sign * ((a.nextTestAt ?? Infinity) - (b.nextTestAt ?? Infinity) || 0) ||
      a.rank - b.rank;
  }
  return (a, b) => {
    const left = a[key];
    const right = b[key];
    if (left === right) return a.rank - b.rank;
    if (left === null) return 1;
    if (right === null) return -1;
    return sign * (left - right);
  };
}

/** The rows in the order they had, each with what is known of it now; removed ones are gone. */
export function holdOrder(
  before: readonly PoolRow[],
  rows: readonly PoolRow[],
): readonly PoolRow[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return before.map(({ id }) => byId.get(id)).filter((row) => row !== undefined);
}
