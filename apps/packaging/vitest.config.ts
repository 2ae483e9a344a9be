import { defineConfig } from 'vitest/config';

// The published shape: on the builds, without the condition that leads to the sources.
export default defineConfig({
  test: {
    include: ['apps/packaging/src/**/*.test.ts'],
    environment: 'node',
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
});
