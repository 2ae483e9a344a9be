export { adaptive } from './strategies/adaptive.ts';
export type { CandidateOptions } from './candidates/candidate-table.ts';
export { byCost, byRegion, byTags, composite, type Filter } from './strategies/composite.ts';
export { consistent, type ConsistentOptions } from './strategies/consistent.ts';
export { costAware, type CostAwareOptions } from './strategies/cost-aware.ts';
export { geo, type GeoOptions } from './strategies/geo.ts';
export { leastUsed } from './strategies/least-used.ts';
export { performance } from './strategies/performance.ts';
export { random } from './strategies/random.ts';
export { roundRobin } from './strategies/round-robin.ts';
export { Selector } from './selector.ts';
export type {
  AttemptOutcome,
  Ban,
  CandidateStats,
  Evidence,
  Prior,
  Selection,
  SelectorOptions,
} from './selector-options.ts';
export { sticky, type StickyOptions } from './strategies/sticky.ts';
export type { Candidates, Index, SelectContext, SessionMove, Strategy } from './strategy.ts';
export { weighted } from './strategies/weighted.ts';
