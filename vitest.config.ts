import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';

// Not `module`: it is a bundler's condition, under which @opentelemetry/api offers files that Node cannot load.
const conditions = ['@whirl/source', 'node', 'development|production'];

/**
 * What starts a process for each test, fuzzes, or moves much: half of all the time. It runs in `.ci/run`, by
 * `npm run test:long`.
 */
export const long = [
  'apps/api/src/server.test.ts',
  'apps/api/src/unwritable-log.test.ts',
  'apps/bench/src/soak/soak.test.ts',
  'apps/examples/src/docs.test.ts',
  'apps/examples/src/examples.test.ts',
  'packages/cli/test/check.test.ts',
  'packages/cli/test/get.test.ts',
  'packages/cli/test/large-list.test.ts',
  'packages/cli/test/process.test.ts',
  'packages/cli/test/serve.test.ts',
  'packages/gateway/test/fuzz.test.ts',
  'packages/gateway/test/many.test.ts',
  'packages/metrics/src/memory.test.ts',
  'packages/rotator/src/proxy/list-properties.test.ts',
  'packages/rotator/test/blame/junk-and-bans.test.ts',
  'packages/rotator/test/body/large-body.test.ts',
  'packages/server/src/fuzz.test.ts',
  'packages/*/{src,test}/{readme-,}snippets.test.ts',
];

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
      ...long,
    ],
    environment: 'node',
    // Most tests wait for sockets: vitest's own choice, a core less than there are, leaves two cores idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // A bound for what hangs, not for what is slow: machines differ.
    testTimeout: 60_000,
  },
});
