import { describe, expect, it } from 'vitest';
import { listOf, parseRequestHead, valueOf } from './request-head.ts';

const get = 'GET http://shop.example/';
const host = 'Host: shop.example';
const lines = (...all: readonly string[]) => all.join('\r\n');
const refused = (statusCode: number) => expect.objectContaining({ name: 'Refusal', statusCode });

it('W4 CONNECT names its target, and its fields stay as they came', () => {
  const text = lines(
    'CONNECT shop.example:443 HTTP/1.1',
    'Host: other.example:443',
    'X-A:  b c \t',
  );
  expect(parseRequestHead(text)).toEqual({
    kind: 'connect',
    modern: true,
    to: { host: 'shop.example', port: 443 },
    fields: ['Host', 'other.example:443', 'X-A', 'b c'],
  });
});

it('W4 CONNECT in HTTP/1.0 and without Host is understood: its target stands in the first line', () => {
  expect(parseRequestHead('CONNECT a.example:1 HTTP/1.0')).toMatchObject({ modern: false });
  expect(parseRequestHead('CONNECT a.example:1 HTTP/1.1')).toMatchObject({ modern: true });
});

it.each(['Content-Length: 0', 'content-length: 5', 'Transfer-Encoding: chunked'])(
  'W4 CONNECT with %s is refused',
  (field) => {
    const text = lines('CONNECT a.example:443 HTTP/1.1', 'Host: a.example', field);
    expect(() => parseRequestHead(text)).toThrow(refused(400));
  },
);

