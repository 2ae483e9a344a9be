import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The tests that need nginx, Caddy, systemd or minutes; they stand apart so that `npm test` needs none. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  test: {
    include: ['test/**/*.deploy.ts'],
    environment: 'node',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
