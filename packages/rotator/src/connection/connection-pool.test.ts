import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { startProxy, startTarget } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import type { ConnectionPoolOptions } from './connection-pool-options.ts';
import { ConnectionPool } from './connection-pool.ts';
import type { Lease } from './lease.ts';
import { parseProxy } from '../proxy/parse-proxy.ts';
import type { Proxy } from '../proxy/proxy.ts';
import { heldBytes } from '../../test/support/memory.ts';
import { read, startRotator, use } from '../../test/support/rig.ts';
import { TlsClient } from './tls-client.ts';

function startPool(options: Partial<ConnectionPoolOptions> = {}): ConnectionPool {
  const pool = new ConnectionPool({
    connections: 64,
    maxLiveProxies: 1000,
    maxHeaderSize: 65_536,
    tls: new TlsClient('tls'),
    proxyTls: new TlsClient('proxyTls'),
    wallNow: Date.now,
    now: () => performance.now(),
    ...options,
  });
  use({ close: () => pool.destroy(new Error('the test is over')) });
  return pool;
}

interface Exchange {
  readonly lease: Lease;
  /** The status, after the whole response; the lease is released then, or cut on an error. */
  readonly done: Promise<number>;
}

/** A request through one proxy, as an attempt makes it. */
function exchange(pool: ConnectionPool, proxy: Proxy, url: string, session?: string): Exchange {
  const { origin, href } = new URL(url);
  const lease = pool.take(proxy, new URL(origin), { session });
  let statusCode = 0;
  const done = new Promise<number>((resolve, reject) => {
    lease.dispatch(
      { method: 'GET', path: lease.absoluteForm ? href : href.slice(origin.length) },
      {
        onRequestStart() {},
        onResponseStart: (_, status) => void (statusCode = status),
        onResponseData() {},
        onResponseEnd() {
          lease.release();
          resolve(statusCode);
        },
        onResponseError(_, error) {
          lease.cut(error);
          reject(error);
        },
      },
    );
  });
  return { lease, done };
}

const aliases = (url: string, count: number) =>
  Array.from({ length: count }, (_, i) => parseProxy({ url, id: `p${i}` }));

