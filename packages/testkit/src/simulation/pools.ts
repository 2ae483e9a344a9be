import type { ProxyKind } from './population.ts';

/** A bought pool: most of it good, some mediocre, one in ten dead. */
export const realisticPool: readonly ProxyKind[] = [
  { share: 0.7, success: [0.9, 0.99], medianMs: [200, 1200], failures: 'mixed' },
  { share: 0.2, success: [0.5, 0.8], medianMs: [500, 2500], failures: 'mixed' },
  { share: 0.05, success: [0.02, 0.02], medianMs: [500, 2500], failures: 'fast' },
  { share: 0.05, success: [0.02, 0.02], medianMs: [500, 2500], failures: 'slow' },
];

/** A public list as scraped: 8 % of it any good. */
export const scrapedPool: readonly ProxyKind[] = [
  { share: 0.08, success: [0.75, 0.95], medianMs: [400, 2400], failures: 'mixed' },
  { share: 0.12, success: [0.3, 0.6], medianMs: [400, 2400], failures: 'mixed' },
  { share: 0.4, success: [0.01, 0.01], medianMs: [400, 2400], failures: 'fast' },
  { share: 0.4, success: [0.01, 0.01], medianMs: [400, 2400], failures: 'slow' },
];