describe('W7 the absolute form', () => {
  it.each([
    ['http://shop.example', '/', 'http://shop.example/'],
    ['http://shop.example/', '/', 'http://shop.example/'],
    ['HTTP://SHOP.example:8080/A?b=%2f&c', '/A?b=%2f&c', 'http://shop.example:8080/'],
    ['http://shop.example?x=1', '/?x=1', 'http://shop.example/'],
    ['http://shop.example/a/../b//c', '/a/../b//c', 'http://shop.example/'],
    ['http://[::1]:81/x', '/x', 'http://[::1]:81/'],
    ['http://127.1/x', '/x', 'http://127.0.0.1/'],
  ])('%s keeps its path as it came', (target, path, url) => {
    const head = parseRequestHead(lines(`POST ${target} HTTP/1.1`, host));
    expect(head).toMatchObject({ kind: 'absolute', method: 'POST', path });
    expect('url' in head && head.url.href).toBe(url);
  });

  it('of OPTIONS without a path asks about the whole server', () => {
    const text = lines('OPTIONS http://shop.example HTTP/1.1', host);
    expect(parseRequestHead(text)).toMatchObject({ path: '*' });
  });

  it.each([
    ['https://shop.example/', /needs a tunnel/],
    ['ftp://shop.example/', /begins with http:\/\//],
    ['shop.example/', /begins with http:\/\//],
    ['http:/shop.example', /begins with http:\/\//],
    ['http://ann:s3cret@shop.example/', /must not hold credentials/],
    ['http:///path', /host must be/],
    ['http://shop.example:0/', /port must be/],
    ['http://shop.example/#top', /fragment/],
    ['http://256.256.256.256/', /not valid/],
  ])('%s is refused', (target, reason) => {
    const text = lines(`GET ${target} HTTP/1.1`, host);
    expect(() => parseRequestHead(text)).toThrow(refused(400));
    expect(() => parseRequestHead(text)).toThrow(reason);
  });

  it.each(['/', '/index.html', '*', '//shop.example/'])(
    'W8 the origin form %s is refused with a hint, whatever Host says',
    (target) => {
      const text = lines(`OPTIONS ${target} HTTP/1.1`, host);
      expect(() => parseRequestHead(text)).toThrow(refused(400));
      expect(() => parseRequestHead(text)).toThrow(/this is a proxy/);
    },
  );

  it.each([
    ['no body', [], { kind: 'none' }],
    ['an empty one', ['Content-Length: 0'], { kind: 'none' }],
    ['a length', ['Content-Length: 12'], { kind: 'length', bytes: 12 }],
    ['chunks', ['Transfer-Encoding: Chunked'], { kind: 'chunked' }],
  ])('has %s', (_, fields, framing) => {
    expect(parseRequestHead(lines(`${get} HTTP/1.1`, host, ...fields))).toMatchObject({ framing });
  });
});

describe('W33 a head that two parsers could read differently is refused', () => {
  it.each([
    ['a folded field', 400, [host, 'X-A: b', ' c']],
    ['a fold with a tab', 400, [host, '\tX-A: b']],
    ['a space before the colon', 400, [host, 'X-A : b']],
    ['a tab before the colon', 400, [host, 'X-A\t: b']],
    ['a line without a colon', 400, [host, 'X-A']],
    ['an empty name', 400, [host, ': b']],
    ['a name with a slash', 400, [host, 'X/A: b']],
    ['a name with a byte above ASCII', 400, [host, 'X-\u00e4: b']],
    ['two Hosts', 400, [host, 'host: shop.example']],
    ['no Host', 400, []],
    ['two lengths', 400, [host, 'Content-Length: 5', 'Content-Length: 5']],
    ['a list of lengths', 400, [host, 'Content-Length: 5, 5']],
    ['a signed length', 400, [host, 'Content-Length: +5']],
    ['a hexadecimal length', 400, [host, 'Content-Length: 0x5']],
    ['an empty length', 400, [host, 'Content-Length:']],
    ['a length beyond what numbers hold', 400, [host, `Content-Length: ${'9'.repeat(16)}`]],
    ['a length beside chunks', 400, [host, 'Content-Length: 5', 'Transfer-Encoding: chunked']],
    ['chunks beside a length', 400, [host, 'Transfer-Encoding: chunked', 'Content-Length: 5']],
    ['two encodings', 501, [host, 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']],
    ['a list of encodings', 501, [host, 'Transfer-Encoding: gzip, chunked']],
    ['another encoding', 501, [host, 'Transfer-Encoding: identity']],
    ['an encoding with a vertical tab', 501, [host, 'Transfer-Encoding: \u00a0chunked']],
  ])('%s: %i', (_, statusCode, fields) => {
    const text = lines(`POST http://shop.example/ HTTP/1.1`, ...fields);
    expect(() => parseRequestHead(text)).toThrow(refused(statusCode));
  });

  it.each([
    ['GET  http://a.example/ HTTP/1.1', 400],
    ['GET http://a.example/  HTTP/1.1', 400],
    ['GET http://a.example/ x HTTP/1.1', 400],
    [' GET http://a.example/ HTTP/1.1', 400],
    ['GET http://a.example/ HTTP/1.1 ', 400],
    ['GET\thttp://a.example/\tHTTP/1.1', 400],
    ['GET http://a.example/', 400],
    ['GET http://a.example/ http/1.1', 400],
    ['GET http://a.example/ HTTP/1', 400],
    ['GET http://a.example/ HTTP/01.1', 400],
    ['get http://a.example/ HTTP/1.1', 400],
    ['G@T http://a.example/ HTTP/1.1', 400],
    ['GET http://a.example/\u00e4 HTTP/1.1', 400],
    ['PRI * HTTP/2.0', 505],
    ['GET http://a.example/ HTTP/1.2', 505],
    ['GET http://a.example/ HTTP/0.9', 505],
  ])('the request line %j: %i', (line, statusCode) => {
    expect(() => parseRequestHead(lines(line, host))).toThrow(refused(statusCode));
  });

  it('chunks in HTTP/1.0 are refused, a missing Host is not', () => {
    const old = `${get} HTTP/1.0`;
    expect(() => parseRequestHead(lines(old, 'Transfer-Encoding: chunked'))).toThrow(refused(400));
    expect(parseRequestHead(old)).toMatchObject({ modern: false });
  });
});

it('a field is found whatever its letters, and lists are joined', () => {
  const fields = ['X-A', '1', 'connection', 'Close, x-b', 'Connection', ' , X-C'];
  expect(valueOf(fields, 'x-a')).toBe('1');
  expect(valueOf(fields, 'x-b')).toBeUndefined();
  expect(listOf(fields, 'connection')).toEqual(['close', 'x-b', 'x-c']);
});
