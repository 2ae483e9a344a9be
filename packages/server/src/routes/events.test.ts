import { once } from 'node:events';
import net from 'node:net';
import type { FastifyInstance } from 'fastify';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { readEvents } from '../testing/event-reader.ts';
import { ok, startFixture } from '../testing/fixture.ts';

const path = '/api/v1/events';

async function start(options: Parameters<typeof startFixture>[0] = {}) {
  const fixture = await startFixture(options);
  const address = await fixture.app.listen({ port: 0 });
  const read = async (headers?: Record<string, string>) => {
    const reader = await readEvents(`${address}${path}`, headers);
    onTestFinished(() => reader.close());
    return reader;
  };
  return { ...fixture, address, read };
}

/** Asks for the stream, and reads no more than that it has begun. */
async function connectDeaf(address: string): Promise<void> {
  const { hostname, port } = new URL(address);
  const deaf = net.connect(Number(port), hostname);
  onTestFinished(() => {
    deaf.destroy();
  });
  deaf.on('error', () => {});
  deaf.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
  await once(deaf, 'data');
  deaf.pause();
}

/** Resolves with the bytes that waited for the first client that was dropped. */
function firstDrop(app: FastifyInstance): Promise<number> {
  return new Promise((resolve) => {
    app.log.info = ((fields: { bufferedBytes?: number }) => {
      if (fields.bufferedBytes !== undefined) resolve(fields.bufferedBytes);
    }) as typeof app.log.info;
  });
}

describe('A6 GET /requests', () => {
  it('A6 shows what is in flight', async () => {
    const { send, rotator, target, proxies } = await startFixture({ behaviours: [ok] });
    expect((await send('GET', '/api/v1/requests')).json()).toEqual({ requests: [] });
    const started = new Promise((resolve) => rotator.bus.on('attempt:start', resolve));
    const caller = new AbortController();
    const sent = rotator
      .get(`${target.origin}/delay/60000`, { signal: caller.signal })
      .catch(() => 'aborted');
    await started;
    expect((await send('GET', '/api/v1/requests')).json()).toMatchObject({
      requests: [
        {
          method: 'GET',
          origin: target.origin,
          attempt: 0,
          proxy_id: proxies[0]?.id,
          next_retry_at: null,
        },
      ],
    });
    caller.abort();
    expect(await sent).toBe('aborted');
  });
});

