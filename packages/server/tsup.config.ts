import { defineConfig } from 'tsup';

/** One ESM file; dependencies stay in node_modules. The page is built beside it. */
export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm'],
  target: 'node20',
  platform: 'node',
  removeNodeProtocol: false,
  clean: true,
  dts: { compilerOptions: { ignoreDeprecations: '6.0', customConditions: [] } },
});
