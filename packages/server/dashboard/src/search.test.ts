import { describe, expect, it } from 'vitest';
import type { ApiClient } from './api-client.ts';
import { PoolReader } from './pool-reader.ts';
import { pathOf, Search, type Question } from './search.ts';

const question = (fields: Partial<Question> = {}): Question => ({
  filter: { text: '', state: 'all' },
  sorting: { key: 'id', descending: false },
  hours: 24,
  ...fields,
});

/** A server with 450 proxies, which counts what it is asked for. */
function fakeApi() {
  const all = Array.from({ length: 450 }, (_, i) => `p${String(i).padStart(3, '0')}:1`);
  const asked: string[] = [];
  const call = async (_method: string, path: string) => {
    asked.push(path);
    const [list = '', query] = path.split('?');
    const parameters = new URLSearchParams(query);
    const named = parameters.getAll('id');
    const from = Number(parameters.get('cursor') ?? 0);
    const ids = named.length > 0 ? named : all.slice(from, from + 200);
    const rest = {
      total: all.length,
      next_cursor: from + 200 < all.length ? String(from + 200) : null,
    };
    if (list === 'circuit-breakers') return { circuit_breakers: [], ...rest };
    if (list === 'proxies') return { proxies: ids.map((id) => ({ id, url: id })), ...rest };
    const reversed = named.length > 0 ? ids : ids.toReversed();
    return { proxies: Object.fromEntries(reversed.map((id) => [id, { proxy_id: id }])), ...rest };
  };
  const api = { call, clockSkewMs: 0, stream: () => Promise.reject(new Error()) };
  return { api: api as unknown as ApiClient, asked, all };
}

describe('A16 a search in a pool that the page does not hold', () => {
  it.each([
    [{}, 'proxies?fields=id&limit=200&sort=id'],
    [
      { filter: { text: 'eu fast', state: 'open' as const } },
      'proxies?fields=id&limit=200&sort=id&q=eu%20fast&state=open',
    ],
    [
      { sorting: { key: 'successRate' as const, descending: true } },
      'proxies?fields=id&limit=200&sort=-success_rate',
    ],
    [
      { sorting: { key: 'state' as const, descending: false } },
      'proxies?fields=id&limit=200&sort=-state',
    ],
    [
      { sorting: { key: 'p95' as const, descending: true }, hours: 1 },
      'metrics/retries/by-proxy?fields=proxy_id&hours=1&limit=200&sort=-p95',
    ],
  ])('A16 %o asks for %s', (fields, path) => {
    expect(pathOf(question(fields))).toBe(path);
  });

  it('A16 comes page by page, in the order of the server', async () => {
    const { api, all } = fakeApi();
    const search = new Search(api, new PoolReader(api));
    const ids = () => [...search.rows.keys()];
    await search.ask(question());
    expect([ids(), search.total, search.hasMore]).toEqual([all.slice(0, 200), 450, true]);
    await search.more();
    await search.more();
    expect([ids(), search.hasMore]).toEqual([all, false]);
    expect(await search.more()).toBe(false);
    await search.ask(question({ sorting: { key: 'p95', descending: true } }));
    expect(ids()).toEqual(all.slice(0, 200).toReversed());
  });

  it('A16 a response to an earlier query is dropped', async () => {
    const { api } = fakeApi();
    const search = new Search(api, new PoolReader(api));
    const first = search.ask(question());
    const second = search.ask(question({ sorting: { key: 'p95', descending: true } }));
    expect(await Promise.all([first, second])).toEqual([false, true]);
    search.clear();
    expect([search.rows.size, search.hasMore, await search.more()]).toEqual([0, false, false]);
  });
});
