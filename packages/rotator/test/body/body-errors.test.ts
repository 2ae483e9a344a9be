import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { request } from 'undici';
import { describe, expect, it } from 'vitest';
import { InvalidRequestError, type RequestBody, type RotatorOptions } from '../../src/index.ts';
import { errorOf, fast, rig } from '../support/pool-rig.ts';
import { use } from '../support/rig.ts';

const broken = () => Object.assign(new Error('the source broke'), { code: 'ECONNRESET' });
const retried = { ...fast, retryNonIdempotent: true };

/** A stream that has given something and stays open, and the error that it will end with. */
function openStream() {
  const stream = new PassThrough();
  stream.write('part');
  return { stream, error: broken() };
}

describe('F5b an error of the source ends the request, whenever it comes', () => {
  it('between two attempts, with nothing sent', async () => {
    const { stream, error } = openStream();
    const { rotator, told, next } = await rig([{ kind: 'refuse' }], {
      retryPolicy: { baseDelayMs: 60_000 },
    });
    const scheduled = next('retry:scheduled');
    const failed = errorOf(rotator.post('http://t.test/', { body: stream }));
    await scheduled;
    stream.destroy(error);
    expect(await failed).toBe(error);
    expect(told('request:end')).toMatchObject([{ outcome: 'failure' }]);
    expect(rotator.inFlight()).toEqual([]);
  });

  it('while it is sent: no retry, and no blame for the proxy', async () => {
    const { stream, error } = openStream();
    const { rotator, told, target } = await rig([{ kind: 'ok' }, { kind: 'ok' }], {
      retryPolicy: retried,
    });
    const failed = errorOf(rotator.put(`${target.origin}/echo`, { body: stream }));
    while (stream.readableLength > 0) await new Promise((resolve) => setImmediate(resolve));
    stream.destroy(error);
    expect(await failed).toBe(error);
    expect(told('attempt:end')).toMatchObject([{ blame: 'caller', errorCode: 'ECONNRESET' }]);
    expect(told('retry:scheduled')).toEqual([]);
  });

  it('while it waits for a proxy that is busy', async () => {
    const { stream, error } = openStream();
    const { rotator, target, proxies, next } = await rig([{ kind: 'hang' }], {
      queueTimeoutMs: 60_000,
    });
    rotator.setProxies([{ url: proxies[0]?.url ?? '', maxConcurrent: 1 }]);
    const begun = next('attempt:start');
    const first = errorOf(rotator.get(target.url));
    await begun;
    const failed = errorOf(rotator.post(target.url, { body: stream }));
    await Promise.resolve();
    stream.destroy(error);
    expect(await failed).toBe(error);
    await rotator.destroy();
    await first;
  });

  it('while it waits for a connection', async () => {
    const { stream, error } = openStream();
    const { rotator, target, next } = await rig([{ kind: 'hang' }], { connections: 1 });
    const begun = next('attempt:start');
    const first = errorOf(rotator.get(target.url));
    await begun;
    const second = next('attempt:start');
    const failed = errorOf(rotator.post(target.url, { body: stream }));
    await second;
    stream.destroy(error);
    expect(await failed).toBe(error);
    await rotator.destroy();
    await first;
  });

  it('before the request is dispatched', async () => {
    const { rotator, target, proxies } = await rig([{ kind: 'ok' }]);
    const { stream, error } = openStream();
    stream.destroy(error);
    expect(await errorOf(rotator.post(target.url, { body: stream }))).toBe(error);
    expect(proxies[0]?.stats.connections).toBe(0);
  });

  it('after the headers of an early response: it is the error of the response body', async () => {
    const server = http
      .createServer((incoming, response) => {
        incoming.resume();
        response.write('early');
      })
      .listen(0, '127.0.0.1');
    await once(server, 'listening');
    use({ close: () => (server.closeAllConnections(), server.close()) });
    const { rotator } = await rig([]);
    rotator.addProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const { stream, error } = openStream();
    const response = await rotator.post('http://t.test/', { body: stream });
    const text = errorOf(response.body.text());
    stream.destroy(error);
    expect(await text).toBe(error);
  });

  it('a stream that fails after the request has ended hurts nothing', async () => {
    const { rotator } = await rig([{ kind: 'refuse' }], { retryPolicy: null });
    const stream = new PassThrough({
      destroy: (_, callback) => setImmediate(callback, broken()),
    });
    expect(await errorOf(rotator.post('http://t.test/', { body: stream }))).toMatchObject({
      code: 'RETRIES_EXHAUSTED',
    });
    await new Promise((resolve) => stream.once('close', resolve));
    expect(stream.errored).toMatchObject({ message: 'the source broke' });
  });
});

