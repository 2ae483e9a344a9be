export { adaptive } from './adaptive.ts';
export type { CandidateOptions } from './candidate-table.ts';
export { byCost, byRegion, byTags, composite, type Filter } from './composite.ts';
export { costAware, type CostAwareOptions } from './cost-aware.ts';
export { geo, type GeoOptions } from './geo.ts';
export { leastUsed } from './least-used.ts';
export { performance } from './performance.ts';
export { random } from './random.ts';
export { roundRobin } from './round-robin.ts';
export { Selector } from './selector.ts';
export type {
  AttemptOutcome,
  CandidateStats,
  Selection,
  SelectorOptions,
} from './selector-options.ts';
export { sticky, type StickyOptions } from './sticky.ts';
export type { Candidates, Index, SelectContext, Strategy } from './strategy.ts';
export { weighted } from './weighted.ts';
