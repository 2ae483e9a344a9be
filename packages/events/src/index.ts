export { createBus } from './bus.ts';
export type { Bus, BusOptions, EventMap, Listener, Unsubscribe, WildcardListener } from './bus.ts';
export type * from './vocabulary.ts';
import type { Bus } from './bus.ts';
import type { WhirlEvents } from './vocabulary.ts';

/** The bus that the whirl packages share. */
export type WhirlBus = Bus<WhirlEvents>;
