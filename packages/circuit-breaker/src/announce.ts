import type { CircuitTransition, WhirlEvents } from '@whirl/events';
import type { CircuitBreakerOptions } from './options.ts';

/** Async, so that what it throws is a rejection. */
export type Listener = (event: CircuitTransition) => Promise<unknown>;

type Events = Pick<WhirlEvents, 'circuit:transition' | 'circuit:rescheduled'>;

type Told = [
  bus: CircuitBreakerOptions['bus'],
  type: keyof Events,
  event: Events[keyof Events],
  listeners?: Iterable<Listener> | undefined,
];

/** The events of all breakers that wait until all listeners have heard the one before. */
const queue: Told[] = [];

/**
 * Tells the listeners of a breaker, then its bus. An event that a listener causes waits for its turn,
 * so that all hear events in their true order. An error of theirs is written to the console.
 */
export function announce(...told: Told): void {
  if (queue.push(told) > 1) return;
  for (const [bus, type, event, listeners = []] of queue) {
    /* oxlint-disable no-console -- errors that nothing else would show */
    for (const tell of listeners) tell(event as CircuitTransition).catch(console.error);
    (async () => bus?.has(type) && bus.emit(type, event as never))().catch(console.error);
    /* oxlint-enable no-console */
  }
  queue.length = 0;
}
