import { describe, expect, it } from 'vitest';
import { HeadReader, maxHeadBytes } from './head-reader.ts';
import { Refusal } from './refusal.ts';

const head = 'CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example:443\r\n\r\n';

/** The status by which bytes are refused, or undefined. */
function refusalOf(...chunks: readonly (string | Buffer)[]): number | undefined {
  const reader = new HeadReader();
  try {
    for (const chunk of chunks) reader.push(Buffer.from(chunk as string, 'latin1'));
  } catch (error) {
    if (error instanceof Refusal) return error.statusCode;
    throw error;
  }
  return undefined;
}

describe('W3 a head is complete at its empty line', () => {
  it('and what stands behind it is kept', () => {
    const whole = new HeadReader().push(Buffer.from(`${head}\u0016\u0003\u0001`, 'latin1'));
    expect(whole).toEqual({
      text: 'CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example:443',
      rest: Buffer.from([0x16, 3, 1]),
    });
  });

  it('wherever it is split', () => {
    const bytes = Buffer.from(`${head}abc`);
    const { length } = Buffer.from(head);
    for (let first = 1; first < bytes.length; first++) {
      for (const second of [first, Math.min(first + 1, bytes.length - 1), bytes.length - 1]) {
        const reader = new HeadReader();
        const chunks = [bytes.subarray(0, first), bytes.subarray(first, second)];
        let end = 0;
        let whole;
        for (const chunk of [...chunks, bytes.subarray(second)]) {
          end += chunk.length;
          whole = reader.push(chunk);
          if (whole !== undefined) break;
        }
        expect(whole?.text).toBe(head.slice(0, -4));
        expect(whole?.rest.toString()).toBe(bytes.subarray(length, end).toString());
      }
    }
  });
});

describe('W3 a head may have 16 KiB', () => {
  const padded = (size: number) => {
    const start = 'GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\nX: ';
    return `${start}${'x'.repeat(size - start.length - 4)}\r\n\r\n`;
  };

  it.each([
    ['at once', 1],
    ['byte by byte', maxHeadBytes + 1],
  ])('and one byte more is refused with 431, %s', (_, pieces) => {
    const read = (size: number) => {
      const bytes = Buffer.from(padded(size));
      const step = Math.ceil(size / pieces);
      const chunks = Array.from({ length: Math.ceil(size / step) }, (__, i) =>
        bytes.subarray(i * step, (i + 1) * step),
      );
      return refusalOf(...chunks);
    };
    expect(read(maxHeadBytes)).toBeUndefined();
    expect(read(maxHeadBytes + 1)).toBe(431);
  });

  it('before its empty line has come', () => {
    expect(refusalOf(`GET http://a.example/${'a'.repeat(maxHeadBytes)}`)).toBe(431);
  });
});

describe('W33 bytes that no head may hold are refused at once', () => {
  it.each([
    ['a bare line feed', 'GET http://a.example/ HTTP/1.1\nHost: a.example\n\n'],
    ['a bare line feed in a field', 'GET http://a.example/ HTTP/1.1\r\nHost: a.example\nX: y\r\n'],
    ['a bare carriage return', 'GET http://a.example/ HTTP/1.1\r\nHost: a\rX: y\r\n'],
    ['two carriage returns', 'GET http://a.example/ HTTP/1.1\r\r\n'],
    ['a NUL', 'GET http://a.example/ HTTP/1.1\r\nHost: a\u0000b\r\n'],
    ['a delete', 'GET http://a.example/\u007f HTTP/1.1\r\n'],
    ['an escape', 'GET http://a.example/ HTTP/1.1\r\nX: \u001b[2J\r\n'],
    ['an empty request line', '\r\nGET http://a.example/ HTTP/1.1\r\n'],
    ['nothing but an empty line', '\r\n\r\n'],
  ])('%s', (_, bytes) => {
    expect(refusalOf(bytes)).toBe(400);
    expect(refusalOf(...bytes.split(''))).toBe(400);
  });

  it('a tab in a value is none of them', () => {
    expect(refusalOf('GET http://a.example/ HTTP/1.1\r\nX: a\tb\r\n')).toBeUndefined();
  });
});
