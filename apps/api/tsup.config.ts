import { defineConfig } from 'tsup';

/** One self-contained ESM file per entry; dependencies stay in node_modules. */
export default defineConfig({
  entry: ['src/server.ts'],
  format: ['esm'],
  target: 'node20',
  platform: 'node',
  removeNodeProtocol: false,
  clean: true,
  dts: false,
});
