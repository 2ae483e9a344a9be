import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The tests of the built site; they stand apart so that `npm test` needs neither it nor a browser. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  test: {
    include: ['test/**/*.browser.ts'],
    environment: 'node',
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
