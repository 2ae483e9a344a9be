import { describe, expect, it } from 'vitest';
import { readEvents } from '../testing/event-reader.ts';
import { startFixture } from '../testing/fixture.ts';

interface ProxyRow {
  readonly id: string;
  readonly [field: string]: unknown;
}
interface List {
  readonly proxies: readonly ProxyRow[];
  readonly total: number;
  readonly next_cursor: string | null;
}

const lines = (size: number) =>
  Array.from({ length: size }, (_, i) => `http://10.${i >> 16}.${(i >> 8) & 255}.${i & 255}:8080`);

describe('A16 lists of a large pool', () => {
  it('A16 lists come in pages of 1,000 that have the total', async () => {
    const { send } = await startFixture({ rotator: { proxies: lines(2500) } });
    const ids: string[] = [];
    let cursor: string | null = null;
    const sizes: number[] = [];
    do {
      const query: string = cursor === null ? '' : `?cursor=${cursor}`;
      const page = (await send('GET', `/api/v1/proxies${query}`)).json<List>();
      expect(page.total).toBe(2500);
      sizes.push(page.proxies.length);
      ids.push(...page.proxies.map(({ id }) => id));
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(sizes).toEqual([1000, 1000, 500]);
    expect(ids).toEqual(
      lines(2500)
        .map((url) => url.slice(7))
        .sort(),
    );
    const circuits = (await send('GET', '/api/v1/circuit-breakers?limit=2')).json<object>();
    expect(circuits).toMatchObject({
      circuit_breakers: [{ proxy_id: '10.0.0.0:8080' }, { proxy_id: '10.0.0.100:8080' }],
      total: 2500,
    });
  });

  it('A16 state, q, id, sort and fields choose what is on the page', async () => {
    const { send, rotator } = await startFixture({
      rotator: {
        proxies: [
          { url: 'a.test:1', region: 'eu', weight: 2 },
          { url: 'b.test:1', region: 'us', weight: 3, tags: ['Fast'] },
          { url: 'c.test:1', region: 'eu', weight: 1, tags: ['fast'] },
        ],
      },
    });
    rotator.forceOpenCircuitBreaker('b.test:1');
    const ids = async (query: string) =>
      (await send('GET', `/api/v1/proxies?${query}`)).json<List>().proxies.map(({ id }) => id);
    expect(await ids('state=open')).toEqual(['b.test:1']);
    expect(await ids('state=closed&q=FAST')).toEqual(['c.test:1']);
    expect(await ids('q=eu%20test')).toEqual(['a.test:1', 'c.test:1']);
    expect(await ids('sort=weight')).toEqual(['c.test:1', 'a.test:1', 'b.test:1']);
    expect(await ids('sort=-weight&limit=1')).toEqual(['b.test:1']);
    expect(await ids('id=c.test:1&id=a.test:1&id=gone')).toEqual(['a.test:1', 'c.test:1']);
    expect((await send('GET', '/api/v1/proxies?fields=id,state&q=b.')).json()).toEqual({
      proxies: [{ id: 'b.test:1', state: 'open' }],
      total: 1,
      next_cursor: null,
    });
    const open = await send('GET', '/api/v1/circuit-breakers?state=open&fields=proxy_id,forced');
    expect(open.json()).toMatchObject({
      circuit_breakers: [{ proxy_id: 'b.test:1', forced: true }],
      total: 1,
    });
  });

  it('A16 total counts the rows that are there, not the ids that were asked for', async () => {
    const { send } = await startFixture({ rotator: { proxies: lines(3) } });
    const known = '10.0.0.1:8080';
    for (const [list, key] of [
      ['proxies', 'id'],
      ['circuit-breakers', 'proxy_id'],
    ] as const) {
      for (const order of [key, 'state']) {
        const path = `/api/v1/${list}?sort=${order}&id=${known}&id=gone&id=`;
        expect((await send('GET', path)).json()).toMatchObject({ total: 1, next_cursor: null });
      }
    }
    const first = await send('GET', `/api/v1/proxies?limit=1&id=${known}&id=gone`);
    expect(first.json()).toMatchObject({ proxies: [{ id: known }], total: 1, next_cursor: null });
  });

  it('A16 metrics by proxy are sorted, filtered and paged too', async () => {
    const { send, rotator, target, proxies } = await startFixture({
      behaviours: [{ kind: 'ok' }, { kind: 'ok' }],
    });
    const [one = '', two = ''] = proxies.map(({ id }) => id);
    for (const proxyId of [one, two, two]) {
      await (await rotator.get(target.url, { proxyId })).body.dump();
    }
    const url = '/api/v1/metrics/retries/by-proxy?sort=-total_attempts&limit=1';
    const page = (await send('GET', `${url}&fields=total_attempts`)).json<{
      next_cursor: string;
    }>();
    expect(page).toMatchObject({ proxies: { [two]: { total_attempts: 2 } }, total: 2 });
    expect((await send('GET', `${url}&cursor=${page.next_cursor}`)).json()).toMatchObject({
      proxies: { [one]: { proxy_id: one, total_attempts: 1 } },
      total: 2,
      next_cursor: null,
    });
  });

  it.each([
    ['limit=0', 'limit'],
    ['limit=10001', 'limit'],
    ['limit=', 'limit'],
    ['sort=password', 'sort'],
    ['fields=id,password', 'fields'],
    ['state=broken', 'state'],
    ['cursor=nonsense', 'cursor'],
    [`cursor=${Buffer.from('["weight",1,"a"]').toString('base64url')}`, 'cursor'],
    [`cursor=${Buffer.from('["id",{},"a"]').toString('base64url')}`, 'cursor'],
    ['nope=1', 'nope'],
  ])('A16 ?%s is refused by name', async (query, field) => {
    const { send } = await startFixture();
    const answer = await send('GET', `/api/v1/proxies?${query}`);
    expect(answer.statusCode).toBe(400);
    expect(answer.json<{ details: object }>().details).toHaveProperty(field);
  });

  it('A16 one proxy and one circuit are read without a look at the others', async () => {
    const { send, rotator } = await startFixture({ rotator: { proxies: lines(10) } });
    const refuse = () => {
      throw new Error('the whole pool was read');
    };
    rotator.proxies = refuse;
    rotator.getCircuitBreakerStates = refuse;
    expect((await send('GET', '/api/v1/proxies/10.0.0.7:8080')).statusCode).toBe(200);
    expect((await send('GET', '/api/v1/circuit-breakers/10.0.0.7:8080')).statusCode).toBe(200);
    expect((await send('POST', '/api/v1/circuit-breakers/10.0.0.7:8080/open')).statusCode).toBe(
      200,
    );
    expect((await send('GET', '/api/v1/proxies?id=10.0.0.7:8080')).json()).toMatchObject({
      total: 1,
    });
  });

  it('A16 a snapshot of the event stream holds the first 1,000 proxies, and can be left out', async () => {
    const { app, rotator } = await startFixture({ rotator: { proxies: lines(1500) } });
    const base = await app.listen({ port: 0 });
    const whole = await readEvents(`${base}/api/v1/events`);
    const { data } = await whole.next('snapshot');
    expect(data).toMatchObject({ total: 1500 });
    expect((data as unknown as List).proxies).toHaveLength(1000);
    whole.close();
    const bare = await readEvents(`${base}/api/v1/events?snapshot=false`);
    rotator.removeProxy('10.0.0.0:8080');
    await bare.next('proxy:removed');
    expect(bare.text).not.toContain('snapshot');
    bare.close();
  });

  it('A16 health responds while eight lists of 100,000 proxies are made', async () => {
    const { app, rotator } = await startFixture({ rotator: { proxies: lines(100_000) } });
    const base = await app.listen({ port: 0 });
    expect(rotator.size).toBe(100_000);
    let listed = 0;
    const lists = Array.from({ length: 8 }, async (_, i) => {
      const response = await fetch(
        `${base}/api/v1/proxies?limit=10000&sort=-${i % 2 ? 'score' : 'id'}`,
      );
      const page = (await response.json()) as List;
      listed++;
      return [page.total, page.proxies.length];
    });
    let answered = 0;
    while (listed === 0) {
      await (await fetch(`${base}/health/live`)).arrayBuffer();
      if (listed === 0) answered++;
    }
    expect(await Promise.all(lists)).toEqual(lists.map(() => [100_000, 10_000]));
    expect(answered).toBeGreaterThan(2);
  });

  it('A16 the unhealthy ones of 100,000 proxies are removed in slices', async () => {
    const all = lines(100_000);
    const { send, rotator } = await startFixture({ rotator: { proxies: all } });
    const open = all.slice(50_000).map((url) => url.slice(7));
    for (const id of open) rotator.forceOpenCircuitBreaker(id);
    let removed: readonly string[] | undefined;
    void send('DELETE', '/api/v1/proxies/unhealthy').then((answer) => {
      ({ removed } = answer.json<{ removed: string[] }>());
    });
    const sizes = new Set<number>();
    while (removed === undefined) {
      sizes.add(rotator.size);
      await new Promise(setImmediate);
    }
    expect(removed).toEqual(open);
    expect([...sizes].filter((size) => size > 50_000 && size < 100_000).length).toBeGreaterThan(2);
  });
});
