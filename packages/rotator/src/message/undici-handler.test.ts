import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import { PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';
import { deflateRawSync } from 'node:zlib';
import { EventSource, interceptors, request, RetryAgent, WebSocket, type Dispatcher } from 'undici';
import { describe, expect, it } from 'vitest';
import { errorOf, rig } from '../../test/support/pool-rig.ts';
import { use } from '../../test/support/rig.ts';

async function serve(listener: http.RequestListener) {
  const server = http.createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  use({
    async close() {
      server.closeAllConnections();
      server.close();
    },
  });
  return { server, origin: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}` };
}

/** Accepts WebSockets and writes the frames. */
async function serveWebSocket(frames: readonly Buffer[], extension = '') {
  const closing = frames.some(([first]) => first === 0x88);
  const served = await serve((_, response) => void response.end());
  served.server.on('upgrade', (upgrade: http.IncomingMessage, socket: net.Socket) => {
    const key = `${upgrade.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash('sha1').update(key).digest('base64');
    use({ close: async () => void socket.destroy() });
    socket.on('error', () => {});
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n' +
        `Sec-WebSocket-Accept: ${accept}\r\n${extension}\r\n`,
    );
    for (const frame of frames) socket.write(frame);
    if (closing) socket.once('data', () => socket.end());
  });
  return served.origin.replace('http', 'ws');
}

/** A handler that writes down which hooks were called, throws in one of them, and does `more` in others. */
function recording(throwIn?: string, more: Record<string, (given: unknown) => void> = {}) {
  const calls: string[] = [];
  let done: () => void = () => {};
  const failed = new Promise<void>((resolve) => (done = resolve));
  const hook =
    (name: string) =>
    (...args: unknown[]) => {
      const error = args[1] as Error | undefined;
      calls.push(name === 'onResponseError' ? `${name} ${error?.message}` : name);
      if (name === 'onResponseError') done();
      more[name]?.(args[0]);
      if (name === throwIn) throw new Error('from the hook');
    };
  const names = ['onRequestStart', 'onRequestUpgrade', 'onResponseStarted', 'onResponseStart'];
  names.push('onResponseData', 'onResponseEnd', 'onResponseError');
  const handler = Object.fromEntries(names.map((name) => [name, hook(name)]));
  return { calls, failed, handler: handler as unknown as Dispatcher.DispatchHandler };
}

describe('F16g a handler that throws', () => {
  it.each([
    'onRequestStart',
    'onResponseStarted',
    'onResponseStart',
    'onResponseData',
    'onResponseEnd',
  ])('in %s gets it once, and nothing is called after that', async (name) => {
    const { rotator, target } = await rig([{ kind: 'ok' }]);
    const { calls, failed, handler } = recording(name);
    rotator.dispatcher.dispatch({ origin: target.origin, path: '/', method: 'GET' }, handler);
    await failed;
    // Whatever else the connection brings, it brings before the rotator has ended.
    await rotator.close();
    expect(calls.filter((call) => call.startsWith('onResponseError'))).toEqual([
      'onResponseError from the hook',
    ]);
    expect(calls.slice(-2)).toEqual([name, 'onResponseError from the hook']);
  });

  it.each(['onRequestStart', 'onResponseStarted', 'onResponseStart', 'onResponseData'])(
    'that aborts in %s gets it once, and nothing is called after that',
    async (name) => {
      const { rotator, target } = await rig([{ kind: 'ok' }]);
      let controller: Dispatcher.DispatchController | undefined;
      const { calls, failed, handler } = recording(undefined, {
        onRequestStart: (given) => (controller = given as Dispatcher.DispatchController),
        [name]: (given: unknown) => {
          controller ??= given as Dispatcher.DispatchController;
          controller.abort(new Error('from the hook'));
        },
      });
      rotator.dispatcher.dispatch({ origin: target.origin, path: '/', method: 'GET' }, handler);
      await failed;
      await rotator.close();
      expect(calls.slice(-2)).toEqual([name, 'onResponseError from the hook']);
    },
  );

  it('in an upgrade gets it once, and the connection is closed', async () => {
    const { rotator } = await rig([{ kind: 'ok' }]);
    const { server, origin } = await serve((_, response) => void response.end());
    const closed = new Promise<void>((resolve) => {
      server.on('upgrade', (_: unknown, socket: net.Socket) => {
        socket.on('error', () => {}).on('end', () => resolve());
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
        );
        socket.resume();
      });
    });
    const { calls, handler } = recording('onRequestUpgrade');
    rotator.dispatcher.dispatch({ origin, path: '/', method: 'GET', upgrade: 'x' }, handler);
    await closed;
    expect(calls).toEqual(['onRequestStart', 'onRequestUpgrade', 'onResponseError from the hook']);
  });

  it('in onResponseError is not called a second time', async () => {
    const { rotator, target } = await rig([{ kind: 'reset' }], { retryPolicy: null });
    const { calls, failed, handler } = recording('onResponseError');
    rotator.dispatcher.dispatch({ origin: target.origin, path: '/', method: 'GET' }, handler);
    await failed;
    await rotator.close();
    expect(calls).toHaveLength(2);
  });

  it('a handler without a hook for errors is refused', async () => {
    const { rotator, target } = await rig([{ kind: 'ok' }]);
    const opts = { origin: target.origin, path: '/', method: 'GET' } as const;
    for (const handler of [{}, { onResponseStart() {} }, { onConnect() {} }]) {
      expect(() => rotator.dispatcher.dispatch(opts, handler as never)).toThrow(
        new TypeError('handler.onResponseError must be a function'),
      );
    }
  });
});

