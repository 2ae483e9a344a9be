import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

/**
 * The tests that judge mutants. Left out: the sizes and README snippets, which judge the package
 * around the code, and the model, which takes seconds: the named behaviours have to notice alone.
 */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ['packages/{circuit-breaker,backoff}/src/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/{size,snippets,model}.test.ts'],
  },
});
