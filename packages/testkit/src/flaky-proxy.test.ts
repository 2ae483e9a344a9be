import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Behaviour } from './behaviour.ts';
import { seededRandom } from './chance.ts';
import { startProxy, type FlakyProxy, type ProxyServerOptions } from './flaky-proxy.ts';
import { startTarget, type Target } from './target.ts';
import { openWire, type Wire } from './wire.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

interface Rig {
  proxy: FlakyProxy;
  target: Target;
  /** A new connection on which this was asked. */
  connect(): Promise<Wire>;
  get(path?: string): Promise<Wire>;
}

async function rig(behaviour: Behaviour, options: ProxyServerOptions = {}): Promise<Rig> {
  const target = await startTarget();
  const proxy = await startProxy({ behaviour, ...options });
  open.push(target, proxy);
  const ask = async (bytes: string) => {
    const wire = await openWire(proxy.port, { ca: proxy.ca, host: proxy.host });
    open.push(wire);
    wire.write(bytes);
    return wire;
  };
  const authority = `127.0.0.1:${target.port}`;
  return {
    proxy,
    target,
    connect: () => ask(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`),
    get: (path = '/') =>
      ask(`GET ${target.origin}${path} HTTP/1.1\r\nHost: ${authority}\r\nX-Mine: 1\r\n\r\n`),
  };
}

const established = 'HTTP/1.1 200 Connection established\r\n\r\n';

describe('startProxy', () => {
  it('reaches: any other target gets 403, in absolute form and to CONNECT', async () => {
    const { get, connect, target } = await rig(
      { kind: 'ok' },
      { reaches: (_, port) => port === 1 },
    );
    expect((await (await get()).read('\r\n\r\n')).toString()).toContain(' 403 ');
    expect((await (await connect()).read('\r\n\r\n')).toString()).toContain(' 403 ');
    expect(target.requests).toBe(0);
  });

  for (const tls of [false, true]) {
    const over = tls ? 'TLS' : 'TCP';

    it(`ok: CONNECT opens a tunnel that carries bytes both ways, over ${over}`, async () => {
      const { connect, target, proxy } = await rig({ kind: 'ok' }, { tls });
      const wire = await connect();
      await wire.read(established);
      wire.write('GET /echo HTTP/1.1\r\nHost: t\r\n\r\n');
      expect((await wire.read('\r\n\r\n0')).toString('latin1')).toContain('200 OK');
      expect(target.requests).toBe(1);
      expect(proxy.stats).toEqual({ connections: 1, requests: 1, connects: 1 });
    });

    it(`ok: absolute form is forwarded without its hop-by-hop headers, over ${over}`, async () => {
      const { get, target, proxy } = await rig({ kind: 'ok' }, { tls });
      const wire = await get();
      expect((await wire.read('"ok":true')).toString('latin1')).toMatch(/^HTTP\/1.1 200 OK\r\n/);
      expect(target.received[0]).toMatchObject({ path: '/', headers: { 'x-mine': '1' } });
      expect(proxy.received[0]?.url).toBe(target.url);
    });
  }

  it('ok: listens on ::1 and reaches it, and resolves names by its own hosts', async () => {
    const target = await startTarget({ host: '::1' });
    const proxy = await startProxy({ host: '::1', hosts: { 'some.test': '::1' } });
    open.push(target, proxy);
    expect(proxy.url).toBe(`http://[::1]:${proxy.port}`);
    for (const host of ['[::1]', 'some.test']) {
      const wire = await openWire(proxy.port, { host: '::1' });
      open.push(wire);
      wire.write(`CONNECT ${host}:${target.port} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await wire.read(established);
    }
  });

  it('credentials: 407 with a challenge without them, a tunnel with them', async () => {
    const { proxy, connect, target } = await rig(
      { kind: 'ok' },
      { username: 'ann', password: 's3cret' },
    );
    const refused = await connect();
    expect((await refused.read('\r\n\r\n')).toString()).toMatch(
      /^HTTP\/1.1 407 .*\r\nproxy-authenticate: Basic/,
    );
    expect(await refused.ended).toBe('fin');
    const wire = await openWire(proxy.port);
    open.push(wire);
    const credentials = Buffer.from('ann:s3cret').toString('base64');
    wire.write(
      `CONNECT 127.0.0.1:${target.port} HTTP/1.1\r\nHost: t\r\nProxy-Authorization: Basic ${credentials}\r\n\r\n`,
    );
    await wire.read(established);
    expect(proxy.url).toBe(`http://ann:s3cret@127.0.0.1:${proxy.port}`);
  });

  it('refuse: nothing listens; any other behaviour listens on the same port again', async () => {
    const { proxy } = await rig({ kind: 'refuse' });
    await expect(openWire(proxy.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await proxy.behave({ kind: 'ok' });
    (await openWire(proxy.port)).close();
    await proxy.behave({ kind: 'refuse' });
    await expect(openWire(proxy.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('close: the connection ends before a byte was asked', async () => {
    const { proxy } = await rig({ kind: 'close' });
    const wire = await openWire(proxy.port);
    open.push(wire);
    await wire.ended;
    expect(proxy.stats).toMatchObject({ connections: 1, requests: 0 });
    expect(wire.received).toHaveLength(0);
  });

  it('reset: RST over TLS too', async () => {
    const wire = await (await rig({ kind: 'reset' }, { tls: true })).connect();
    expect(await wire.ended).toBe('reset');
  });

  const asked = ['connect', 'get'] as const;
  for (const how of asked) {
    it(`reset: RST in response to ${how}`, async () => {
      const wire = await (await rig({ kind: 'reset' }))[how]();
      expect(await wire.ended).toBe('reset');
      expect(wire.received).toHaveLength(0);
    });

    it(`hang: ${how} is read and gets no response`, async () => {
      const { proxy, ...ask } = await rig({ kind: 'hang' });
      const wire = await ask[how]();
      await expect.poll(() => proxy.stats.requests).toBe(1);
      // A second connection's request gets its response: the proxy had its chance to respond.
      await proxy.behave({ kind: 'status', statusCode: 503 });
      await (await ask[how]()).read('503');
      expect(wire.received).toHaveLength(0);
      expect(proxy.openSockets()).toBeGreaterThan(0);
    });

    it(`half-close: FIN in response to ${how}, while the proxy keeps its side`, async () => {
      const { proxy, ...ask } = await rig({ kind: 'half-close' });
      const wire = await ask[how]();
      expect(await wire.ended).toBe('fin');
      expect(wire.received).toHaveLength(0);
      expect(proxy.openSockets()).toBe(1);
      wire.close();
      await proxy.idle();
    });

    it(`garbage: the response to ${how} is not HTTP`, async () => {
      const wire = await (await rig({ kind: 'garbage' }))[how]();
      expect(await wire.ended).toBe('fin');
      expect(wire.received.toString('latin1')).toContain('this is not HTTP');
      expect(wire.received.toString('latin1')).not.toContain('HTTP/1.1');
    });

    it(`large-header: the response to ${how} has a head of 64 KB`, async () => {
      const wire = await (await rig({ kind: 'large-header' }))[how]();
      expect((await wire.read('\r\n\r\n')).length).toBeGreaterThan(65_536);
    });

    it(`dribble: the response to ${how} comes byte by byte`, async () => {
      const wire = await (await rig({ kind: 'dribble', everyMs: 5 }))[how]();
      expect((await wire.read(1)).length).toBeLessThan(5);
      await wire.read('HTTP/1.1 200');
    });

    for (const statusCode of [403, 407, 429, 502, 503, 504]) {
      it(`status: ${statusCode} with Retry-After is the response to ${how}, nothing reaches the target`, async () => {
        const { target, ...ask } = await rig({ kind: 'status', statusCode, retryAfter: '7' });
        const head = (await (await ask[how]()).read('\r\n\r\n')).toString('latin1');
        expect(head.startsWith(`HTTP/1.1 ${statusCode} `)).toBe(true);
        expect(head).toMatch(/\r\nretry-after: 7\r\n/);
        expect(target.requests).toBe(0);
      });
    }

    it(`bannedHosts: 403 or the given status for that host alone, asked by ${how}`, async () => {
      const bannedHosts = [{ host: '127.0.0.1', statusCode: 429 }, { host: 'other.test' }];
      const { proxy, ...ask } = await rig({ kind: 'ok', bannedHosts });
      await (await ask[how]()).read('HTTP/1.1 429');
      await proxy.behave({ kind: 'ok', bannedHosts: [{ host: 'other.test' }] });
      await (await ask[how]()).read('HTTP/1.1 200');
    });
  }

  it('close-after-connect: 200, then FIN', async () => {
    const wire = await (await rig({ kind: 'close-after-connect' })).connect();
    expect(await wire.ended).toBe('fin');
    expect(wire.received.toString()).toBe(established);
    const absolute = await (await rig({ kind: 'close-after-connect' })).get();
    expect(await absolute.ended).toBe('fin');
    expect(absolute.received).toHaveLength(0);
  });

  it('silent-after-connect: 200, and the target is not even connected', async () => {
    const { connect, target, proxy } = await rig({ kind: 'silent-after-connect' });
    const wire = await connect();
    await wire.read(established);
    wire.write('GET / HTTP/1.1\r\n\r\n');
    await proxy.behave({ kind: 'ok' });
    await (await connect()).read(established);
    expect(wire.received.toString()).toBe(established);
    expect(target.openSockets()).toBe(1);
  });

  it('plain-after-connect: 200, then text', async () => {
    const wire = await (await rig({ kind: 'plain-after-connect' })).connect();
    expect(await wire.ended).toBe('fin');
    expect(wire.received.toString('latin1')).toContain(`${established}\u0000\u0001 this is not`);
  });

  it('cut-body: torn after exactly so many bytes of the body', async () => {
    const wire = await (await rig({ kind: 'cut-body', afterBytes: 10 })).get('/bytes/5000');
    const head = (await wire.read('\r\n\r\n')).toString('latin1');
    expect(head).toMatch(/^HTTP\/1.1 200 OK\r\ncontent-length: 5000\r\n/i);
    // Node reports data and RST that arrive together as data and an ordinary end.
    await wire.ended;
    expect(wire.received.toString('latin1').split('\r\n\r\n')[1]).toBe('a'.repeat(10));
  });

  it('dribble of the body: the head at once, then byte by byte', async () => {
    const wire = await (await rig({ kind: 'dribble', everyMs: 1, part: 'body' })).get('/bytes/9');
    await wire.read('\r\n\r\n');
    expect((await wire.read('a'.repeat(9))).toString('latin1')).toMatch(/aaaaaaaaa$/);
  });

  it('latencyMs: nothing comes before it, on either form', async () => {
    const { connect, get } = await rig({ kind: 'status', statusCode: 503, latencyMs: 60 });
    for (const ask of [connect, get]) {
      const before = performance.now();
      await (await ask()).read('503');
      expect(performance.now() - before).toBeGreaterThanOrEqual(59);
    }
  });

  it('mix: the same seed gives the same sequence, in the ratios asked for', async () => {
    const statuses: number[][] = [];
    for (let run = 0; run < 2; run++) {
      const behaviour: Behaviour = {
        kind: 'mix',
        parts: [{ ratio: 0.25, behaviour: { kind: 'status', statusCode: 503 } }],
      };
      const { get } = await rig(behaviour, { random: seededRandom(7) });
      const seen: number[] = [];
      for (let i = 0; i < 40; i++) {
        const wire = await get();
        seen.push(Number((await wire.read('\r\n\r\n')).toString('latin1', 9, 12)));
        wire.close();
      }
      statuses.push(seen);
    }
    expect(statuses[0]).toEqual(statuses[1]);
    const random = seededRandom(7);
    expect(statuses[0]).toEqual(Array.from({ length: 40 }, () => (random() < 0.25 ? 503 : 200)));
  });

  it('ok: a DELETE with a body in chunks reaches the target whole', async () => {
    const { proxy, target } = await rig({ kind: 'ok' });
    const wire = await openWire(proxy.port);
    open.push(wire);
    const head = `DELETE ${target.origin}/echo HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\n`;
    wire.write(`${head}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`);
    expect((await wire.read('\r\n\r\n')).toString()).toContain(' 200 ');
    expect(target.received).toMatchObject([{ method: 'DELETE', body: 'hello' }]);
  });

  for (const kind of ['hang', 'silent-after-connect'] as const) {
    it(`${kind}: notices that a client has gone within a body that nothing asks for`, async () => {
      const { proxy, target } = await rig({ kind });
      const wire = await openWire(proxy.port);
      const head = `POST ${target.origin}/ HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\n`;
      wire.write(`${head}Content-Length: 999999\r\n\r\n${'a'.repeat(500_000)}`);
      await expect.poll(() => proxy.stats.requests).toBe(1);
      wire.close();
      await proxy.idle();
    });
  }

  it('close: ends every socket and frees the port', async () => {
    const { proxy, connect } = await rig({ kind: 'ok' });
    await (await connect()).read(established);
    await proxy.close();
    expect(proxy.openSockets()).toBeLessThanOrEqual(2);
    await proxy.idle();
    const again = net.createServer();
    await new Promise<void>((resolve) => again.listen(proxy.port, '127.0.0.1', resolve));
    again.close();
  });
});
