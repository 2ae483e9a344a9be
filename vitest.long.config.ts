import { configDefaults, defineConfig } from 'vitest/config';
import everyTest, { long } from './vitest.config.ts';

/** What takes long, and what `npm test` leaves to `.ci/run`: `npm run test:long`. */
export default defineConfig({
  ...everyTest,
  test: { ...everyTest.test, include: long, exclude: configDefaults.exclude },
});
