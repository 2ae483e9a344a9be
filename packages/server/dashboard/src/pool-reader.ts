import type { ApiClient } from './api-client.ts';
import type * as Wire from './wire.ts';

/** What the three lists say about some proxies. */
export interface PoolReading {
  readonly proxies: readonly Wire.WireProxy[];
  readonly circuits: readonly Wire.WireCircuit[];
  readonly metrics: Readonly<Record<string, Wire.WireProxyMetrics>>;
  /** How many the pool has. */
  readonly total: number;
}

/** Beyond this the page shows the first ones, and says so. */
export const maxRows = 20_000;

const pageSize = 5000;

interface Page {
  readonly total?: number;
  readonly next_cursor?: string | null;
}

/** Asks for the pool, or for some of it. */
export class PoolReader {
  readonly #api: ApiClient;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  /** The first `maxRows` proxies. */
  async readAll(hours: number): Promise<PoolReading> {
    const [proxies, circuits, metrics] = await Promise.all([
      this.#pages<Page & { proxies: Wire.WireProxy[] }>('proxies?'),
      this.#pages<Page & { circuit_breakers: Wire.WireCircuit[] }>('circuit-breakers?'),
      this.#pages<Page & { proxies: Record<string, Wire.WireProxyMetrics> }>(
        `metrics/retries/by-proxy?hours=${hours}&`,
      ),
    ]);
    const listed = proxies.flatMap((page) => page.proxies);
    return {
      proxies: listed,
      circuits: circuits.flatMap((page) => page.circuit_breakers),
      metrics: Object.assign({}, ...metrics.map((page) => page.proxies)) as PoolReading['metrics'],
      total: proxies[0]?.total ?? listed.length,
    };
  }

  /** These proxies alone; ids that are gone are missing in the answer. */
  async readSome(ids: readonly string[], hours: number): Promise<Omit<PoolReading, 'total'>> {
    const query = ids.map((id) => `id=${encodeURIComponent(id)}`).join('&');
    const [proxies, circuits, metrics] = await Promise.all([
      this.#api.call<{ proxies: Wire.WireProxy[] }>('GET', `proxies?${query}`),
      this.#api.call<{ circuit_breakers: Wire.WireCircuit[] }>('GET', `circuit-breakers?${query}`),
      this.#api.call<{ proxies: Record<string, Wire.WireProxyMetrics> }>(
        'GET',
        `metrics/retries/by-proxy?hours=${hours}&${query}`,
      ),
    ]);
    return {
      proxies: proxies.proxies,
      circuits: circuits.circuit_breakers,
      metrics: metrics.proxies,
    };
  }

  async #pages<Body extends Page>(path: string): Promise<readonly Body[]> {
    const pages: Body[] = [];
    let cursor: string | null = null;
    do {
      const after: string = cursor === null ? '' : `&cursor=${cursor}`;
      const page: Body = await this.#api.call<Body>('GET', `${path}limit=${pageSize}${after}`);
      pages.push(page);
      cursor = page.next_cursor ?? null;
    } while (cursor !== null && pages.length * pageSize < maxRows);
    return pages;
  }
}