describe('A6 GET /events', () => {
  it('A6 a new client gets a snapshot, then every event in snake_case', async () => {
    const { read, rotator, target, proxies } = await start({ behaviours: [ok] });
    const reader = await read();
    expect(reader.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    const snapshot = await reader.next('snapshot');
    expect(snapshot.data).toMatchObject({
      retry_policy: { max_attempts: 3 },
      proxies: [{ id: proxies[0]?.id, in_flight: 0 }],
      circuit_breakers: [{ proxy_id: proxies[0]?.id, state: 'closed' }],
      requests: [],
    });
    await (await rotator.get(target.url)).body.dump();
    const attempt = await reader.next('attempt:end');
    expect(attempt.data).toMatchObject({
      proxy_id: proxies[0]?.id,
      outcome: 'success',
      status_code: 200,
      delay_before: 0,
    });
    expect(await reader.next('request:end')).toMatchObject({ data: { attempt_count: 1 } });
  });

  it('A6 a client that comes back with Last-Event-ID gets what it missed', async () => {
    const { read, rotator } = await start();
    const first = await read();
    const { id: snapshotId } = await first.next('snapshot');
    rotator.addProxy('p1:1');
    const { id } = await first.next('proxy:added');
    first.close();
    await first.ended;
    rotator.addProxy('p2:2');
    rotator.addProxy('p3:3');
    const second = await read({ 'last-event-id': id });
    expect((await second.next('proxy:added')).data).toMatchObject({ proxy_id: 'p2:2' });
    expect((await second.next('proxy:added')).data).toMatchObject({ proxy_id: 'p3:3' });
    expect(second.text).not.toContain('snapshot');
    const third = await read({ 'last-event-id': snapshotId });
    expect((await third.next('proxy:added')).data).toMatchObject({ proxy_id: 'p1:1' });
  });

  it.each(['00000000-1', 'nonsense', '-', ''])(
    'A6 a Last-Event-ID of another life (%j) gets a snapshot',
    async (id) => {
      const { read } = await start();
      const reader = await read({ 'last-event-id': id });
      expect((await reader.next('snapshot')).data).toMatchObject({ proxies: [] });
    },
  );

  it('A6 one that comes back too late gets a snapshot', async () => {
    const { read, rotator } = await start({ events: { capacity: 3 } });
    const first = await read();
    const { id } = await first.next('snapshot');
    first.close();
    await first.ended;
    for (const port of [1, 2, 3, 4]) rotator.addProxy(`p:${port}`);
    const second = await read({ 'last-event-id': id });
    const { data } = await second.next('snapshot');
    expect(data.proxies).toHaveLength(4);
  });

  it('A6 heartbeats keep the stream alive', async () => {
    const { read } = await start({ events: { heartbeatMs: 5 } });
    const reader = await read();
    await reader.until(/: heartbeat\n\n: heartbeat\n\n/);
  });

  it('A6 a client that does not read is dropped, the others get everything', async () => {
    const { read, rotator, address, app } = await start({
      events: { maxBufferedBytes: 64 * 1024, flushMs: 1 },
    });
    const wasDropped = firstDrop(app);
    await connectDeaf(address);
    const reader = await read();
    await reader.next('snapshot');
    const bulk = 'x'.repeat(50_000);
    let sent = 0;
    const flood = setInterval(() => {
      rotator.bus.emit('proxy:removed', { proxyId: `${sent++}`, weight: 1, tags: [bulk], at: 0 });
    }, 1);
    onTestFinished(() => clearInterval(flood));
    const waited = await wasDropped;
    clearInterval(flood);
    expect(waited).toBeGreaterThan(64 * 1024);
    // What waits is the bound, and the writes that were under way when it was passed.
    expect(waited).toBeLessThan(64 * 1024 + 6 * bulk.length);
    for (let i = 0; i < sent; i++) {
      expect((await reader.next('proxy:removed')).data.proxy_id).toBe(String(i));
    }
  });

  it('A6 a bulk change drops no client that reads', async () => {
    const { read, rotator } = await start({ events: { maxBufferedBytes: 64 * 1024 } });
    const reader = await read();
    await reader.next('snapshot');
    // All in one turn of the event loop, in which no client can read: twice, and far beyond the bound.
    for (const round of [1, 2]) {
      for (let i = 0; i < 5000; i++) rotator.addProxy(`p${round}-${i}:80`);
      await reader.until(new RegExp(`"p${round}-4999:80"`));
    }
    expect(reader.text.match(/event: proxy:added/g)).toHaveLength(10_000);
  });

  it('A6 a bulk change that is not read in time drops the client', async () => {
    const { rotator, address, app } = await start({
      events: { maxBufferedBytes: 64 * 1024, drainMs: 50, heartbeatMs: 10 },
    });
    const wasDropped = firstDrop(app);
    await connectDeaf(address);
    const bulk = 'x'.repeat(100_000);
    for (let i = 0; i < 200; i++) {
      rotator.bus.emit('proxy:removed', { proxyId: `${i}`, weight: 1, tags: [bulk], at: 0 });
    }
    expect(await wasDropped).toBeGreaterThan(64 * 1024);
  });

  it('A6 clients that come together share one snapshot, and get what happened since', async () => {
    const { read, rotator } = await start({ events: { snapshotMs: 60_000 } });
    const looks = vi.spyOn(rotator, 'proxyIds');
    const first = await read();
    await first.next('snapshot');
    rotator.addProxy('p1:1');
    const others = await Promise.all([read(), read(), read()]);
    for (const reader of others) {
      expect((await reader.next('snapshot')).data).toMatchObject({ proxies: [] });
      expect((await reader.next('proxy:added')).data).toMatchObject({ proxy_id: 'p1:1' });
    }
    rotator.addProxy('p2:2');
    for (const reader of [first, ...others]) {
      await reader.until(/"p2:2"/);
      expect(reader.text.match(/event: proxy:added/g)).toHaveLength(2);
    }
    expect(looks).toHaveBeenCalledTimes(1);
  });

  it('A6 a shared snapshot is not kept for long', async () => {
    const { read, rotator } = await start({ events: { snapshotMs: 10 } });
    await (await read()).next('snapshot');
    rotator.addProxy('p1:1');
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { data } = await (await read()).next('snapshot');
    expect(data.proxies).toHaveLength(1);
  });

  it('A6 a snapshot that is not read in time drops the client', async () => {
    const tags = Array.from({ length: 100 }, (_, i) => `${i}`.padEnd(250, 'x'));
    const { address, app } = await start({
      events: { drainMs: 100, heartbeatMs: 10 },
      rotator: { proxies: Array.from({ length: 600 }, (_, i) => ({ url: `p${i}:80`, tags })) },
    });
    const wasDropped = firstDrop(app);
    await connectDeaf(address);
    expect(await wasDropped).toBeGreaterThan(1024 * 1024);
  });

  it('A6 there is a bound on streams', async () => {
    const { read, address } = await start({ events: { maxClients: 1 } });
    const reader = await read();
    const refused = await fetch(`${address}${path}`);
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ error: 'too_many_streams' });
    reader.close();
    await reader.ended;
  });

  it('A6 HEAD is not a stream', async () => {
    const { address } = await start();
    expect((await fetch(`${address}${path}`, { method: 'HEAD' })).status).toBe(404);
  });
});
