import type { Dispatcher } from 'undici';
import type { Controller, Handler, UpgradeSocket } from './undici-handler.ts';

type Headers = Record<string, string | string[]>;

/** What the caller may ask for through its controller. */
export interface CallerRequests {
  abort(reason: Error): void;
  pause(): void;
  resume(): void;
}

/**
 * What the caller's handler controls its request with, over all attempts. A class, because an object
 * literal with accessors gets a hidden class of its own each time: 3 KB a request.
 */
class CallerController implements Controller {
  rawHeaders: Buffer[] | null = null;
  rawTrailers: Buffer[] | null = null;
  readonly #asks: CallerRequests;
  #paused = false;
  #reason: Error | null = null;

  constructor(asks: CallerRequests) {
    this.#asks = asks;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get aborted(): boolean {
    return this.#reason !== null;
  }

  get reason(): Error | null {
    return this.#reason;
  }

  pause(): void {
    this.#paused = true;
    this.#asks.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#asks.resume();
  }

  abort(why: Error): void {
    if (this.#reason !== null) return;
    this.#reason = why ?? new DOMException('This operation was aborted', 'AbortError');
    this.#asks.abort(this.#reason);
  }
}

/**
 * The caller's side of a request: its handler behind one controller that stays the same over all
 * attempts. A hook that throws ends its own request and no other: the handler's `onResponseError` is
 * called with what was thrown, once, as undici's `Client` does. undici's retry interceptor depends on
 * it: it throws in `onResponseEnd` and sends again from `onResponseError`.
 */
export class Caller {
  readonly controller: Controller;
  readonly #handler: Handler;
  readonly #asks: CallerRequests;
  /** `onResponseStarted` was called: it marks the first byte of the response. */
  #started = false;
  /** `onResponseError` was called, and nothing is called after it. */
  #failed = false;

  constructor(handler: Dispatcher.DispatchHandler, asks: CallerRequests) {
    this.#handler = handler;
    this.#asks = asks;
    this.controller = new CallerController(asks);
  }

  get paused(): boolean {
    return this.controller.paused;
  }

  requestStart(): void {
    try {
      this.#handler.onRequestStart?.(this.controller, {});
    } catch (error) {
      this.#asks.abort(error as Error);
    }
  }

  responseStart(
    upstream: Controller,
    statusCode: number,
    headers: Headers,
    statusMessage: string | undefined,
  ): void {
    this.controller.rawHeaders = upstream.rawHeaders ?? null;
    try {
      if (!this.#started) {
        this.#started = true;
        this.#handler.onResponseStarted?.();
        // It may have aborted.
        if (this.#failed) return;
      }
      this.#handler.onResponseStart?.(this.controller, statusCode, headers, statusMessage);
    } catch (error) {
      this.#asks.abort(error as Error);
    }
  }

  data(chunk: Buffer): void {
    try {
      this.#handler.onResponseData?.(this.controller, chunk);
    } catch (error) {
      this.#asks.abort(error as Error);
    }
  }

  /** The request is over by now, so a hook that throws cannot abort it: the error is told here. */
  end(upstream: Controller, trailers: Headers): void {
    this.controller.rawTrailers = upstream.rawTrailers ?? null;
    try {
      this.#handler.onResponseEnd?.(this.controller, trailers);
    } catch (error) {
      this.error(error as Error);
    }
  }

  /** A handler that throws, or that has no hook for an upgrade, does not get the socket. */
  upgrade(upstream: Controller, statusCode: number, headers: Headers, socket: UpgradeSocket): void {
    this.controller.rawHeaders = upstream.rawHeaders ?? null;
    try {
      if (this.#handler.onRequestUpgrade === undefined) throw new TypeError(noUpgradeHook);
      this.#handler.onRequestUpgrade(this.controller, statusCode, headers, socket);
    } catch (error) {
      socket.on('error', () => {}).destroy();
      this.error(error as Error);
    }
  }

  error(error: Error): void {
    if (this.#failed) return;
    this.#failed = true;
    try {
      this.#handler.onResponseError?.(this.controller, error);
    } catch {
      // The handler was told, and there is no other hook to tell that it failed.
    }
  }
}

const noUpgradeHook = 'the connection was upgraded, but the handler has no onRequestUpgrade';
