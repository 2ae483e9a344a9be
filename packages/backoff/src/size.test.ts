import { gzipSync } from 'node:zlib';
import { build, type BuildOptions } from 'esbuild';
import { describe, expect, it } from 'vitest';

const options: BuildOptions = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  write: false,
  conditions: ['@whirl/source'],
};

/** Bytes of a consumer's bundle, minified and gzipped, dependencies included. */
async function gzippedBytes(contents: string): Promise<number> {
  const stdin = { contents, resolveDir: import.meta.dirname };
  const { outputFiles } = await build({ ...options, minify: true, stdin });
  return gzipSync(outputFiles?.[0]?.contents ?? '').length;
}

describe('size, minified and gzipped', () => {
  it('{ retry, exponential } is at most 1,615 bytes', async () => {
    const bytes = await gzippedBytes(`export { retry, exponential } from '@whirl/backoff';`);
    expect(bytes).toBeGreaterThan(500);
    expect(bytes).toBeLessThanOrEqual(1615);
  });

  it('all of it is at most 2,703 bytes', async () => {
    const bytes = await gzippedBytes(`export * from '@whirl/backoff';`);
    expect(bytes).toBeGreaterThan(1000);
    expect(bytes).toBeLessThanOrEqual(2703);
  });
});
