import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** What is tested is what is shipped: the built page, made from the sources of this moment. */
export default async function setup(): Promise<void> {
  const configFile = fileURLToPath(new URL('../vite.config.ts', import.meta.url));
  await build({ configFile, logLevel: 'warn' });
}
