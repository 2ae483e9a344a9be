import { createRequire } from 'node:module';

/** The version of the rotator. */
export const { version } = createRequire(import.meta.url)('@whirl/rotator/package.json') as {
  readonly version: string;
};
