import { defineConfig } from 'tsup';

/** One program; what a command alone needs is a chunk that it imports. */
export default defineConfig({
  entry: ['src/main.ts'],
  format: ['esm'],
  target: 'node20',
  platform: 'node',
  removeNodeProtocol: false,
  splitting: true,
  clean: true,
  dts: false,
});