describe('ConnectionPool', () => {
  it('C8 clients are made on first use, kept for the next request, and capped: the least recently used is closed', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const pool = startPool({ maxLiveProxies: 3 });
    const proxies = aliases(proxy.url, 5);
    expect(pool.liveProxies).toBe(0);
    for (const each of proxies.slice(0, 3)) await exchange(pool, each, target.url).done;
    await exchange(pool, proxies[0] as Proxy, target.url).done;
    expect([pool.liveProxies, proxy.stats.connections]).toEqual([3, 3]);
    // p1 is now the least recently used, then p2.
    await exchange(pool, proxies[3] as Proxy, target.url).done;
    expect(pool.liveProxies).toBe(3);
    await exchange(pool, proxies[0] as Proxy, target.url).done;
    expect(proxy.stats.connections).toBe(4);
    await exchange(pool, proxies[1] as Proxy, target.url).done;
    expect(proxy.stats.connections).toBe(5);
    await expect.poll(() => proxy.openSockets()).toBeLessThanOrEqual(3);
  });

  it('C8 a busy proxy is never closed for the cap; it goes when it becomes idle', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy({ behaviour: { kind: 'ok', latencyMs: 50 } }));
    const pool = startPool({ maxLiveProxies: 2 });
    const all = aliases(proxy.url, 6).map((each) => exchange(pool, each, target.url).done);
    expect(pool.liveProxies).toBe(6);
    expect(await Promise.all(all)).toEqual(Array.from({ length: 6 }, () => 200));
    expect(pool.liveProxies).toBe(2);
  });

  it('C8 a connection that the proxy closes while idle is forgotten', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const pool = startPool();
    await exchange(pool, parseProxy(proxy.url), target.url).done;
    expect([pool.liveProxies, pool.openConnections]).toEqual([1, 1]);
    await proxy.behave({ kind: 'refuse' });
    await expect.poll(() => pool.liveProxies).toBe(0);
    expect(pool.openConnections).toBe(0);
  });

  it('F16d connections: further requests wait their turn, first come, first served', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const pool = startPool({ connections: 2 });
    const to = parseProxy(proxy.url);
    const order: number[] = [];
    const all = Array.from({ length: 8 }, (_, i) => exchange(pool, to, `${target.url}?n=${i}`));
    expect(all.map(({ lease }) => lease.phase === 'select')).toEqual([
      ...[false, false],
      ...Array.from({ length: 6 }, () => true),
    ]);
    all[5]?.lease.cut(new Error('given up while it waited'));
    await Promise.all(
      all.filter((_, i) => i !== 5).map(({ done }, i) => done.then(() => order.push(i))),
    );
    expect(proxy.stats.connections).toBe(2);
    const ends = target.received.map(({ path }) => Number(path.at(-1)));
    expect(ends.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 6, 7]);
    expect(pool.openConnections).toBe(2);
  });

  it('F16d a connection that fails does not take those with it that wait', async () => {
    const target = use(await startTarget());
    let drawn = 0;
    const proxy = use(
      await startProxy({
        behaviour: { kind: 'mix', parts: [{ ratio: 0.5, behaviour: { kind: 'reset' } }] },
        random: () => (drawn++ === 0 ? 0 : 0.9),
      }),
    );
    const pool = startPool({ connections: 1 });
    const to = parseProxy(proxy.url);
    const first = exchange(pool, to, target.url);
    const second = exchange(pool, to, target.url);
    await expect(first.done).rejects.toMatchObject({ code: expect.stringMatching(/SOCKET|RESET/) });
    expect(await second.done).toBe(200);
    expect(proxy.stats.connections).toBe(2);
  });

  it('F16d keepAlive: false is a connection per request, asked for with Connection: close', async () => {
    for (const tls of [false, true]) {
      const target = use(await startTarget({ tls }));
      const proxy = use(await startProxy());
      const rotator = startRotator({
        proxies: [proxy.url],
        keepAlive: false,
        tls: { ca: target.ca },
      });
      for (let i = 0; i < 3; i++) await read(rotator.get(target.url));
      expect(proxy.stats.connections).toBe(3);
      expect(target.received.map(({ headers }) => headers.connection)).toEqual(
        Array.from({ length: 3 }, () => 'close'),
      );
      await Promise.all([proxy.idle(), target.idle()]);
      const one = startRotator({
        proxies: [{ url: proxy.url, keepAlive: false }],
        tls: { ca: target.ca },
      });
      for (let i = 0; i < 2; i++) await read(one.get(target.url));
      expect(proxy.stats.connections).toBe(5);
    }
  });

  it('F16d a session has connections of its own', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const pool = startPool();
    const to = parseProxy(proxy.url);
    for (const session of ['a', 'b', 'a', undefined, 'b']) {
      await exchange(pool, to, target.url, session).done;
    }
    expect(proxy.stats.connections).toBe(3);
  });

  it('a proxy that was replaced under its id gets new connections, unless the old ones lead the same way', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const pool = startPool();
    const through = (options: object) =>
      exchange(pool, parseProxy({ url: proxy.url, id: 'same', ...options }), target.url).done;
    await through({});
    await through({ weight: 2 });
    expect(proxy.stats.connections).toBe(1);
    await through({ username: 'ann', password: '1' });
    await through({ username: 'ann', password: '2' });
    expect(proxy.stats.connections).toBe(3);
    expect(pool.openConnections).toBe(1);
  });

  it('a removed proxy finishes what runs and waits, then closes', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy({ behaviour: { kind: 'ok', latencyMs: 20 } }));
    const pool = startPool({ connections: 1 });
    const to = parseProxy(proxy.url);
    const all = [1, 2, 3].map(() => exchange(pool, to, target.url).done);
    pool.remove(to.id);
    expect(await Promise.all(all)).toEqual([200, 200, 200]);
    await proxy.idle();
    expect(pool.liveProxies).toBe(0);
  });

  it('F19 destroy ends what runs and waits at a proxy that was removed, and waits for its sockets', async () => {
    const proxy = use(await startProxy({ behaviour: { kind: 'hang' } }));
    const pool = startPool({ connections: 1 });
    const there = parseProxy(proxy.url);
    const running = exchange(pool, there, 'http://127.0.0.1:9/');
    await expect.poll(() => proxy.openSockets()).toBe(1);
    const waiting = exchange(pool, there, 'http://127.0.0.1:9/');
    let responded = false;
    void waiting.done.finally(() => (responded = true)).catch(() => {});
    pool.remove(there.id);
    const reason = new Error('the end');
    void pool.destroy(reason);
    await expect(running.done).rejects.toBe(reason);
    await proxy.idle();
    expect([proxy.stats.connections, responded]).toEqual([1, false]);
  });

  it('C7 1,000 retried 503s with bodies of 1 MB leave no socket beyond the pools', async () => {
    // In a process of its own, so that its memory is not ours.
    const child = startChild(`
      const body = Buffer.alloc(1_048_576, 97);
      require('http').createServer((request, response) => {
        const bad = request.url.endsWith('/bad');
        response.writeHead(bad ? 503 : 200, { 'content-length': bad ? body.length : 2 });
        response.end(bad ? body : 'ok');
        response.on('error', () => {});
      }).listen(0, '127.0.0.1', function () { console.log(this.address().port); });
    `);
    const port = await child.port;
    const rotator = startRotator({
      proxies: [1, 2].map((i) => ({ url: `http://127.0.0.1:${port}`, id: `p${i}` })),
      connections: 8,
      circuitBreaker: false,
      retryPolicy: { maxAttempts: 2, baseDelayMs: 100, failoverDelay: 'none' },
    });
    const sockets = () =>
      process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
    const round = async () => {
      const { statusCode, body } = await rotator.get('http://target.test/bad');
      expect(statusCode).toBe(503);
      await body.dump();
    };
    const rounds = async (count: number) => {
      for (let i = 0; i < count; i += 10) await Promise.all(Array.from({ length: 10 }, round));
    };
    const before = sockets();
    await rounds(100);
    const heap = heldBytes().heap;
    const { external } = process.memoryUsage();
    await rounds(1000);
    expect(heldBytes().heap - heap).toBeLessThan(20 * 2 ** 20);
    expect(process.memoryUsage().external - external).toBeLessThan(20 * 2 ** 20);
    expect(sockets() - before).toBeLessThanOrEqual(2 * 8);
    await rotator.destroy();
    await expect.poll(sockets).toBe(before);
  });

  it('C8 a proxy with one open connection costs at most 8 KB of heap', async () => {
    const child = startChild(`
      require('http').createServer({ keepAliveTimeout: 60000 }, (request, response) => {
        response.end('ok');
      }).listen(0, '127.0.0.1', function () { console.log(this.address().port); });
    `);
    const port = await child.port;
    const pool = startPool();
    const proxies = aliases(`http://127.0.0.1:${port}`, 600);
    const open = (some: Proxy[]) =>
      Promise.all(some.map((each) => exchange(pool, each, 'http://target.test/').done));
    await open(proxies.slice(0, 100));
    const before = heldBytes().heap;
    await open(proxies.slice(100));
    const each = (heldBytes().heap - before) / 500;
    expect(pool.openConnections).toBe(600);
    expect(each).toBeGreaterThan(500);
    expect(each).toBeLessThan(8192);
  });
});

/** A server in a process of its own that prints its port. */
function startChild(source: string): { port: Promise<number> } {
  const child = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
  use({
    close: async () => {
      child.kill();
      await once(child, 'close');
    },
  });
  return { port: once(child.stdout, 'data').then(([text]) => Number(String(text))) };
}
