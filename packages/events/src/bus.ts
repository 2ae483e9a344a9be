import mitt, { type Emitter } from 'mitt';

/**
 * mitt 3.0.1 declares its default export in a way that `moduleResolution: nodenext` reads as the
 * module, not the function. No type of it reaches a public declaration, so that a consumer's compiler
 * never comes across it.
 */
type CreateEmitter = () => Emitter<Record<string, unknown>>;

/** A map of event types to their payloads: an interface or a type. */
export type EventMap = object;

/** The types of a map. */
type TypeOf<Events extends EventMap> = keyof Events & string;

/** The types whose event has no payload, or may have none. */
type Bare<Events extends EventMap> = {
  [Type in TypeOf<Events>]: undefined extends Events[Type]
    ? Type
    : [Events[Type]] extends [never]
      ? Type
      : never;
}[TypeOf<Events>];

/** A method, and no function: a bus of more events than these may then stand for one of these. */
type EmitWithPayload<Events extends EventMap> = {
  emit<Type extends TypeOf<Events>>(type: Type, event: Events[Type]): void;
}['emit'];

/** A map without bare types has the plain form, which is the easier one to write for a bus of one's own. */
type Emit<Events extends EventMap> = [Bare<Events>] extends [never]
  ? EmitWithPayload<Events>
  : EmitWithPayload<Events> & (<Type extends Bare<Events>>(type: Type) => void);

/** Hears one type of event. It may be async: it is not waited for, and its rejection is reported as an error it throws. */
export type Listener<Event> = (event: Event) => void;

/** Hears every event, with its type: testing the type narrows the event. */
export type WildcardListener<Events extends EventMap> = (
  ...args: { [Type in TypeOf<Events>]: [type: Type, event: Events[Type]] }[TypeOf<Events>]
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
  on<Type extends TypeOf<Events>>(type: Type, listener: Listener<Events[Type]>): Unsubscribe;
  on(type: '*', listener: WildcardListener<Events>): Unsubscribe;
  on(type: '*', listener: (type: TypeOf<Events>) => void): Unsubscribe;
  /** Subscribes until the first event of that type. */
  once<Type extends TypeOf<Events>>(type: Type, listener: Listener<Events[Type]>): Unsubscribe;
  /** Removes every subscription of this listener to this type. */
  off<Type extends TypeOf<Events>>(type: Type, listener: Listener<Events[Type]>): void;
  off(type: '*', listener: WildcardListener<Events>): void;
  off(type: '*', listener: (type: TypeOf<Events>) => void): void;
  /**
   * Delivers to the listeners of the type in order of subscription, then to those of `'*'`. An
   * emit made inside a listener waits until the current event has reached all listeners, so that all
   * hear events in their true order. Never throws: see `onListenerError`. The second argument may be
   * left out for an event whose payload is, or may be, `undefined`, `void` or `never`.
   */
  readonly emit: Emit<Events>;
  /** Whether this type has a listener. Ask before building an event. */
  has(type: TypeOf<Events>): boolean;
}

/** The options of `createBus()`. One that is unknown or no function is refused with a TypeError that names it. */
export interface BusOptions {
  /**
   * Hears what a listener threw or rejected with. Default: written to the console, which is seen and
   * harms no other, as is what this function itself throws or rejects with.
   */
  readonly onListenerError?: ((error: unknown, type: string) => void) | undefined;
}

type AnyListener = (...args: unknown[]) => unknown;

/** What mitt holds for each subscription: two of one function are told apart by it. */
interface Subscription extends AnyListener {
  /** Gone once it is unsubscribed. */
  listener?: AnyListener | null;
}

function report(...error: unknown[]): void {
  // A console that throws, as in some test setups: there is nowhere left to tell.
  // oxlint-disable-next-line no-console -- an error that no caller sees must not be lost
  guard(console.error, error, () => {});
}

/** Calls it; what it throws or rejects with goes to `onError`. */
function guard(
  call: AnyListener | null | undefined,
  args: unknown[],
  onError: (error: unknown) => void,
) {
  try {
    (call?.(...args) as PromiseLike<unknown> | null | undefined)?.then?.(null, onError);
  } catch (error) {
    onError(error);
  }
}

/**
 * Makes a bus for any event map; `createBus<WhirlEvents>()` is the one the whirl packages share.
 *
 * Emitting without listeners allocates nothing.
 *
 * @throws {TypeError} On an option that is unknown or no function.
 */
export function createBus<Events extends EventMap = Record<string, unknown>>(
  options: BusOptions = {},
): Bus<Events> {
  const { onListenerError = report, ...unknown } = options;
  for (const name in unknown) {
    throw new TypeError(`unknown option "${name}"; known are onListenerError`);
  }
  checkFunction('onListenerError', onListenerError);
  const emitter = (mitt as CreateEmitter)();
  /** While an event is being delivered: what waits for it. */
  let queue: [type: string, event: unknown][] | null | undefined;

  const has = (type: string): boolean =>
    !!(emitter.all.get(type)?.length || emitter.all.get('*')?.length);

  const unsubscribe = (type: string, subscription: Subscription) => {
    subscription.listener = null;
    emitter.off(type, subscription);
  };

  const subscribe = (type: string, listener: AnyListener, once?: boolean): Unsubscribe => {
    checkFunction(`listener "${type}"`, listener);
    const subscription: Subscription = (...args) => {
      const current = subscription.listener;
      if (once) unsubscribe(type, subscription);
      guard(current, args, (error) =>
        // Under '*' the type is given, before the event.
        guard(onListenerError as AnyListener, [error, args.at(-2) ?? type], report),
      );
    };
    subscription.listener = listener;
    emitter.on(type, subscription);
    return () => unsubscribe(type, subscription);
  };

  return {
    has,
    on: subscribe,
    once: (type: string, listener: AnyListener) => subscribe(type, listener, true),
    off(type: string, listener: AnyListener) {
      const subscriptions = emitter.all.get(type) as Subscription[] | undefined;
      // Of a copy: it changes under the loop. `map`, as mitt has it, for the size.
      subscriptions?.slice().map((each) => each.listener === listener && unsubscribe(type, each));
    },
    emit(type: string, event: unknown) {
      // One made inside a listener waits its turn in the loop below.
      if (has(type) && !queue?.push([type, event])) {
        queue = [];
        // Nothing throws here: a subscription keeps its listener's error to itself.
        emitter.emit(type, event);
        for (const each of queue) emitter.emit(...each);
        queue = null;
      }
    },
  } as unknown as Bus<Events>;
}

function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') {
    throw new TypeError(`${name} must be a function, got ${typeof value}`);
  }
}
