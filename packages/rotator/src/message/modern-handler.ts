import type { Dispatcher } from 'undici';
import {
  parsedHeaders,
  type Controller,
  type RawHandler,
  type RawHeaders,
  type UpgradeSocket,
} from './undici-handler.ts';

/** undici 7's documented handler. `onResponseStarted` is not in its types; fetch sets `responseStart` by it. */
interface Handler extends Dispatcher.DispatchHandler {
  onResponseStarted?(): void;
}

/** What a handler may do to its request through its controller. */
export interface RequestControls {
  abort(reason: Error): void;
  pause(): void;
  resume(): void;
}

/** A handler in undici 7's documented interface under the raw one, and the controller that it is given. */
export class ModernHandler implements RawHandler, Controller {
  rawHeaders: RawHeaders | null = null;
  rawTrailers: RawHeaders | null = null;
  readonly #handler: Handler;
  readonly #request: RequestControls;
  #paused = false;
  #reason: Error | null = null;

  constructor(handler: Dispatcher.DispatchHandler, request: RequestControls) {
    this.#handler = handler;
    this.#request = request;
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
    this.#request.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#request.resume();
  }

  abort(why: Error): void {
    if (this.#reason !== null) return;
    this.#reason = why ?? new DOMException('This operation was aborted', 'AbortError');
    this.#request.abort(this.#reason);
  }

  onConnect(): void {
    this.#handler.onRequestStart?.(this, {});
  }

  onUpgrade(statusCode: number, headers: RawHeaders, socket: UpgradeSocket): void {
    this.rawHeaders = headers;
    if (this.#handler.onRequestUpgrade === undefined) throw new TypeError(noUpgradeHook);
    this.#handler.onRequestUpgrade(this, statusCode, parsedHeaders(headers), socket);
  }

  onResponseStarted(): void {
    this.#handler.onResponseStarted?.();
  }

  onHeaders(statusCode: number, headers: RawHeaders, _resume: unknown, statusText: string): void {
    this.rawHeaders = headers;
    this.#handler.onResponseStart?.(this, statusCode, parsedHeaders(headers), statusText);
  }

  onData(chunk: Buffer): void {
    this.#handler.onResponseData?.(this, chunk);
  }

  onComplete(trailers: RawHeaders): void {
    this.rawTrailers = trailers;
    this.#handler.onResponseEnd?.(this, parsedHeaders(trailers));
  }

  onError(error: Error): void {
    this.#handler.onResponseError?.(this, error);
  }
}

const noUpgradeHook = 'the connection was upgraded, but the handler has no onRequestUpgrade';
