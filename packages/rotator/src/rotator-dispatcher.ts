import { Dispatcher } from 'undici';
import { modern } from './handler.ts';

type Run = (opts: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => void;

/** An undici dispatcher whose requests go through the pool. */
export class RotatorDispatcher extends Dispatcher {
  readonly #run: Run;
  readonly #close: () => Promise<void>;
  readonly #destroy: () => Promise<void>;

  constructor(run: Run, close: () => Promise<void>, destroy: () => Promise<void>) {
    super();
    this.#run = run;
    this.#close = close;
    this.#destroy = destroy;
  }

  /** Never throws for a bad request: the handler hears of it, so that every caller's promise rejects. */
  override dispatch(
    opts: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    if (typeof handler !== 'object' || handler === null) {
      throw new TypeError(`handler must be an object, got ${String(handler)}`);
    }
    const understood = modern(handler);
    try {
      this.#run(opts, understood);
    } catch (error) {
      understood.onResponseError?.(idle, error as Error);
    }
    return true;
  }

  override close(callback?: () => void): Promise<void> & void {
    return settle(this.#close(), callback);
  }

  override destroy(...args: unknown[]): Promise<void> & void {
    const last = args.at(-1);
    return settle(this.#destroy(), typeof last === 'function' ? (last as () => void) : undefined);
  }
}

/** undici's way: a promise, or a callback. */
function settle(ended: Promise<void>, callback: (() => void) | undefined): Promise<void> & void {
  if (callback === undefined) return ended as Promise<void> & void;
  void ended.then(callback, callback);
  return undefined as unknown as Promise<void> & void;
}

/** For a request that never began: there is nothing to pause or abort. */
const idle: Dispatcher.DispatchController = {
  paused: false,
  aborted: true,
  reason: null,
  rawHeaders: null,
  rawTrailers: null,
  pause() {},
  resume() {},
  abort() {},
} as unknown as Dispatcher.DispatchController;
