import { createRequire } from 'node:module';

/** The version of the rotator: the server itself is not published. */
export const { version } = createRequire(import.meta.url)('@whirl/rotator/package.json') as {
  readonly version: string;
};
