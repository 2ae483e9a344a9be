import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { startProxy } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { heldBytes } from '../support/memory.ts';
import { startRotator, use } from '../support/rig.ts';

const chunk = Buffer.alloc(1_048_576, 'a');
const chunks = 1024;

/** Says how much more is held each 64 MB, at the worst. */
class Growth {
  largest = 0;
  readonly #before = heldBytes();
  #seen = 0;

  pass(bytes: number): void {
    const before = this.#seen;
    this.#seen += bytes;
    if (Math.floor(before / 64e6) === Math.floor(this.#seen / 64e6)) return;
    const { heap, arrays } = heldBytes();
    this.largest = Math.max(this.largest, heap - this.#before.heap + arrays - this.#before.arrays);
  }
}

function* largeBody(): Generator<Buffer> {
  for (let i = 0; i < chunks; i++) yield chunk;
}

async function start(answer: http.RequestListener) {
  const server = http.createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  use({ close: () => server.close() });
  const proxy = use(await startProxy());
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    rotator: startRotator({ proxies: [proxy.url] }),
  };
}

describe('F16 a body of 1 GB holds less than 16 MB at any time', { timeout: 120_000 }, () => {
  it('received', async () => {
    const { url, rotator } = await start(
      (_, response) => void Readable.from(largeBody()).pipe(response),
    );
    const growth = new Growth();
    let size = 0;
    const { body } = await rotator.get(url);
    for await (const part of body as AsyncIterable<Buffer>) {
      size += part.length;
      growth.pass(part.length);
    }
    expect(size).toBe(chunks * chunk.length);
    expect(growth.largest).toBeLessThan(16e6);
  });

  it('sent', async () => {
    const growth = new Growth();
    const { url, rotator } = await start((request, response) => {
      let size = 0;
      request.on('data', (part: Buffer) => {
        size += part.length;
        growth.pass(part.length);
      });
      request.on('end', () => response.end(String(size)));
    });
    const { body } = await rotator.post(url, { body: Readable.from(largeBody()) });
    expect(Number(await body.text())).toBe(chunks * chunk.length);
    expect(growth.largest).toBeLessThan(16e6);
  });
});

describe('F5 a Blob or a form of 300 MB is read as it is sent', { timeout: 120_000 }, () => {
  const part = new Blob([chunk.subarray(0, 1_000_000)]);
  const blob = new Blob(Array.from({ length: 300 }, () => part));
  const form = new FormData();
  form.append('file', blob, 'f');

  it.each([
    ['a Blob', blob, 300_000_000],
    ['a form', form, 300_000_197],
    ['a function that returns a Blob', () => blob, 300_000_000],
  ])('%s holds less than 16 MB at any time', async (_, body, bytes) => {
    const growth = new Growth();
    let length: string | undefined;
    const { url, rotator } = await start((request, response) => {
      let size = 0;
      length = request.headers['content-length'];
      request.on('data', (piece: Buffer) => {
        size += piece.length;
        growth.pass(piece.length);
      });
      request.on('end', () => response.end(String(size)));
    });
    const response = await rotator.post(url, { body });
    expect(Number(await response.body.text())).toBe(bytes);
    expect(length).toBe(String(bytes));
    expect(growth.largest).toBeLessThan(16e6);
  });
});
