import { configDefaults, defineConfig } from 'vitest/config';

const conditions = ['@whirl/source', 'module', 'node', 'development|production'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts'],
    exclude: [...configDefaults.exclude, 'apps/packaging/**'],
    environment: 'node',
    testTimeout: 20_000,
  },
});
