import { defineConfig } from 'vitest/config';

const conditions = ['@whirl/source', 'module', 'node', 'development|production'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'apps/*/src/**/*.test.ts',
      'apps/api/dashboard/src/**/*.test.ts',
    ],
    environment: 'node',
    testTimeout: 20_000,
  },
});
