import { describe, expect, it } from 'vitest';
import { ConnectAnswerParser } from './http-connect.ts';
import { basicAuth } from './proxy/proxy-headers.ts';
import { parseProxy } from './proxy/proxy.ts';

const parse = (text: string, size = text.length) => {
  const parser = new ConnectAnswerParser();
  const bytes = Buffer.from(text, 'latin1');
  for (let i = 0; i < bytes.length; i += size) {
    const answer = parser.push(bytes.subarray(i, i + size));
    if (answer !== undefined) return { ...answer, rest: answer.rest.toString('latin1') };
  }
  return undefined;
};

describe('ConnectAnswerParser', () => {
  it('C2 reads status, Retry-After and what follows the head, in whatever pieces it comes', () => {
    const text = 'HTTP/1.1 503 Busy\r\nRetry-After:  120 \r\nA: b\r\n\r\n';
    const head = 'HTTP/1.1 503 Busy\r\nRetry-After:  120 \r\nA: b';
    const expected = { statusCode: 503, head, rest: '' };
    for (const size of [1, 2, 3, 7, 1000]) expect(parse(text, size)).toEqual(expected);
    expect(parse('HTTP/1.0 200 OK\r\n\r\nrest')).toEqual({
      statusCode: 200,
      head: 'HTTP/1.0 200 OK',
      rest: 'rest',
    });
  });

  it('C2 skips interim answers; takes a missing reason and bare line feeds', () => {
    const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 X\r\nA: b\r\n\r\n';
    for (const size of [1, 1000]) {
      expect(parse(`${interim}HTTP/1.1 200\r\n\r\n`, size)).toMatchObject({ statusCode: 200 });
    }
    expect(parse('HTTP/1.1 429 No\nretry-after: 3\n\nx')).toEqual({
      statusCode: 429,
      head: 'HTTP/1.1 429 No\nretry-after: 3',
      rest: 'x',
    });
    expect(parse('HTTP/1.1 200 OK\r\n')).toBeUndefined();
  });

  it('C9 refuses what is not HTTP at its first wrong byte, and a head that is too large', () => {
    for (const text of [
      'S',
      'HTTP/2 200',
      'HTTP/1.1 abc\r\n\r\n',
      'HTTP/1.1 20\r\n\r\n',
      '\u0005',
    ]) {
      expect(() => parse(text)).toThrow(/its answer to CONNECT/);
    }
    const head = `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(16_384)}`;
    expect(() => parse(head)).toThrow(/more than 16384 bytes/);
    expect(() => parse(`${head}\r\n\r\n`)).toThrow(/more than 16384 bytes/);
  });
});

describe('basicAuth', () => {
  it('C1 user and password, user alone, none; decoded from the URL, UTF-8', () => {
    const header = (url: string) => basicAuth(parseProxy(url));
    const of = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;
    expect(header('http://ann:s3cret@h:1')).toBe(of('ann:s3cret'));
    expect(header('http://ann@h:1')).toBe(of('ann:'));
    expect(header('http://%C3%A4nn:p%40%3A@h:1')).toBe(of('änn:p@:'));
    expect(header('http://h:1')).toBeUndefined();
  });
});
