import { checkOptions, oneOf } from '@whirl/check';
import { around } from '../check/check-strategy.ts';
import type { Strategy } from '../strategy.ts';

/** The options of `geo()`. A bad one is refused with a TypeError or RangeError that names it. */
export interface GeoOptions {
  /**
   * When no candidate of the region is available: `'any'` picks from elsewhere, `'none'` picks none.
   * Default `'any'`.
   */
  readonly fallback?: 'any' | 'none' | undefined;
}

const kinds = { fallback: oneOf('any', 'none') };

/** Candidates of the region that is asked for, by an inner strategy. Without a region: all. */
export function geo(inner: Strategy, options: GeoOptions = {}): Strategy {
  checkOptions('', options, kinds);
  const { fallback } = options;
  return {
    ...around('geo', inner),
    pick(among, ask) {
      if (ask.region === undefined) return inner.pick(among, ask);
      const near = inner.pick(among.inRegion(ask.region), ask);
      return near >= 0 || fallback === 'none' ? near : inner.pick(among, ask);
    },
  };
}
