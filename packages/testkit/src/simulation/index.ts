export { Population, timeoutMs } from './population.ts';
export type { FailureSpeed, PopulationOptions, ProxyKind, SimulatedAttempt } from './population.ts';
export { realisticPool, scrapedPool } from './pools.ts';
export { simulate } from './simulate.ts';
export type { Chooser, SimulationOptions, SimulationResult } from './simulate.ts';
export { TimeQueue } from './time-queue.ts';
