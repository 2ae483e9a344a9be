import { describe, expect, it } from 'vitest';
import type { Framing } from '../head/request-head.ts';
import { BodyDecoder } from './body-decoder.ts';

function decode(framing: Framing, chunks: readonly string[]) {
  let body = '';
  const decoder = new BodyDecoder(framing, (bytes) => (body += bytes.toString('latin1')));
  let rest: string | undefined = decoder.done ? '' : undefined;
  for (const chunk of chunks) {
    rest = (rest ?? '') + (decoder.push(Buffer.from(chunk, 'latin1'))?.toString('latin1') ?? '');
  }
  return { body, rest: decoder.done ? rest : undefined };
}

const chunked: Framing = { kind: 'chunked' };

describe('W7 the body of a request', () => {
  it('ends where its length says, and what stands behind it is kept', () => {
    const length: Framing = { kind: 'length', bytes: 5 };
    expect(decode(length, ['helloGET'])).toEqual({ body: 'hello', rest: 'GET' });
    expect(decode(length, ['he', 'll', 'oGET'])).toEqual({ body: 'hello', rest: 'GET' });
    expect(decode(length, ['hell'])).toEqual({ body: 'hell', rest: undefined });
    expect(decode({ kind: 'none' }, ['GET'])).toEqual({ body: '', rest: 'GET' });
  });

  it('in chunks is joined, wherever the bytes are split', () => {
    const text =
      '5\r\nhello\r\n1;name="a b"\r\n,\r\n000A \t;x\r\n0123456789\r\n0\r\nX-A: b\r\n\r\n';
    for (let at = 0; at <= text.length; at++) {
      const chunks = [text.slice(0, at), `${text.slice(at)}GET`];
      expect(decode(chunked, chunks)).toEqual({ body: 'hello,0123456789', rest: 'GET' });
    }
    expect(decode(chunked, text.split(''))).toEqual({ body: 'hello,0123456789', rest: '' });
  });
});

describe('W33 a chunked body that two parsers could read differently is refused', () => {
  it.each([
    ['a size that is not hexadecimal', 'g\r\n'],
    ['an empty size', '\r\n'],
    ['a signed size', '+5\r\n'],
    ['a size with 0x', '0x5\r\n'],
    ['a size of more digits than numbers hold', `${'f'.repeat(13)}\r\n`],
    ['a space before the size', ' 5\r\n'],
    ['a size line that ends in LF', '5\nhello\r\n'],
    ['a size line with a bare CR', '5\r5\r\n'],
    ['a control character in an extension', '5;a=\u0001\r\n'],
    ['a chunk that is longer than its size', '5\r\nhello!\r\n'],
    ['a chunk that is shorter than its size', '5\r\nhell\r\n0\r\n\r\n'],
    ['a chunk that ends in LF', '5\r\nhello\n'],
    ['a trailer without a colon', '0\r\nX\r\n\r\n'],
    ['a folded trailer', '0\r\nX: a\r\n b\r\n\r\n'],
    ['an endless size line', `5;${'x'.repeat(5000)}`],
    ['endless trailers', `0\r\n${'X: y\r\n'.repeat(3000)}\r\n`],
  ])('%s', (_, text) => {
    const refused = expect.objectContaining({ name: 'Refusal', statusCode: 400 });
    expect(() => decode(chunked, [text])).toThrow(refused);
    expect(() => decode(chunked, text.split(''))).toThrow(refused);
  });
});
