import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

/** Bytes of a consumer's bundle, minified and gzipped, without the client of a database. */
async function bundledBytes(contents: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: import.meta.dirname },
    conditions: ['@whirl/source'],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
  });
  return gzipSync(outputFiles[0]!.contents).length;
}

test('with /redis, without a client, it is at most 15,855 bytes', async () => {
  const both = `export { joinFleet } from './index.ts'; export * from './redis.ts'`;
  expect(await bundledBytes(both)).toBeLessThanOrEqual(15_855);
});

test('{ joinFleet } is at most 12,075 bytes, min and gzip', async () => {
  const bytes = await bundledBytes(`export { joinFleet } from './index.ts'`);
  expect(bytes).toBeLessThanOrEqual(12_075);
});
