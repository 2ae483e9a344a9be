import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

it('all of it, mitt included, is at most 0.6 kB, minified and gzipped', async () => {
  const { outputFiles } = await build({
    stdin: { contents: `export * from '@whirl/events';`, resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    write: false,
    conditions: ['@whirl/source'],
  });
  const code = outputFiles[0]?.contents ?? '';
  expect(gzipSync(code).length).toBeGreaterThan(200);
  expect(gzipSync(code).length).toBeLessThanOrEqual(600);
});
