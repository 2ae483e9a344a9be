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
  /**
   * Subscribes to one type, or to all with `'*'`. Returns its own unsubscribe, after which the listener
   * hears nothing more, not even the event that is being delivered. The same function may subscribe
   * more than once.
   *
   * @throws {TypeError} When the listener is no function.
   */
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
   * Hears what a listener threw. Default: written to the console, which is seen and harms nobody,
   * as is what this function itself throws.
   */
  readonly onListenerError?: ((error: unknown, type: string) => void) | undefined;
}

type AnyListener = (...args: unknown[]) => void;

/** What mitt holds for each subscription: two of one function are told apart by it. */
interface Subscription extends AnyListener {
  /** Gone once it is unsubscribed. */
  listener?: AnyListener | undefined;
}

function report(...fault: unknown[]): void {
  // oxlint-disable-next-line no-console -- a fault that nobody asked for must not be lost
  console.error(...fault);
}

/**
 * Makes a bus for any event map; `createBus<WhirlEvents>()` is the one the whirl packages share.
 *
 * Emitting what nobody listens to allocates nothing.
 *
 * @throws {TypeError} On an option that is unknown or no function.
 */
export function createBus<Events extends EventMap>(options: BusOptions = {}): Bus<Events> {
  const { onListenerError = report } = options;
  for (const name in options) {
    if (name !== 'onListenerError') throw new TypeError(`unknown option ${name}`);
  }
  checkFunction('onListenerError', onListenerError);
  const emitter = createEmitter();
  /** What is being delivered, and what waits for it. */
  const queue: [type: string, event: unknown][] = [];

  const has = (type: string): boolean =>
    !!(emitter.all.get(type)?.length || emitter.all.get('*')?.length);

  const unsubscribe = (type: string, subscription: Subscription) => {
    subscription.listener = undefined;
    emitter.off(type, subscription);
  };

  const subscribe = (type: string, listener: AnyListener, once?: boolean): Unsubscribe => {
    checkFunction(`a listener of "${type}"`, listener);
    const subscription: Subscription = (...args) => {
      const current = subscription.listener;
      if (once) unsubscribe(type, subscription);
      try {
        current?.(...args);
      } catch (error) {
        try {
          onListenerError(error, type === '*' ? (args[0] as string) : type);
        } catch (fault) {
          report(fault);
        }
      }
    };
    subscription.listener = listener;
    emitter.on(type, subscription);
    return () => unsubscribe(type, subscription);
  };

  return {
    on: (type: string, listener: AnyListener) => subscribe(type, listener),
    once: (type: string, listener: AnyListener) => subscribe(type, listener, true),
    off(type: string, listener: AnyListener) {
      const subscriptions = emitter.all.get(type) as Subscription[] | undefined;
      subscriptions?.slice().forEach((each) => {
        if (each.listener === listener) unsubscribe(type, each);
      });
    },
    has,
    emit(type: string, event: unknown) {
      if (!has(type)) return;
      // Made inside a listener, it waits its turn in the loop below.
      if (queue.push([type, event]) > 1) return;
      // Nothing throws here: a subscription keeps its listener's fault to itself.
      for (const [nextType, next] of queue) emitter.emit(nextType, next);
      queue.length = 0;
    },
  } as unknown as Bus<Events>;
}

function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') {
    throw new TypeError(`${name} must be a function, not ${typeof value}`);
  }
}