const thrown = broken();
describe('F5b what a source throws reaches the caller and nothing else', () => {
  const values = { 'an Error': thrown, null: null, undefined: undefined, 'a string': 'boom' };
  const ways: Record<string, (value: unknown) => RequestBody> = {
    'a generator': async function* (value) {
      yield 'part';
      throw value;
    } as (value: unknown) => RequestBody,
    'a generator at once': async function* (value) {
      yield await Promise.reject(value);
    } as (value: unknown) => RequestBody,
    'next()': (value) =>
      ({
        [Symbol.asyncIterator]: () => ({
          next() {
            throw value;
          },
        }),
      }) as never,
    'its iterator method': (value) =>
      ({
        [Symbol.asyncIterator]() {
          throw value;
        },
      }) as never,
    'a web stream': (value) =>
      new ReadableStream({ pull: (controller) => controller.error(value) }) as never,
    'a function': (value) => () => {
      throw value;
    },
    'an async function': (value) => () => Promise.reject(value),
    "a function's generator": (value) =>
      async function* () {
        yield 'part';
        throw value;
      },
  };
  for (const [way, make] of Object.entries(ways)) {
    for (const [name, value] of Object.entries(values)) {
      it(`${name}, thrown by ${way}`, async () => {
        const { rotator, target, told } = await rig([{ kind: 'ok' }, { kind: 'ok' }], {
          retryPolicy: retried,
        });
        for (const ask of [
          () => rotator.put(`${target.origin}/echo`, { body: make(value) }),
          () =>
            request(`${target.origin}/echo`, {
              method: 'PUT',
              body: make(value) as never,
              dispatcher: rotator.dispatcher,
            }),
        ]) {
          const error = await errorOf(ask());
          if (value instanceof Error) expect(error).toBe(value);
          else {
            expect(error).toBeInstanceOf(InvalidRequestError);
            expect(error.message).toContain(`threw ${JSON.stringify(value) ?? 'undefined'}`);
          }
        }
        expect(told('retry:scheduled')).toEqual([]);
        expect(told('attempt:end').every(({ blame }) => blame === 'caller')).toBe(true);
        expect(target.requests).toBe(0);
      });
    }
  }
});

describe('F5b a source that cannot be read is refused at once, and nothing reaches a proxy', () => {
  const used = async function* () {
    yield 'x';
  };
  const cases: [string, () => RequestBody | Promise<RequestBody>, string][] = [
    [
      'a locked ReadableStream',
      () => {
        const stream = new Blob(['x']).stream();
        stream.getReader();
        return stream as never;
      },
      'locked to another reader',
    ],
    [
      'a ReadableStream that was read',
      async () => {
        const stream = new Blob(['x']).stream();
        const reader = stream.getReader();
        await reader.read();
        reader.releaseLock();
        return stream as never;
      },
      'was read before',
    ],
    ['a destroyed stream', () => new PassThrough().destroy(), 'was destroyed before'],
    [
      'a stream that was read',
      async () => {
        const stream = Readable.from(['x'], { autoDestroy: false });
        for await (const _ of stream.iterator({ destroyOnReturn: false }));
        return stream;
      },
      'read to its end before',
    ],
    ['numbers', () => [1] as never, 'a chunk must be a string or bytes, got 1'],
    ['a function that returns nothing', () => (() => undefined) as never, 'must return a string'],
    ['a function that returns a function', () => (() => () => 'x') as never, 'got a function'],
  ];
  it.each(cases)('%s', async (_, make, message) => {
    const { rotator, target, proxies } = await rig([{ kind: 'ok' }]);
    const error = await errorOf(rotator.post(target.url, { body: await make() }));
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error.message).toContain(message);
    expect(proxies[0]?.stats.connections).toBe(0);
  });

  it('a generator that was sent before', async () => {
    const { rotator, target } = await rig([{ kind: 'ok' }]);
    const body = used();
    await (await rotator.post(`${target.origin}/echo`, { body })).body.dump();
    const error = await errorOf(rotator.post(`${target.origin}/echo`, { body }));
    expect(error.message).toContain('this iterator was sent with another request');
  });

  it.each([
    ['a number', 5],
    ['an object', {}],
    ['null', null],
  ])('a generator that gives %s fails while it is sent', async (_, chunk) => {
    const { rotator, target } = await rig([{ kind: 'ok' }]);
    async function* wrong() {
      yield 'fine';
      yield chunk;
    }
    const error = await errorOf(rotator.post(`${target.origin}/echo`, { body: wrong() as never }));
    expect(error.message).toContain('a chunk must be a string or bytes');
    expect(target.requests).toBe(0);
  });
});

describe('F5 content-length and body must agree', () => {
  async function* three() {
    yield 'ab';
    yield 'c';
  }
  const ask = async (body: RequestBody | undefined, length: string, options?: RotatorOptions) => {
    const { rotator, target } = await rig([{ kind: 'ok' }], options);
    const headers = { 'content-length': length };
    const error = await errorOf(rotator.post(`${target.origin}/echo`, { body, headers }));
    expect(target.requests).toBe(0);
    expect(error).toBeInstanceOf(InvalidRequestError);
    return error.message;
  };

  it('one that contradicts the body is refused, known or found out', async () => {
    expect(await ask('abc', '5')).toBe('content-length is 5, but the body has 3 bytes');
    expect(await ask(new Blob(['abc']), '5')).toContain('has 3 bytes');
    expect(await ask(() => 'abc', '5')).toContain('has 3 bytes');
    expect(await ask(undefined, '5')).toBe('content-length is 5, but there is no body');
    expect(await ask('abc', '-1')).toContain('must be a number of bytes, got "-1"');
    expect(await ask(three(), '5')).toBe('body: it ended after 3 bytes, content-length is 5');
    expect(await ask(three(), '2')).toBe('body: it has more bytes than its content-length, 2');
  });

  it('one that is right is sent with a stream, and kept for its retry', async () => {
    const { rotator, target } = await rig([{ kind: 'reset' }, { kind: 'ok' }], {
      retryPolicy: retried,
    });
    const headers = { 'content-length': '3' };
    const response = await rotator.put(`${target.origin}/echo`, { body: three(), headers });
    expect(await response.body.text()).toBe('abc');
    expect(target.received.at(-1)?.headers).toMatchObject({ 'content-length': '3' });
  });
});
