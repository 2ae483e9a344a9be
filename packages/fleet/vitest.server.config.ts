import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const conditions = ['@whirl/source', 'node', 'development|production'];

/** What needs a redis-server; scripts/test-fleet.mjs looks for one. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['server/*.test.ts'],
    environment: 'node',
    // Bounds for what hangs, not for what is slow.
    testTimeout: 180_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
  },
});
