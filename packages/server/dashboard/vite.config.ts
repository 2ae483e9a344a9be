import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/**
 * Builds the operator's page into the package's `dist/dashboard`. Everything stays a file of its own
 * (nothing is inlined as a data URL or an inline script), so that the page runs under
 * `script-src 'self'; style-src 'self'`.
 */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // Relative addresses, so that the page also works below a path of a reverse proxy.
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../dist/dashboard',
    emptyOutDir: true,
    target: 'es2022',
    // 2 % smaller than the built-in one: all of the page is to stay under 60 kB compressed.
    minify: 'terser',
    terserOptions: { ecma: 2020, module: true, compress: { passes: 3, unsafe_arrows: true } },
    assetsInlineLimit: 0,
    // The page has Preact and uPlot inside, and is published.
    license: { fileName: 'licenses.md' },
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
});
