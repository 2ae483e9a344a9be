import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const conditions = ['@whirl/source', 'node', 'development|production'];

/** Through proxies that Debian packages; scripts/test-proxies.mjs prepares them. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['src/*.test.ts'],
    globalSetup: ['src/global-setup.ts'],
    environment: 'node',
    reporters: ['dot', fileURLToPath(new URL('src/table-reporter.ts', import.meta.url))],
    // Run by root, it would leave files that others cannot remove.
    cache: false,
    // Bounds for what hangs, not for what is slow.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
  },
});
