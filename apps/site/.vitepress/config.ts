import { defineConfig } from 'vitepress';
import { headingAnchor } from '../src/anchor.ts';
import { presentSections } from '../src/navigation.ts';

/**
 * What a reader wants first: guides, then the reference and the packages, then how it works inside. The site gets this
 * function as text, so it refers to nothing outside of itself.
 */
const boost = (id: string): number => {
  if (/\/(?:start|guide|clients|lists|exits|command-line)\.html|\/guides\//.test(id)) return 3;
  if (/\/(?:packages|reference|migrating)\//.test(id)) return 1;
  if (/\/(?:behaviour|correctness|decisions)\.html/.test(id)) return 0.1;
  return 0.5;
};

export default defineConfig({
  title: 'whirl',
  description: 'HTTP requests through pools of unreliable proxies.',
  lang: 'en',
  base: process.env['WHIRL_SITE_BASE'] ?? '/',
  srcDir: '.pages',
  outDir: 'dist',
  // Files are offered by our own staging, which copies them; the server of an example is the reader's.
  ignoreDeadLinks: [/^\/files\//, /^http:\/\/localhost/],
  // What esbuild is asked for by default it no longer transforms.
  vite: { build: { target: 'es2022' } },
  // Raw HTML has no place in the pages, and `<name>` in a doc comment is a word.
  markdown: { html: false, anchor: { slugify: headingAnchor } },
  themeConfig: {
    nav: [
      { text: 'Start', link: '/start' },
      { text: 'Guides', link: '/guide' },
      { text: 'Reference', link: '/reference/options' },
      { text: 'Benchmarks', link: '/benchmarks' },
    ],
    sidebar: presentSections().map(({ text, pages }) => ({
      text,
      collapsed: text === 'Migrating' || text === 'Internals' || text === 'Packages',
      items: pages.map((page) => ({ text: page.text, link: `/${page.path}` })),
    })),
    outline: [2, 3],
    search: {
      provider: 'local',
      options: { detailedView: 'auto', miniSearch: { searchOptions: { boostDocument: boost } } },
    },
    docFooter: { prev: 'Before', next: 'Next' },
  },
});
