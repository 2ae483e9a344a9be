import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

/**
 * The tests that judge mutants. Left out: the sizes and README snippets, which judge the package
 * around the code, and what takes seconds: the model of the breaker, and of the selector the costs of
 * large pools and of a fleet. The named behaviours have to notice alone.
 */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ['packages/{circuit-breaker,backoff,selector}/src/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/{size,snippets,model,scale,fleet,slot-heap}.test.ts'],
  },
});
