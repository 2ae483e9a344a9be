import { gzipSync } from 'node:zlib';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

/** Bytes of what a bundler makes of these exports: minified, gzipped, dependencies included. */
async function bundledBytes(exports: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: {
      contents: `export ${exports} from './index.ts'`,
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
    },
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

test('{ CircuitBreaker } is at most 2,811 bytes, min and gzip', async () => {
  expect(await bundledBytes('{ CircuitBreaker }')).toBeLessThanOrEqual(2_811);
});

test('all of the package is at most 3,892 bytes, min and gzip', async () => {
  expect(await bundledBytes('*')).toBeLessThanOrEqual(3_892);
});
