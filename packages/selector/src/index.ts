export { Selector } from './selector.ts';
export type { CandidateOptions, CandidateStats, Pick, SelectorOptions } from './selector.ts';
export { adaptive, leastUsed, performance, random, roundRobin, weighted } from './strategies.ts';
export type { Candidate, SelectContext, Strategy } from './strategy.ts';
