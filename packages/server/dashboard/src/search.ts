import type { ApiClient } from './api-client.ts';
import { DirtyIds } from './dirty-ids.ts';
import { mergeIntoPool, type PoolRow } from './pool.ts';
import type { PoolReader } from './pool-reader.ts';
import type { PoolFilter, SortKey, Sorting } from './pool-view.ts';
import type { WireProxy, WireProxyMetrics } from './wire.ts';

export interface Question {
  readonly filter: PoolFilter;
  readonly sorting: Sorting;
  /** Which the metrics cover. */
  readonly hours: number;
}

const pageSize = 200;

/** What a list of the server calls the columns; those of the metrics are in another list. */
const proxySorts: Partial<Record<SortKey, string>> = {
  state: 'state',
  successRate: 'success_rate',
  score: 'score',
  avgLatency: 'avg_latency',
  inFlight: 'in_flight',
};
const metricSorts: Partial<Record<SortKey, string>> = {
  p50: 'p50',
  p95: 'p95',
  p99: 'p99',
  attempts: 'total_attempts',
  opens: 'circuit_breaker_opens',
};

/** The list that has the rows in the order asked for. */
export function pathOf({ filter: { text, state }, sorting, hours }: Question): string {
  const { key, descending } = sorting;
  const metric = metricSorts[key];
  // Open ones come first in the table; the server goes by the letter.
  const minus = (key === 'state') !== descending ? '-' : '';
  return [
    metric === undefined
      ? 'proxies?fields=id'
      : `metrics/retries/by-proxy?fields=proxy_id&hours=${hours}`,
    `limit=${pageSize}`,
    `sort=${minus}${metric ?? proxySorts[key] ?? 'id'}`,
    ...(text.trim() === '' ? [] : [`q=${encodeURIComponent(text)}`]),
    ...(state === 'all' ? [] : [`state=${state}`]),
  ].join('&');
}

interface Page {
  readonly proxies: readonly Pick<WireProxy, 'id'>[] | Readonly<Record<string, WireProxyMetrics>>;
  readonly total: number;
  readonly next_cursor: string | null;
}

/** Proxies that the server finds where the page does not hold all of them, page by page. */
export class Search {
  readonly #api: ApiClient;
  readonly #reader: PoolReader;
  #question: Question | undefined;
  #cursor: string | null = null;
  /** In the order asked for. */
  rows = new Map<string, PoolRow>();
  total = 0;

  constructor(api: ApiClient, reader: PoolReader) {
    this.#api = api;
    this.#reader = reader;
  }

  get hasMore(): boolean {
    return this.#cursor !== null;
  }

  /** Forgets what was found. */
  clear(): void {
    this.#question = undefined;
    this.#cursor = null;
    this.rows = new Map();
    this.total = 0;
  }

  /** The first page. False: another question has been asked since. */
  ask(question: Question): Promise<boolean> {
    this.#question = question;
    return this.#read(question, undefined);
  }

  /** The next page. */
  async more(): Promise<boolean> {
    if (this.#question === undefined || this.#cursor === null) return false;
    return this.#read(this.#question, this.#cursor);
  }

  async #read(question: Question, cursor: string | undefined): Promise<boolean> {
    const after = cursor === undefined ? '' : `&cursor=${cursor}`;
    const page = await this.#api.call<Page>('GET', pathOf(question) + after);
    const ids = Array.isArray(page.proxies)
      ? page.proxies.map(({ id }: Pick<WireProxy, 'id'>) => id)
      : Object.keys(page.proxies);
    const read = new Map<string, PoolRow>();
    const left = new DirtyIds();
    for (const id of ids) left.add(id);
    while (left.size > 0) {
      const { proxies, circuits, metrics } = await this.#reader.readSome(
        left.take([]),
        question.hours,
      );
      mergeIntoPool(read, proxies, circuits, metrics);
    }
    if (question !== this.#question) return false;
    const rows = cursor === undefined ? new Map<string, PoolRow>() : this.rows;
    for (const id of ids) {
      const row = read.get(id);
      if (row !== undefined) rows.set(id, row);
    }
    this.rows = rows;
    this.total = page.total;
    this.#cursor = page.next_cursor;
    return true;
  }
}