describe("F16g undici's own retries over the dispatcher", () => {
  const settings = { maxRetries: 3, minTimeout: 1, timeoutFactor: 1, statusCodes: [500] };

  async function failing(times: number) {
    const { rotator } = await rig([{ kind: 'ok' }]);
    let count = 0;
    const { origin } = await serve((_, response) => {
      response.statusCode = ++count <= times ? 500 : 200;
      response.end('body');
    });
    return { rotator, origin, requests: () => count };
  }

  it.each([1, 2])('the retry interceptor sends again after %i responses', async (times) => {
    const { rotator, origin, requests } = await failing(times);
    const dispatcher = rotator.dispatcher.compose(interceptors.retry(settings));
    const response = await request(origin, { dispatcher });
    expect([response.statusCode, await response.body.text()]).toEqual([200, 'body']);
    expect(requests()).toBe(times + 1);
  });

  it('RetryAgent sends again, and fails when its retries are used up', async () => {
    const { rotator, origin, requests } = await failing(2);
    const dispatcher = new RetryAgent(rotator.dispatcher, settings);
    expect((await request(origin, { dispatcher })).statusCode).toBe(200);
    expect(requests()).toBe(3);
    const bad = await failing(Infinity);
    const error = await errorOf(
      request(bad.origin, { dispatcher: new RetryAgent(bad.rotator.dispatcher, settings) }),
    );
    expect(error).toMatchObject({ code: 'UND_ERR_REQ_RETRY', statusCode: 500 });
    expect(bad.requests()).toBe(4);
  });
});

describe('F16g a composed dispatcher', () => {
  it('close() lets what runs end, and closes the rotator', async () => {
    const { rotator, target } = await rig([{ kind: 'ok' }]);
    const dispatcher = rotator.dispatcher.compose(interceptors.dump()).compose([]);
    const { statusCode } = await request(target.url, { dispatcher });
    expect(statusCode).toBe(200);
    const state = () => dispatcher as unknown as { closed: boolean; destroyed: boolean };
    expect([state().closed, state().destroyed]).toEqual([false, false]);
    await dispatcher.close();
    expect([state().closed, state().destroyed]).toEqual([true, true]);
    expect(await errorOf(request(target.url, { dispatcher }))).toMatchObject({ code: 'CLOSED' });
  });

  it('destroy() ends what runs; both take a callback, as undici has it', async () => {
    const { rotator, target } = await rig([{ kind: 'hang' }]);
    const dispatcher = rotator.dispatcher.compose(interceptors.redirect({ maxRedirections: 1 }));
    const failed = errorOf(request(target.url, { dispatcher }));
    await dispatcher.destroy(new Error('enough'));
    expect(await failed).toMatchObject({ code: 'CLOSED' });
    for (const end of ['close', 'destroy'] as const) {
      expect(
        await new Promise((resolve) => {
          dispatcher[end]((...told: unknown[]) => resolve(told));
        }),
      ).toEqual([null, null]);
    }
  });

  it('closing that of a view leaves the rotator open', async () => {
    const { rotator, target } = await rig([{ kind: 'ok' }]);
    await rotator.with({ sessionId: 's' }).dispatcher.compose(interceptors.dump()).close();
    await (await rotator.get(target.url)).body.dump();
  });
});

