import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { Readable, Writable } from 'node:stream';
import { pipeline as whole } from 'node:stream/promises';
import {
  getGlobalDispatcher,
  pipeline,
  request,
  setGlobalDispatcher,
  stream,
  upgrade,
  WebSocket,
} from 'undici';
import { describe, expect, it } from 'vitest';
import { errorOf, fast, rig } from '../support/pool-rig.ts';
import { use } from '../support/rig.ts';

/** A target of the test's own. */
async function serve(listener: http.RequestListener) {
  const server = http.createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  use({
    async close() {
      server.closeAllConnections();
      server.close();
    },
  });
  return { server, url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}/` };
}

const retried = { ...fast, retryNonIdempotent: true };

describe('the dispatcher under undici', () => {
  it('F16 undici.request, stream and pipeline go through the pool and fail over', async () => {
    const { rotator, target } = await rig([{ kind: 'reset' }, { kind: 'ok' }]);
    const { dispatcher } = rotator;
    expect((await request(target.url, { dispatcher })).statusCode).toBe(200);
    const chunks: Buffer[] = [];
    await stream(`${target.origin}/bytes/1000`, { dispatcher, method: 'GET' }, () => {
      return new Writable({
        write(chunk: Buffer, _, done) {
          chunks.push(chunk);
          done();
        },
      });
    });
    expect(Buffer.concat(chunks)).toHaveLength(1000);
    const good = await rig([{ kind: 'ok' }]);
    const through = { dispatcher: good.rotator.dispatcher, method: 'POST' } as const;
    const echo = pipeline(`${good.target.origin}/echo`, through, ({ body }) => body);
    const echoed: Buffer[] = [];
    await whole(Readable.from([Buffer.from('pi'), Buffer.from('pe')]), echo, async (source) => {
      for await (const chunk of source as AsyncIterable<Buffer>) echoed.push(chunk);
    });
    expect(Buffer.concat(echoed).toString()).toBe('pipe');
  });

  it('F16 setGlobalDispatcher sends the built-in fetch through the pool', async () => {
    const { rotator, target, proxies } = await rig([{ kind: 'ok' }]);
    const before = getGlobalDispatcher();
    setGlobalDispatcher(rotator.dispatcher);
    try {
      expect(await (await fetch(target.url)).json()).toMatchObject({ ok: true });
    } finally {
      setGlobalDispatcher(before);
    }
    expect(proxies[0]?.stats.requests).toBe(1);
  });

  it('F16 informational responses and trailers are forwarded', async () => {
    const { rotator } = await rig([{ kind: 'ok' }], { tunnel: 'always' });
    const { url } = await serve((_, response) => {
      response.writeEarlyHints({ link: '</a.css>; rel=preload' });
      response.writeHead(200, { trailer: 'x-sum' });
      response.write('body');
      response.addTrailers({ 'x-sum': '42' });
      response.end();
    });
    const informed: number[] = [];
    const response = await request(url, {
      dispatcher: rotator.dispatcher,
      onInfo: ({ statusCode }: { statusCode: number }) => informed.push(statusCode),
    } as never);
    expect(await response.body.text()).toBe('body');
    expect(informed).toEqual([103]);
    expect(response.trailers).toEqual({ 'x-sum': '42' });
  });

  it('F16 an upgrade goes through a tunnel, after a failover too', async () => {
    const { rotator, told } = await rig([{ kind: 'close' }, { kind: 'ok' }]);
    const { server, url } = await serve((_, response) => void response.end());
    server.on('upgrade', (_: unknown, socket: net.Socket) => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n',
      );
      socket.pipe(socket);
      use({ close: async () => void socket.destroy() });
    });
    const { socket } = await upgrade(url, { dispatcher: rotator.dispatcher, protocol: 'echo' });
    socket.write('hello');
    expect(String((await once(socket, 'data'))[0])).toBe('hello');
    expect(told('attempt:end').map(({ outcome }) => outcome)).toEqual(['failure', 'success']);
    expect(rotator.inFlight()).toEqual([]);
    socket.destroy();
  });

  it('F16 a WebSocket opens through the pool', async () => {
    const { createHash } = await import('node:crypto');
    const { rotator } = await rig([{ kind: 'ok' }]);
    const { server, url } = await serve((_, response) => void response.end());
    server.on('upgrade', (request: http.IncomingMessage, socket: net.Socket) => {
      const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
      const accept = createHash('sha1').update(key).digest('base64');
      socket.on('error', () => {});
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n' +
          `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      socket.write(Buffer.from([0x81, 2, 0x68, 0x69]));
      use({ close: async () => void socket.destroy() });
    });
    const ws = new WebSocket(url.replace('http', 'ws'), { dispatcher: rotator.dispatcher });
    const message = await new Promise<string>((resolve, reject) => {
      ws.addEventListener('message', ({ data }) => resolve(String(data)));
      ws.addEventListener('error', () => reject(new Error('the WebSocket failed')));
    });
    expect(message).toBe('hi');
    ws.close();
  });

  it('F16 back-pressure reaches the target: an unread body stops it', async () => {
    const { rotator } = await rig([{ kind: 'ok' }]);
    const total = 64 * 1_048_576;
    let sent = 0;
    let stalled: () => void = () => {};
    const held = new Promise<void>((resolve) => (stalled = resolve));
    const { url } = await serve((_, response) => {
      const chunk = Buffer.alloc(65_536, 97);
      const more = () => {
        while (sent < total) {
          sent += chunk.length;
          if (!response.write(chunk)) {
            response.once('drain', more);
            // The body is not read: the drain that would follow does not come.
            setImmediate(stalled);
            return;
          }
        }
        response.end();
      };
      more();
    });
    const response = await rotator.get(url);
    await held;
    let received = 0;
    let ahead = 0;
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      received += chunk.length;
      ahead = Math.max(ahead, sent - received);
    }
    expect(received).toBe(total);
    // What lies in between are the buffers of four sockets, not the body.
    expect(ahead).toBeLessThan(total / 2);
  });

  it('F16b the events of the end of a request are emitted once, when its body has ended', async () => {
    const { rotator, target, facts, told, next } = await rig([{ kind: 'ok' }]);
    const response = await rotator.get(`${target.origin}/bytes/1000000`);
    expect(facts.map(({ type }) => type)).toEqual([
      'request:start',
      'attempt:start',
      'connection:open',
    ]);
    expect(rotator.inFlight()).toHaveLength(1);
    expect(response.attempts).toMatchObject([{ outcome: 'success', statusCode: 200 }]);
    await response.body.arrayBuffer();
    expect(facts.slice(3).map(({ type }) => type)).toEqual(['attempt:end', 'request:end']);
    const [end] = told('attempt:end');
    expect(told('request:end')[0]?.durationMs).toBeGreaterThanOrEqual(end?.latencyMs ?? Infinity);

    // Cancelled: neutral, and told once too.
    const second = await rotator.get(`${target.origin}/bytes/1000000`);
    const ended = next('request:end');
    second.body.on('error', () => {}).destroy();
    expect(await ended).toMatchObject({ outcome: 'aborted' });
    expect(told('attempt:end')).toHaveLength(2);
    expect(told('attempt:end')[1]).toMatchObject({ outcome: 'aborted', blame: 'caller' });
  });

  it('F16c everything rejects, nothing throws synchronously, nothing is dialled', async () => {
    const { rotator, target, proxies } = await rig([{ kind: 'ok' }]);
    const bad: (() => Promise<unknown>)[] = [
      () => rotator.get('/relative'),
      () => rotator.get('ftp://t.test/'),
      () => rotator.get('http://user:hunter2@t.test/'),
      () => rotator.get(target.url, { headers: { 'bad header': 'x' } }),
      () => rotator.get(target.url, { headers: { a: 'x\r\ny: z' } }),
      () => rotator.get(target.url, { timeout: 5 } as never),
      () => rotator.get(target.url, { retryPolicy: { maxAttempts: 11 } }),
      () => rotator.request(target.url, { method: 'CONNECT' }),
      () => rotator.dispatcher.request({ origin: 'ws://t.test', path: '/', method: 'GET' }),
    ];
    for (const call of bad) {
      const error = await errorOf(call());
      expect(error.message).not.toContain('hunter2');
      expect(['INVALID_REQUEST', 'INVALID_POLICY', 'UND_ERR_INVALID_ARG']).toContain(error['code']);
    }
    expect(proxies[0]?.stats.connections).toBe(0);
  });
});

