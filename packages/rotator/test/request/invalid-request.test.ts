import { Readable } from 'node:stream';
import { request } from 'undici';
import { describe, expect, it } from 'vitest';
import { InvalidRequestError, type RequestOptions } from '../../src/index.ts';
import { errorOf, rig } from '../support/pool-rig.ts';

describe('F16c methods', () => {
  it.each([
    ['post', 'POST'],
    ['Get', 'GET'],
    ['patch', 'PATCH'],
    ['delete', 'DELETE'],
    ['PURGE', 'PURGE'],
  ])('%s is sent as %s', async (method, sent) => {
    const { rotator, target, told } = await rig([{ kind: 'ok' }]);
    const body = method === 'Get' ? undefined : 'x';
    const response = await rotator.request(`${target.origin}/echo`, { method, body });
    await response.body.dump();
    expect(target.received.at(-1)?.method).toBe(sent);
    expect(told('request:end')).toMatchObject([{ method: sent, outcome: 'success' }]);
  });

  it("other methods are the user's own, whatever their case", async () => {
    const { rotator, target, told } = await rig([{ kind: 'ok' }], { retryPolicy: null });
    await errorOf(rotator.request(target.url, { method: 'purge' }));
    expect(told('request:start')).toMatchObject([{ method: 'purge' }]);
  });
});

describe('F16c what can never be sent is refused by field and value, and nothing reaches a proxy', () => {
  it.each<[string, object, string]>([
    [
      'a plain object',
      { body: { a: 1 } },
      'body must be a string, bytes, a form, a Blob, a stream or an iterable, or a function that returns one, got an object',
    ],
    [
      'a number',
      { body: 5 },
      'body must be a string, bytes, a form, a Blob, a stream or an iterable, or a function that returns one, got 5',
    ],
    ['a truth value', { body: true }, 'got true'],
    [
      'a method with a space',
      { method: 'G T' },
      'method must be an HTTP token such as GET, got "G T"',
    ],
    ['an empty method', { method: '' }, 'method must be an HTTP token such as GET, got ""'],
    ['a method that is no text', { method: 5 }, 'method must be an HTTP token such as GET, got 5'],
    ['CONNECT', { method: 'connect' }, 'CONNECT cannot be sent'],
    ['CONNECT in capitals', { method: 'CONNECT' }, 'CONNECT cannot be sent'],
    ['a signal that is none', { signal: {} }, 'signal must be an AbortSignal, got an object'],
    ['an AbortController', { signal: new AbortController() }, 'signal must be an AbortSignal'],
    [
      'headers that are a number',
      { headers: 5 },
      'headers must be an object, an array or Headers, got 5',
    ],
  ])('%s', async (_, options, message) => {
    const { rotator, target, facts } = await rig([{ kind: 'ok' }]);
    const error = await errorOf(
      rotator.request(target.url, { method: 'POST', ...options } as RequestOptions),
    );
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error.message).toContain(message);
    expect(facts).toEqual([]);
    expect(rotator.inFlight()).toEqual([]);
  });

  it('through undici too, and options that are null', async () => {
    const { rotator, target, facts } = await rig([{ kind: 'ok' }]);
    const { dispatcher } = rotator;
    const error = await errorOf(
      request(target.url, { method: 'POST', body: 5 as never, dispatcher }),
    );
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(await errorOf(rotator.request(target.url, null as never))).toMatchObject({
      code: 'INVALID_REQUEST',
      message: 'options must be an object, got null',
    });
    expect(facts).toEqual([]);
  });

  it.each<[string, () => RequestOptions['body']]>([
    ['null', () => null],
    ['a stream', () => Readable.from(['text'])],
    ['an iterable', () => ['te', 'xt'] as never],
    ['a web stream', () => new Blob(['text']).stream()],
    ['an ArrayBuffer', () => new TextEncoder().encode('text').buffer],
  ])('%s is a body', async (_, body) => {
    const { rotator, target } = await rig([{ kind: 'ok' }]);
    const response = await rotator.post(`${target.origin}/echo`, { body: body() });
    expect(response.statusCode).toBe(200);
    await response.body.dump();
  });
});