describe('F16 what fetch and its kin read from the dispatcher', () => {
  it('resource timing has a request start and a response start', async () => {
    const { rotator, target } = await rig([{ kind: 'ok' }]);
    const before = performance.now();
    const observed = new Promise<PerformanceEntry>((resolve) => {
      const observer = new PerformanceObserver((list) => {
        const [entry] = list.getEntriesByName(target.url);
        if (entry === undefined) return;
        observer.disconnect();
        resolve(entry);
      });
      observer.observe({ entryTypes: ['resource'] });
    });
    await (await rotator.fetch(target.url)).text();
    const entry = (await observed) as unknown as Record<string, number>;
    expect(entry['requestStart']).toBeGreaterThanOrEqual(Math.floor(before));
    expect(entry['responseStart']).toBeGreaterThanOrEqual(entry['requestStart'] ?? Infinity);
    expect(entry['responseEnd']).toBeGreaterThanOrEqual(entry['responseStart'] ?? Infinity);
  });

  it('WebSocket: a message beyond maxPayloadSize ends the connection, one within it does not', async () => {
    const frame = Buffer.concat([Buffer.from([0x81, 100]), Buffer.alloc(100, 97)]);
    for (const [maxPayloadSize, expected] of [
      [99, 'closed'],
      [100, 'a'.repeat(100)],
      [undefined, 'a'.repeat(100)],
    ] as const) {
      const url = await serveWebSocket([frame]);
      const { rotator } = await rig([{ kind: 'ok' }], { webSocket: { maxPayloadSize } });
      const ws = new WebSocket(url, { dispatcher: rotator.dispatcher });
      const seen = await new Promise<string>((resolve) => {
        ws.addEventListener('message', ({ data }) => resolve(String(data)));
        ws.addEventListener('close', () => resolve('closed'));
      });
      expect(seen).toBe(expected);
      ws.close();
    }
  });

  it('WebSocket: close codes and compressed messages arrive', async () => {
    const compressed = deflateRawSync(Buffer.from('compressed text'), { finishFlush: 2 }).subarray(
      0,
      -4,
    );
    const message = Buffer.concat([Buffer.from([0xc1, compressed.length]), compressed]);
    const reason = Buffer.from('bye');
    const close = Buffer.concat([Buffer.from([0x88, 2 + reason.length, 0x0f, 0xa7]), reason]);
    const extension = 'Sec-WebSocket-Extensions: permessage-deflate\r\n';
    const url = await serveWebSocket([message, close], extension);
    const { rotator } = await rig([{ kind: 'ok' }]);
    const ws = new WebSocket(url, { dispatcher: rotator.dispatcher });
    const messages: unknown[] = [];
    ws.addEventListener('message', ({ data }) => messages.push(data));
    const ended = await new Promise<{ code: number; reason: string }>((resolve) =>
      ws.addEventListener('close', resolve),
    );
    expect(messages).toEqual(['compressed text']);
    expect([ended.code, ended.reason]).toEqual([4007, 'bye']);
    expect(rotator.inFlight()).toEqual([]);
  });

  it('EventSource reads events through the pool', async () => {
    const { rotator } = await rig([{ kind: 'ok' }]);
    const { origin } = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: one\n\n');
    });
    const source = new EventSource(origin, { dispatcher: rotator.dispatcher } as never);
    use({ close: async () => source.close() });
    const { data } = await new Promise<{ data: unknown }>((resolve) => {
      source.onmessage = resolve;
    });
    expect(data).toBe('one');
  });

  it.each([
    [{ webSocket: 5 }, TypeError, 'webSocket must be an object, got 5'],
    [
      { webSocket: { maxPayload: 1 } },
      TypeError,
      'unknown option "webSocket.maxPayload": did you mean "maxPayloadSize"?',
    ],
    [
      { webSocket: { maxFragments: -1 } },
      RangeError,
      'webSocket.maxFragments must be an integer ≥ 0, got -1',
    ],
    [
      { eventSource: { maxEventSize: 0 } },
      RangeError,
      'eventSource.maxEventSize must be an integer ≥ 1, got 0',
    ],
  ])('%j is refused', async (options, type, message) => {
    await expect(rig([], options as never)).rejects.toThrow(new type(message));
  });
});

