import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/**
 * Builds the operator's page into the app's `dist/dashboard`. Everything stays a file of its own
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
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
});