describe('what RetryAgent gets wrong', () => {
  it('a PUT from a generator is not retried with an empty body', async () => {
    const { rotator, target } = await rig([{ kind: 'reset' }, { kind: 'ok' }], {
      retryPolicy: retried,
    });
    async function* chunks() {
      yield Buffer.from('all ');
      yield Buffer.from('of it');
    }
    const response = await rotator.put(`${target.origin}/echo`, { body: chunks() as never });
    expect(await response.body.text()).toBe('all of it');
    expect(response.attempts).toHaveLength(2);
  });

  it('F5 a stream that was touched is sent again as long as all of it is recorded', async () => {
    const { rotator, target } = await rig([{ kind: 'reset' }, { kind: 'ok' }], {
      retryPolicy: retried,
    });
    const body = Readable.from([Buffer.from('once')], { objectMode: false });
    const response = await rotator.put(`${target.origin}/echo`, { body });
    expect(await response.body.text()).toBe('once');
    expect(response.attempts).toHaveLength(2);
  });

  it('F5 a stream that was not touched fails over', async () => {
    const { rotator, target } = await rig([{ kind: 'refuse' }, { kind: 'ok' }]);
    const body = Readable.from([Buffer.from('once')], { objectMode: false });
    const response = await rotator.post(`${target.origin}/echo`, { body });
    expect(await response.body.text()).toBe('once');
  });

  it('a response is never spliced: no range request is made up', async () => {
    const { rotator, target } = await rig([{ kind: 'cut-body', afterBytes: 100 }, { kind: 'ok' }]);
    const response = await rotator.get(`${target.origin}/bytes/100000`);
    await errorOf(response.body.text());
    expect(target.received.map(({ headers }) => headers.range)).toEqual([undefined]);
  });

  it('timeouts and unknown names are retried', async () => {
    const { rotator, target } = await rig([{ kind: 'hang' }, { kind: 'ok' }], {
      retryPolicy: { ...fast, attemptTimeoutMs: 100 },
    });
    await (await rotator.get(target.url)).body.dump();
    rotator.setProxies([
      'http://does-not-exist.invalid:8080',
      ...rotator
        .proxies()
        .map(({ url }) => url)
        .slice(1),
    ]);
    const response = await rotator.get(target.url, { proxyId: undefined });
    await response.body.dump();
    expect(response.statusCode).toBe(200);
  });

  it('Retry-After: 0 means at once, and not the backoff of an hour', async () => {
    const { rotator, target, told } = await rig([{ kind: 'ok' }], {
      retryPolicy: { baseDelayMs: 100, maxAttempts: 2 },
    });
    await (await rotator.get(`${target.origin}/status/503?retry-after=0`)).body.dump();
    expect(told('retry:scheduled')).toMatchObject([{ delayMs: 100 }]);
    rotator.retryPolicy = { baseDelayMs: 100, maxAttempts: 2, respectRetryAfter: false };
    await (await rotator.get(`${target.origin}/status/503?retry-after=3600`)).body.dump();
    expect(told('retry:scheduled').at(-1)).toMatchObject({ delayMs: 100 });
  });
});

