import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const conditions = ['@whirl/source', 'node', 'development|production'];

/** The recipes of docs/clients.md, run by the clients that they are for. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['src/*.test.ts'],
    environment: 'node',
    // Each recipe is a process of its own, which waits for proxies that say nothing; two are browsers.
    maxConcurrency: 4,
    // A bound for what hangs, not for what is slow.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
