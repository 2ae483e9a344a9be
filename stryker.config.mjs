import { createRequire } from 'node:module';

const tools = createRequire(new URL('tools/package.json', import.meta.url));

/**
 * Mutation testing of the pure cores: breaks the code in many small ways and asks whether a test
 * notices. `npm run mutate` takes an hour or two; docs/correctness.md explains what survives.
 *
 * @type {import('@stryker-mutator/api/core').PartialStrykerOptions}
 */
export default {
  packageManager: 'pnpm',
  plugins: [tools.resolve('@stryker-mutator/vitest-runner')],
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.mutate.config.ts', related: false },
  mutate: [
    'packages/{circuit-breaker,backoff}/src/**/*.ts',
    'packages/selector/src/strategies/*.ts',
    '!packages/*/src/**/*.test.ts',
  ],
  coverageAnalysis: 'perTest',
  concurrency: 2,
  incremental: false,
  thresholds: { high: 95, low: 90, break: 90 },
  reporters: ['clear-text', 'json'],
  clearTextReporter: { allowColor: false, reportTests: false, skipFull: true },
};
