import { constants } from 'node:buffer';
// By its file: Bun puts a stub of its own in the place of 'undici'.
import { Dispatcher } from 'undici/index.js';
import { isRaw, refuse } from './message/undici-handler.ts';
import { check, checkOptions, integer, object } from '@whirl/check';

type Run = (opts: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => void;
type Callback = (error: Error | null, nothing: null) => void;

/** Limits that undici's `WebSocket` takes from the dispatcher that it is given. */
export interface WebSocketLimits {
  /** Fragments of one message. An integer ≥ 0, 0: no limit. Default 131,072. */
  readonly maxFragments?: number | undefined;
  /** Bytes of one message, decompressed. An integer ≥ 0, 0: no limit. Default 128 MiB. */
  readonly maxPayloadSize?: number | undefined;
}

/** A limit that undici's `EventSource` takes from the dispatcher that it is given. */
export interface EventSourceLimits {
  /** Bytes of one event. An integer ≥ 1; default: the longest string of the platform. */
  readonly maxEventSize?: number | undefined;
}

const limitKinds = {
  webSocket: { maxFragments: integer(0), maxPayloadSize: integer(0) },
  eventSource: { maxEventSize: integer(1) },
};

/** Refuses limits that undici would ignore or take for others, with a TypeError or RangeError. */
export function checkLimits(name: 'webSocket' | 'eventSource', limits: object | undefined): void {
  if (limits !== undefined) checkOptions(name, limits, limitKinds[name]);
}

/** What a dispatcher tells of itself, and how it ends. */
export interface DispatcherOwner {
  readonly closed: boolean;
  readonly destroyed: boolean;
  readonly webSocket: WebSocketLimits;
  readonly eventSource: EventSourceLimits;
  close(): Promise<void>;
  destroy(): Promise<void>;
}

/** An undici dispatcher whose requests go through the pool. */
export class RotatorDispatcher extends Dispatcher {
  readonly #run: Run;
  readonly #owner: DispatcherOwner;

  constructor(run: Run, owner: DispatcherOwner) {
    super();
    this.#run = run;
    this.#owner = owner;
    // `compose()` wraps the dispatcher in a Proxy, which has no private fields.
    this.close = this.close.bind(this);
    this.destroy = this.destroy.bind(this);
  }

  get closed(): boolean {
    return this.#owner.closed;
  }

  get destroyed(): boolean {
    return this.#owner.destroyed;
  }

  /** Read by undici's `WebSocket` and `WebSocketStream` when a connection opens. */
  get webSocketOptions(): Required<WebSocketLimits> {
    const { maxFragments = 131_072, maxPayloadSize = 134_217_728 } = this.#owner.webSocket;
    return { maxFragments, maxPayloadSize };
  }

  /** Read by undici's `EventSource`. */
  get eventSourceOptions(): Required<EventSourceLimits> {
    return { maxEventSize: this.#owner.eventSource.maxEventSize ?? constants.MAX_STRING_LENGTH };
  }

  /**
   * Never throws for a bad request: the handler is told, so that the promise of every caller rejects.
   * Throws a TypeError for a handler that cannot be told.
   */
  override dispatch(
    opts: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    check('handler', handler, object);
    isRaw(handler);
    try {
      this.#run(opts, handler);
    } catch (error) {
      refuse(handler, error as Error);
    }
    return true;
  }

  override close(callback?: Callback): Promise<void> & void {
    return settle(this.#owner.close(), callback);
  }

  override destroy(...args: unknown[]): Promise<void> & void {
    const last = args.at(-1);
    return settle(
      this.#owner.destroy(),
      typeof last === 'function' ? (last as Callback) : undefined,
    );
  }
}

/** Ends as undici's dispatchers do: with a promise, or with a callback. */
function settle(ended: Promise<void>, callback: Callback | undefined): Promise<void> & void {
  if (callback === undefined) return ended as Promise<void> & void;
  void ended.then(
    () => callback(null, null),
    (error: Error) => callback(error, null),
  );
  return undefined as unknown as Promise<void> & void;
}
