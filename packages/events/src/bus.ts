import { createEmitter } from './mitt.ts';

/** Any map of event types to their payloads. */
export type EventMap = Record<string, unknown>;

/** Hears one type of event. */
export type Listener<Event> = (event: Event) => void;

/** Hears every event, with its type. */
export type WildcardListener<Events extends EventMap> = <Type extends keyof Events & string>(
  type: Type,
  event: Events[Type],
) => void;

/** Removes the subscription that returned it. Calling it again does nothing. */
export type Unsubscribe = () => void;

/** A synchronous, typed event bus. */
export interface Bus<Events extends EventMap> {
  /** Subscribes to one type, or to all with `'*'`. Returns its own unsubscribe. */
  on<Type extends keyof Events & string>(type: Type, listener: Listener<Events[Type]>): Unsubscribe;
  on(type: '*', listener: WildcardListener<Events>): Unsubscribe;
  /** Subscribes until the first event of that type. */
  once<Type extends keyof Events & string>(
    type: Type,
    listener: Listener<Events[Type]>,
  ): Unsubscribe;
  /** Removes every subscription of this listener to this type. */
  off<Type extends keyof Events & string>(type: Type, listener: Listener<Events[Type]>): void;
  off(type: '*', listener: WildcardListener<Events>): void;
  /**
   * Delivers to the listeners of the type in order of subscription, then to those of `'*'`. An
   * emit made inside a listener waits until the current event has reached everybody, so that all
   * hear events in their true order. Never throws: see `onListenerError`.
   */
  emit<Type extends keyof Events & string>(type: Type, event: Events[Type]): void;
  /** Whether anybody would hear this type. Ask before building an event. */
  has(type: keyof Events & string): boolean;
}

export interface BusOptions {
  /**
   * Hears what a listener threw. Default: rethrown from a microtask, so that it surfaces as an
   * uncaught exception without harming the emitter or other listeners.
   */
  readonly onListenerError?: ((error: unknown, type: string) => void) | undefined;
}

type AnyListener = (...args: unknown[]) => void;

function rethrowLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** Makes a bus for any event map; `createBus<WhirlEvents>()` is the one the whirl packages share. */
export function createBus<Events extends EventMap>(options: BusOptions = {}): Bus<Events> {
  const { onListenerError = rethrowLater } = options;
  if (typeof onListenerError !== 'function') {
    throw new TypeError(`onListenerError must be a function, got ${typeof onListenerError}`);
  }
  const emitter = createEmitter();
  const wrappers = new Map<string, Map<AnyListener, AnyListener[]>>();
  /** Pairs of type and event that wait for the current delivery; made on the first nested emit. */
  let queue: unknown[] | undefined;
  let delivering = false;

  const fault = (error: unknown, type: string) => {
    try {
      onListenerError(error, type);
    } catch (second) {
      rethrowLater(second);
    }
  };

  const deliver = (type: string, event: unknown) => {
    const typed = emitter.all.get(type);
    const all = emitter.all.get('*');
    const wildcards = all === undefined || all.length === 0 ? undefined : [...all];
    if (typed !== undefined && typed.length > 0) {
      for (const listener of [...typed]) {
        try {
          (listener as AnyListener)(event);
        } catch (error) {
          fault(error, type);
        }
      }
    }
    if (wildcards !== undefined) {
      for (const listener of wildcards) {
        try {
          (listener as AnyListener)(type, event);
        } catch (error) {
          fault(error, type);
        }
      }
    }
  };

  const has = (type: string): boolean =>
    (emitter.all.get(type)?.length ?? 0) > 0 || (emitter.all.get('*')?.length ?? 0) > 0;

  const remove = (type: string, listener: AnyListener) => {
    const byListener = wrappers.get(type);
    const subscribed = byListener?.get(listener);
    if (subscribed === undefined) return;
    for (const wrapper of subscribed) emitter.off(type, wrapper);
    byListener?.delete(listener);
  };

  const subscribe = (type: string, listener: AnyListener, once: boolean): Unsubscribe => {
    if (typeof listener !== 'function') {
      throw new TypeError(`a listener for "${type}" must be a function, got ${String(listener)}`);
    }
    let active = true;
    const unsubscribe = () => {
      if (!active) return;
      active = false;
      emitter.off(type, wrapper);
      const byListener = wrappers.get(type);
      const rest = byListener?.get(listener)?.filter((each) => each !== wrapper) ?? [];
      if (rest.length > 0) byListener?.set(listener, rest);
      else byListener?.delete(listener);
    };
    // A wrapper of its own per subscription: unsubscribing one never removes another of the same
    // function.
    const wrapper: AnyListener = once
      ? (...args) => {
          if (!active) return;
          unsubscribe();
          listener(...args);
        }
      : (...args) => listener(...args);
    emitter.on(type, wrapper);
    let byListener = wrappers.get(type);
    if (byListener === undefined) wrappers.set(type, (byListener = new Map()));
    byListener.set(listener, [...(byListener.get(listener) ?? []), wrapper]);
    return unsubscribe;
  };

  return {
    on: (type: string, listener: AnyListener) => subscribe(type, listener, false),
    once: (type: string, listener: AnyListener) => subscribe(type, listener, true),
    off: remove,
    has,
    emit(type: string, event: unknown) {
      if (delivering) {
        if (has(type)) (queue ??= []).push(type, event);
        return;
      }
      if (!has(type)) return;
      delivering = true;
      try {
        deliver(type, event);
        if (queue !== undefined) {
          for (let i = 0; i < queue.length; i += 2) deliver(queue[i] as string, queue[i + 1]);
        }
      } finally {
        queue = undefined;
        delivering = false;
      }
    },
  } as unknown as Bus<Events>;
}
