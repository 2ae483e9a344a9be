import type { WhirlBus, WhirlEvents } from '@whirl/events';

/** The events that a selector learns from, beside those of circuits. */
export type Lesson = 'attempt:start' | 'attempt:end' | 'proxy:banned';

/**
 * Tells one selector of the events of its own pool, at once. A bus may be shared with rotators whose proxies have
 * the same ids, and may be in the middle of another event.
 */
export class Lessons {
  readonly #listeners = new Map<string, (event: never) => void>();

  readonly on: WhirlBus['on'] = (type: string, listener: unknown) => {
    // The pool says so itself, without an event: see `Pool.started`.
    if (type !== 'attempt:start') this.#listeners.set(type, listener as (event: never) => void);
    return () => void this.#listeners.delete(type);
  };

  tell<Type extends Lesson>(type: Type, event: WhirlEvents[Type]): void {
    try {
      this.#listeners.get(type)?.(event as never);
    } catch (error) {
      // As the bus does with its listeners': the error is written to the console, and no request fails.
      // oxlint-disable-next-line no-console -- an error of the selector must not be lost
      console.error(error);
    }
  }
}
