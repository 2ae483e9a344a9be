import type { CircuitTransition } from '@whirl/events';
import type { CircuitBreakerOptions } from './options.ts';
import { check } from './validate.ts';

type Bus = NonNullable<CircuitBreakerOptions['bus']>;
type Listener = (event: CircuitTransition) => unknown;

/** The one type of event of a breaker. */
export const heard = 'circuit:transition';

/**
 * The listeners of one breaker in front of the bus it was given. Both hear from one queue: an event
 * that a listener causes waits until all have heard the current one.
 */
export function ownBus(bus: Bus) {
  const listeners = new Set<Listener>();
  const queue: CircuitTransition[] = [];
  return {
    // An event without listeners, once all have unsubscribed, costs less than asking.
    has: () => true,
    emit(_type: string, event: CircuitTransition) {
      if (queue.push(event) > 1) return;
      for (const each of queue) {
        // oxlint-disable-next-line no-console -- an error that nothing else would show
        for (const listener of listeners) (async () => listener(each))().catch(console.error);
        if (bus.has(heard)) bus.emit(heard, each);
      }
      queue.length = 0;
    },
    on(type: string, listener: Listener) {
      if (type !== heard) throw new TypeError(`type must be ${heard}, got ${type}`);
      check('listener', listener, ['a function']);
      // A subscription of its own, even if the function is subscribed already.
      const own: Listener = (event) => listener(event);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
  };
}
