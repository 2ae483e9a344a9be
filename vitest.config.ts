import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';

// Not `module`: it is a bundler's condition, under which @opentelemetry/api offers files that Node cannot load.
const conditions = ['@whirl/source', 'node', 'development|production'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: [
      'packages/*/{src,test}/**/*.test.ts',
      'apps/*/src/**/*.test.ts',
      'scripts/house/*.test.ts',
      'packages/server/dashboard/src/**/*.test.ts',
    ],
    exclude: [
      ...configDefaults.exclude,
      'apps/packaging/**',
      'apps/real-clients/**',
      'apps/real-proxies/**',
    ],
    environment: 'node',
    // Most tests wait for sockets: vitest's own choice, a core less than there are, leaves two cores idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // A bound for what hangs, not for what is slow: machines differ.
    testTimeout: 60_000,
  },
});
