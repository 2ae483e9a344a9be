import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ReplayableBody } from './body.ts';

async function read(body: unknown, until = Infinity): Promise<string> {
  let text = '';
  let chunks = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    text += String(chunk);
    if (++chunks >= until) break;
  }
  return text;
}

const big = 'x'.repeat(600_000);

describe('ReplayableBody', () => {
  it('F5 a generator is recorded while it is sent, and sent again from its start', async () => {
    let pulled = 0;
    async function* source() {
      for (const part of ['a', 'b', 'c']) {
        pulled++;
        yield Buffer.from(part);
      }
    }
    const body = new ReplayableBody(source(), true);
    expect(await read(body.open(), 2)).toBe('ab');
    expect([body.replayable, body.shareable]).toEqual([true, false]);
    expect(await read(body.open())).toBe('abc');
    expect(await read(body.open())).toBe('abc');
    expect([pulled, body.shareable]).toEqual([3, true]);
  });

  it('F5 beyond 1 MiB it is not kept, but still arrives whole', async () => {
    async function* source() {
      yield big;
      yield big;
      yield 'end';
    }
    const body = new ReplayableBody(source(), true);
    expect((await read(body.open())).length).toBe(1_200_003);
    expect([body.replayable, body.shareable]).toEqual([false, false]);
  });

  it('F5 a stream can be sent until it was touched, plain bodies always', () => {
    const stream = new ReplayableBody(Readable.from(['a']), true);
    expect(stream.replayable).toBe(true);
    stream.touch();
    expect(stream.replayable).toBe(false);
    for (const plain of [
      null,
      undefined,
      'text',
      Buffer.from('a'),
      new Blob(['a']),
      new FormData(),
    ]) {
      const body = new ReplayableBody(plain, true);
      body.touch();
      expect([body.replayable, body.shareable]).toEqual([true, true]);
    }
  });

  it('an unfinished source may clean up when the request is over, and only then', async () => {
    let cleaned = false;
    async function* source() {
      try {
        yield 'a';
        yield 'b';
      } finally {
        cleaned = true;
      }
    }
    const body = new ReplayableBody(source(), true);
    await read(body.open(), 1);
    await Promise.resolve();
    expect(cleaned).toBe(false);
    body.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(cleaned).toBe(true);
  });
});
