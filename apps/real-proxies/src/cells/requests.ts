import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { RequestOptions } from '@whirl/rotator';
import { expect } from 'vitest';
import { bodyOf, markOf, type Outcome } from '../outcome.ts';
import { outcomeOf } from '../whirl.ts';
import type { Cell } from './cell.ts';

const text = { 'content-type': 'text/plain' };

interface Exchange {
  readonly name: string;
  readonly method?: string;
  readonly path: string;
  /** Made for each request: a stream is good for one. */
  readonly body?: () => Buffer | AsyncIterable<Buffer>;
  /** What comes back through a proxy that can do it. */
  readonly right: Outcome;
}

/** One request by whirl, the same by curl: both have to get the right thing, or the same refusal. */
function exchange({ name, method = 'GET', path, body, right }: Exchange): Cell {
  return {
    name,
    comparable: true,
    async run(stage, way, lacking) {
      const url = stage.url(way, path);
      const rotator = stage.rotator(way);
      const options = { method, body: body?.() } as RequestOptions;
      const seen = await outcomeOf(rotator.request(url, options));
      const expected = await stage.curl({ url, method, ...(body && { body: body() }) }, way);
      if (!lacking) expect(expected, 'what curl sees').toEqual(right);
      expect(seen).toEqual(expected);
      return markOf(seen);
    },
  };
}

const megabyte = randomBytes(1_048_576);
const pieces = Array.from({ length: 10 }, (_, i) => Buffer.alloc(1000, `piece ${i} `));

function echoed(bytes: Buffer): Outcome {
  const hash = createHash('sha256').update(bytes).digest('hex');
  return { status: 200, headers: text, body: `${bytes.length} ${hash}` };
}

/** Ten pieces of unknown number, with pauses as a slow line makes them. */
async function* slowly(): AsyncGenerator<Buffer> {
  for (const piece of pieces) {
    await wait(20);
    yield piece;
  }
}

const chunks = Array.from({ length: 10 }, (_, i) => `chunk ${i}\n`).join('');
const hello: Outcome = { status: 200, headers: text, body: 'hello' };

/** `GET /hello` so many times in a row or at once, each in one attempt. */
function many(name: string, times: number, method: 'GET' | 'POST', atOnce: boolean): Cell {
  return {
    name,
    comparable: false,
    async run(stage, way) {
      const rotator = stage.rotator(way);
      const url = stage.url(way, '/hello');
      const once = () => outcomeOf(rotator.request(url, { method }));
      let outcomes: Outcome[] = [];
      if (atOnce) outcomes = await Promise.all(Array.from({ length: times }, once));
      else for (let i = 0; i < times; i++) outcomes.push(await once());
      expect(outcomes.filter((each) => each.body !== 'hello')).toEqual([]);
      expect(outcomes).toHaveLength(times);
      return 'ok';
    },
  };
}

export const requests: readonly Cell[] = [
  exchange({ name: 'GET', path: '/hello', right: hello }),
  exchange({ name: 'HEAD', method: 'HEAD', path: '/hello', right: { ...hello, body: '' } }),
  exchange({ name: '204', path: '/no-content', right: { status: 204, headers: {}, body: '' } }),
  exchange({
    name: '304',
    path: '/not-modified',
    right: { status: 304, headers: { etag: '"v1"' }, body: '' },
  }),
  exchange({
    name: 'chunked',
    path: '/chunked',
    right: { status: 200, headers: text, body: bodyOf(Buffer.from(chunks)) },
  }),
  exchange({
    name: 'gzip',
    path: '/gzip',
    right: {
      status: 200,
      headers: { ...text, 'content-encoding': 'gzip' },
      body: bodyOf(gzipSync('hello '.repeat(1000))),
    },
  }),
  exchange({
    name: '1 MB POST',
    method: 'POST',
    path: '/echo',
    body: () => megabyte,
    right: echoed(megabyte),
  }),
  exchange({
    name: 'slow upload',
    method: 'POST',
    path: '/echo',
    body: slowly,
    right: echoed(Buffer.concat(pieces)),
  }),
  many('100 GETs', 100, 'GET', false),
  many('100 POSTs', 100, 'POST', false),
  many('64 at once', 64, 'GET', true),
];