describe('F5 bodies are replayed byte for byte', () => {
  const form = new FormData();
  form.append('a', '1');
  form.append('file', new Blob(['in it'], { type: 'text/plain' }), 'f.txt');
  const bodies = {
    text: ['héllo', 'héllo'],
    buffer: [Buffer.from('bytes'), 'bytes'],
    'typed array': [new Uint16Array([0x6968]), 'hi'],
    'array buffer': [new Uint8Array([104, 105]).buffer, 'hi'],
    search: [new URLSearchParams({ a: 'b c' }), 'a=b+c'],
    blob: [new Blob(['blob'], { type: 'text/x' }), 'blob'],
    form: [form, /name="file"; filename="f.txt"[^]*in it/],
  } as const;
  for (const [name, [body, expected]] of Object.entries(bodies)) {
    it(name, async () => {
      let first: string | undefined;
      const { rotator, target, proxies } = await rig([{ kind: 'ok' }, { kind: 'ok' }], {
        retryPolicy: retried,
        banRules: [
          { name: 'once', judge: ({ proxyId }) => (proxyId === first ? 'retry' : undefined) },
        ],
      });
      first = proxies[0]?.id;
      const response = await rotator.post(`${target.origin}/echo`, { body: body as never });
      const text = await response.body.text();
      expect(text).toMatch(expected);
      expect(target.received.map((each) => each.body)).toEqual([text, text]);
      const types = target.received.map(({ headers }) => headers['content-type']);
      expect(types[1]).toBe(types[0]);
    });
  }
});
