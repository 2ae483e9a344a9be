import { describe, expect, it } from 'vitest';
import { ConnectResponseParser } from './connect-response-parser.ts';
import { basicAuth } from '../proxy/proxy-headers.ts';
import { parseProxy } from '../proxy/parse-proxy.ts';

const parse = (text: string, size = text.length) => {
  const parser = new ConnectResponseParser(16_384);
  const bytes = Buffer.from(text, 'latin1');
  for (let i = 0; i < bytes.length; i += size) {
    const response = parser.push(bytes.subarray(i, i + size));
    if (response !== undefined) return { ...response, rest: response.rest.toString('latin1') };
  }
  return undefined;
};

describe('ConnectResponseParser', () => {
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

  it('C2 skips interim responses; takes a missing reason and bare line feeds', () => {
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
      expect(() => parse(text)).toThrow(/its response to CONNECT/);
    }
    const head = `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(16_384)}`;
    expect(() => parse(head)).toThrow(/more than 16384 bytes/);
    expect(() => parse(`${head}\r\n\r\n`)).toThrow(/more than 16384 bytes/);
  });
});

describe('A17 the response to CONNECT is read in linear time', () => {
  it('a head of 256 KiB in single bytes, and one that is a flood of interim responses', () => {
    const sizes = [65_536, 262_144];
    const times = sizes.map((size) => {
      const parser = new ConnectResponseParser(2 * size);
      const head = Buffer.from(`HTTP/1.1 200 OK\r\nx: ${'a\r\n'.repeat(size / 4)}`);
      const start = performance.now();
      for (let i = 0; i < head.length; i++) parser.push(head.subarray(i, i + 1));
      return performance.now() - start;
    });
    // Four times the bytes: about 4 times as long; a parser that looks at each byte again takes 16.
    expect(times[1]).toBeLessThan(10 * (times[0] as number) + 50);
  });

  it('C8e 32 interim responses are taken, one more is not', () => {
    const interim = 'HTTP/1.1 103 Early Hints\r\n\r\n';
    const final = 'HTTP/1.1 200 OK\r\n\r\n';
    expect(parse(interim.repeat(32) + final)).toMatchObject({ statusCode: 200 });
    for (const size of [1, 1e6]) {
      expect(() => parse(interim.repeat(33) + final, size)).toThrow(/more than 32 interim/);
    }
  });

  it('C8e a status below 100 or above 599 is no status; two Retry-After fields are both seen', () => {
    for (const status of ['099', '000', '600', '1000']) {
      expect(() => parse(`HTTP/1.1 ${status} X\r\n\r\n`)).toThrow(/no status line/);
    }
    expect(parse('HTTP/1.1 503 X\r\nRetry-After: 1\r\nretry-after: 60\r\n\r\n')).toMatchObject({
      head: 'HTTP/1.1 503 X\r\nRetry-After: 1\r\nretry-after: 60',
    });
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
