import type { Dispatcher } from 'undici';
import type { Controller, UpgradeSocket } from './handler.ts';

type Headers = Record<string, string | string[]>;

/** What the caller may ask for through its controller; a handler that throws aborts. */
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
 * attempts. A handler that throws ends its own request, and nobody else's.
 */
export class Caller {
  readonly controller: Controller;
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #asks: CallerRequests;

  constructor(handler: Dispatcher.DispatchHandler, asks: CallerRequests) {
    this.#handler = handler;
    this.#asks = asks;
    this.controller = new CallerController(asks);
  }

  get paused(): boolean {
    return this.controller.paused;
  }

  requestStart(): void {
    this.#guard(() => this.#handler.onRequestStart?.(this.controller, {}));
  }

  responseStart(
    upstream: Controller,
    statusCode: number,
    headers: Headers,
    statusMessage: string | undefined,
  ): void {
    this.controller.rawHeaders = upstream.rawHeaders ?? null;
    this.#guard(() =>
      this.#handler.onResponseStart?.(this.controller, statusCode, headers, statusMessage),
    );
  }

  data(chunk: Buffer): void {
    this.#guard(() => this.#handler.onResponseData?.(this.controller, chunk));
  }

  end(upstream: Controller, trailers: Headers): void {
    this.controller.rawTrailers = upstream.rawTrailers ?? null;
    this.#guard(() => this.#handler.onResponseEnd?.(this.controller, trailers));
  }

  upgrade(upstream: Controller, statusCode: number, headers: Headers, socket: UpgradeSocket): void {
    this.controller.rawHeaders = upstream.rawHeaders ?? null;
    this.#guard(() =>
      this.#handler.onRequestUpgrade?.(this.controller, statusCode, headers, socket),
    );
  }

  error(error: Error): void {
    this.#guard(() => this.#handler.onResponseError?.(this.controller, error));
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#asks.abort(error as Error);
    }
  }
}
