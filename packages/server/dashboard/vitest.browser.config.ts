import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The tests that drive a browser; they stand apart so that `npm test` needs none. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  test: {
    include: ['test/**/*.browser.ts'],
    globalSetup: ['test/build.ts'],
    environment: 'node',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    fileParallelism: false,
  },
});
