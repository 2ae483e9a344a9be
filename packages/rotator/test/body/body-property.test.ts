import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { request } from 'undici';
import { expect, it } from 'vitest';
import { ProxyRotator, type RequestBody } from '../../src/index.ts';
import { roundRobin } from '@whirl/selector';
import { use } from '../support/rig.ts';
import { digestOf, startUploadTarget, type Fate } from '../support/upload-target.ts';

const mebibyte = 1_048_576;
/** More runs on demand: WHIRL_BODY_RUNS=5000. */
const numRuns = Number(process.env['WHIRL_BODY_RUNS'] ?? 60);
const seed = Number(process.env['WHIRL_BODY_SEED'] ?? 1);

const noise = Buffer.alloc(2_000_000);
for (let i = 0, x = 1; i < noise.length; i++) {
  x = (x * 48_271) % 2_147_483_647;
  noise[i] = x;
}

interface Given {
  readonly bytes: Buffer;
  readonly chunk: number;
  /** A turn of the loop between chunks. */
  readonly slow: boolean;
  /** After so many bytes the source throws. */
  readonly failsAt: number | undefined;
}

class SourceError extends Error {
  readonly code = 'ECONNRESET';
}

async function* chunksOf({
  bytes,
  chunk,
  slow,
  failsAt = Infinity,
}: Given): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunk) {
    if (at >= failsAt) throw new SourceError('the source broke');
    if (slow) await turn();
    yield bytes.subarray(at, at + chunk);
  }
  if (failsAt !== Infinity) throw new SourceError('the source broke');
}

async function* inOneBuffer(given: Given): AsyncGenerator<Buffer> {
  const memory = Buffer.alloc(given.chunk);
  for await (const chunk of chunksOf(given)) {
    chunk.copy(memory);
    yield memory.subarray(0, chunk.length);
  }
}

const whole: Record<string, (given: Given) => RequestBody> = {
  string: ({ bytes }) => bytes.toString('latin1'),
  buffer: ({ bytes }) => bytes,
  blob: ({ bytes }) => new Blob([bytes.subarray(0, 1000), bytes.subarray(1000)]),
  array: ({ bytes, chunk }) => [bytes.subarray(0, chunk), bytes.subarray(chunk)],
};
const sources: Record<string, (given: Given) => NonNullable<RequestBody>> = {
  generator: (given) => chunksOf(given),
  'one buffer': (given) => inOneBuffer(given),
  stream: (given) => Readable.from(chunksOf(given), { objectMode: false }),
  objects: (given) => Readable.from(chunksOf(given)),
  web: (given) => ReadableStream.from(chunksOf(given)) as unknown as RequestBody & object,
};
for (const [name, make] of Object.entries(sources)) {
  whole[name] = make;
  whole[`() => ${name}`] = (given) => () => make(given) as never;
  whole[`async () => ${name}`] = (given) => async () => make(given) as never;
}

const sizes = fc.oneof(
  fc.integer({ min: 0, max: 3000 }),
  fc.integer({ min: mebibyte - 3, max: mebibyte + 3 }),
  fc.integer({ min: 60_000, max: 1_900_000 }),
);
const fates: fc.Arbitrary<Fate> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('reset' as const, 'refuse-and-close' as const),
    at: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1_500_000 })),
  }),
  fc.record({
    kind: fc.constantFrom(
      'store' as const,
      'reset-unanswered' as const,
      'refuse-late' as const,
      'refuse-early' as const,
    ),
  }),
);
const cases = fc.record({
  kind: fc.constantFrom(...Object.keys(whole)),
  size: sizes,
  chunk: fc.constantFrom(700, 16_384, 65_536, 300_000, 1_200_000),
  slow: fc.boolean(),
  fails: fc.option(fc.integer({ min: 0, max: 1_500_000 }), { freq: 4 }),
  fates: fc.array(fates, { maxLength: 4 }),
  maxAttempts: fc.integer({ min: 1, max: 4 }),
  hedged: fc.boolean(),
  by: fc.constantFrom('verb', 'fetch', 'undici'),
  retried: fc.boolean(),
  known: fc.boolean(),
});

it(
  'F5 what a target stores and answers with 200 is the whole body, or the request fails',
  { timeout: 60_000 + numRuns * 1000 },
  async () => {
    let runs = 0;
    const targets = await Promise.all([1, 2, 3, 4].map(async () => use(await startUploadTarget())));
    await fc.assert(
      fc.asyncProperty(cases, async (each) => {
        // fetch would make one string of an array.
        if (each.kind === 'array' && each.by === 'fetch') return;
        const bytes = noise.subarray(0, each.size);
        const failing = each.fails !== null && each.kind.replace(/^.*=> /, '') in sources;
        const chunk = Math.max(each.chunk, Math.ceil(each.size / 200));
        const failsAt = failing ? Math.min(each.fails ?? 0, each.size) : undefined;
        const source: Given = { bytes, chunk, slow: each.slow, failsAt };
        const sent = each.kind === 'string' ? Buffer.from(bytes.toString('latin1')) : bytes;
        const body = whole[each.kind]?.(source);
        for (const [i, target] of targets.entries()) {
          target.fates = each.fates.slice(i, i + 1);
          target.stored.length = 0;
        }
        const rotator = new ProxyRotator({
          proxies: targets.map(({ url }) => url),
          strategy: roundRobin(),
          circuitBreaker: false,
          budget: false,
          ...(each.hedged ? { hedge: { afterMs: 5 } } : {}),
          retryPolicy: {
            maxAttempts: each.maxAttempts,
            retryNonIdempotent: each.retried,
            failoverDelay: 'none',
            baseDelayMs: 100,
            attemptTimeoutMs: 5000,
          },
        });
        // An upload of an earlier run may still be on its way.
        const url = `http://target.test/${++runs}`;
        const headers = each.known ? { 'content-length': String(sent.length) } : {};
        let status = 0;
        let error: unknown;
        try {
          if (each.by === 'fetch') {
            const response = await rotator.fetch(url, {
              method: 'PUT',
              body: body as never,
              duplex: 'half',
              headers: each.known ? headers : {},
            } as never);
            status = response.status;
            await response.text();
          } else if (each.by === 'verb') {
            const response = await rotator.put(url, { body, headers });
            status = response.statusCode;
            await response.body.text();
          } else {
            const { dispatcher } = rotator;
            const options = { dispatcher, method: 'PUT', body, headers } as never;
            const response = await request(url, options);
            status = response.statusCode;
            await response.body.text();
          }
        } catch (thrown) {
          error = each.by === 'fetch' ? (thrown as Error).cause : thrown;
        } finally {
          await rotator.destroy();
        }
        const stored = targets.flatMap((target) => target.stored.filter((one) => one.url === url));
        const digest = digestOf(sent);
        expect(stored.filter((one) => one.digest !== digest || one.size !== sent.length)).toEqual(
          [],
        );
        if (status === 200) expect(stored.length).toBeGreaterThan(0);
        // After the last byte that content-length asks for, the target need not wait for the source's end.
        const given = each.known && (failsAt ?? 0) > (Math.ceil(each.size / chunk) - 1) * chunk;
        if (failing && !given) expect(stored).toEqual([]);
        if (failing && !given) expect(status).not.toBe(200);
        if (failing && !given && each.fates.length === 0) expect(error).toBeInstanceOf(SourceError);
      }),
      { numRuns, seed },
    );
  },
);
