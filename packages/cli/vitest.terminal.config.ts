import { defineConfig } from 'vitest/config';

/** What needs a terminal and other shells: `npm run test:terminal`. It runs what was built. */
export default defineConfig({
  resolve: { conditions: ['@whirl/source', 'node', 'development|production'] },
  ssr: { resolve: { conditions: ['@whirl/source', 'node', 'development|production'] } },
  test: {
    include: ['packages/cli/test/terminal/**/*.terminal.ts'],
    environment: 'node',
    testTimeout: 120_000,
  },
});
