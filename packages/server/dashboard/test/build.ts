import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** What is tested is what is shipped: the built page, made from the sources of this moment. */
export default async function setup(): Promise<void> {
  // Vitest says `test`, for which Vite would build a page with the checks of development in it.
  const before = process.env['NODE_ENV'];
  process.env['NODE_ENV'] = 'production';
  const configFile = fileURLToPath(new URL('../vite.config.ts', import.meta.url));
  await build({ configFile, logLevel: 'error' });
  process.env['NODE_ENV'] = before;
}
