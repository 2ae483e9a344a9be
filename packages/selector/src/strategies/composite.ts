import { array, check, func, number, string } from '@whirl/check';
import { around } from '../check/check-strategy.ts';
import type { Candidates, SelectContext, Strategy } from '../strategy.ts';

/** Narrows the candidates of a pick, with `inRegion`, `withTags` or `where`. */
export type Filter = (among: Candidates, ask: SelectContext) => Candidates;

/** Filters one after the other, then an inner strategy among those that pass all. */
export function composite(filters: readonly Filter[], inner: Strategy): Strategy {
  check('filters', filters, { ...array, wanted: 'an array of functions' });
  filters.forEach((filter, i) => check(`filters[${i}]`, filter, func));
  const chain = [...filters];
  return {
    ...around('composite', inner),
    pick(among, ask) {
      let left = among;
      for (const filter of chain) left = filter(left, ask);
      return inner.pick(left, ask);
    },
  };
}

/** Those of the region that is asked for; all when none is. */
export function byRegion(): Filter {
  return (among, { region }) => (region === undefined ? among : among.inRegion(region));
}

/** Those that have all these tags. */
export function byTags(...tags: string[]): Filter {
  tags.forEach((tag, i) => check(`tags[${i}]`, tag, string));
  return (among) => among.withTags(tags);
}

/** Those that cost no more than that. */
export function byCost(max: number): Filter {
  check('max', max, number(0));
  const key = `cost ≤ ${max}`;
  return (among) => among.where(key, (slot) => among.cost(slot) <= max);
}