describe("F16 a handler in undici 6's interface", () => {
  /** Reads a response as the built-in fetch of Node 20 does. */
  function legacy(over: object = {}) {
    const calls: string[] = [];
    const chunks: Buffer[] = [];
    let resume: () => void = () => {};
    let abort: (reason?: Error) => void = () => {};
    let raw: Buffer[] = [];
    let done: (error?: Error) => void = () => {};
    const ended = new Promise<Error | undefined>((resolve) => (done = resolve));
    const handler = {
      onConnect: (given: typeof abort) => void ((abort = given), calls.push('onConnect')),
      onResponseStarted: () => void calls.push('onResponseStarted'),
      onHeaders: (status: number, headers: Buffer[], go: () => void) => {
        calls.push(`onHeaders ${status}`);
        raw = headers;
        resume = go;
        return true;
      },
      onData: (chunk: Buffer) => chunks.push(chunk) > 0,
      onComplete: () => done(),
      onError: (error: Error) => done(error),
      ...over,
    };
    return {
      calls,
      chunks,
      ended,
      handler: handler as unknown as Dispatcher.DispatchHandler,
      resume: () => resume(),
      abort: (reason?: Error) => abort(reason),
      raw: () => raw.map(String),
    };
  }

  it('calls the hooks in their order, with every set-cookie', async () => {
    const { rotator } = await rig([{ kind: 'ok' }]);
    const { origin } = await serve((_, response) => {
      response.setHeader('set-cookie', ['a=1', 'b=2']).end('body');
    });
    const { calls, chunks, ended, handler, raw } = legacy();
    rotator.dispatcher.dispatch({ origin, path: '/', method: 'GET' }, handler);
    expect(await ended).toBeUndefined();
    expect(calls).toEqual(['onConnect', 'onResponseStarted', 'onHeaders 200']);
    expect(String(Buffer.concat(chunks))).toBe('body');
    expect(raw().filter((_, i, all) => all[i - 1]?.toLowerCase() === 'set-cookie')).toEqual([
      'a=1',
      'b=2',
    ]);
  });

  it('false from onHeaders pauses until resume()', async () => {
    const { rotator, next } = await rig([{ kind: 'ok' }]);
    const { origin } = await serve((_, response) => void response.end('body'));
    let paused: () => void = () => {};
    const started = new Promise<void>((resolve) => (paused = resolve));
    const reader = legacy();
    const onHeaders = (...args: [number, Buffer[], () => void]) => {
      (reader.handler as unknown as { onHeaders(...a: unknown[]): boolean }).onHeaders(...args);
      paused();
      return false;
    };
    const over = { ...reader.handler, onHeaders } as unknown as Dispatcher.DispatchHandler;
    const ended = next('attempt:end');
    rotator.dispatcher.dispatch({ origin, path: '/', method: 'GET' }, over);
    await started;
    // A whole request of another handler goes by in the meantime.
    const other = legacy();
    rotator.dispatcher.dispatch({ origin, path: '/', method: 'GET' }, other.handler);
    await other.ended;
    expect(reader.chunks).toEqual([]);
    reader.resume();
    expect(await reader.ended).toBeUndefined();
    expect(String(Buffer.concat(reader.chunks))).toBe('body');
    await ended;
  });

  it('abort() without a reason is an AbortError; a throw in onComplete reaches onError', async () => {
    const { rotator, target } = await rig([{ kind: 'hang' }]);
    const waiting = legacy();
    rotator.dispatcher.dispatch(
      { origin: target.origin, path: '/', method: 'GET' },
      waiting.handler,
    );
    waiting.abort();
    expect(await waiting.ended).toMatchObject({ name: 'AbortError' });
    const good = await rig([{ kind: 'ok' }]);
    const bad = legacy({
      onComplete() {
        throw new Error('from the hook');
      },
    });
    good.rotator.dispatcher.dispatch(
      { origin: good.target.origin, path: '/', method: 'GET' },
      bad.handler,
    );
    expect(await bad.ended).toMatchObject({ message: 'from the hook' });
  });
});
