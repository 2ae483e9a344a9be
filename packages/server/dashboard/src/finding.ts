import { computed, effect, signal } from '@preact/signals';
import { api } from './api.ts';
import type { PoolRow } from './pool.ts';
import { maxRows, PoolReader } from './pool-reader.ts';
import type { PoolFilter, Sorting } from './pool-view.ts';
import { Search } from './search.ts';

/** A question is asked when the operator has stopped typing for so long. */
const typingMs = 250;

export const filter = signal<PoolFilter>({ text: '', state: 'all' });
export const sorting = signal<Sorting>({ key: 'id', descending: false });
/** How many hours the percentiles and counts of the table cover. */
export const metricsHours = signal<1 | 24>(24);
/** How many proxies the pool has, which may be more than the page holds. */
export const poolSize = signal(0);

export const search = new Search(api, new PoolReader(api));

/** What the server found, where the page holds a part of the pool alone; undefined: the page looks itself. */
export const found = signal<{ rows: readonly PoolRow[]; total: number; more: boolean } | undefined>(
  undefined,
);

export function showFound(): void {
  found.value = { rows: [...search.rows.values()], total: search.total, more: search.hasMore };
}

let noteFailure: (error: unknown) => void = () => {};

async function find(answer: Promise<boolean>): Promise<void> {
  try {
    if (await answer) showFound();
  } catch (error) {
    noteFailure(error);
  }
}

export const findMore = () => find(search.more());

/** From now on the server is asked what the page cannot know. */
export function startFinding(onFailure: (error: unknown) => void): void {
  noteFailure = onFailure;
  const isPartial = computed(() => poolSize.value > maxRows);
  effect(() => {
    const question = { filter: filter.value, sorting: sorting.value, hours: metricsHours.value };
    const { text, state } = question.filter;
    const { key, descending } = question.sorting;
    const isFirstPart = text.trim() === '' && state === 'all' && key === 'id' && !descending;
    if (!isPartial.value || isFirstPart) {
      search.clear();
      found.value = undefined;
      return undefined;
    }
    const timer = setTimeout(() => void find(search.ask(question)), typingMs);
    return () => clearTimeout(timer);
  });
}
