import { ModernHandler, type RequestControls } from '../message/modern-handler.ts';
import {
  isRaw,
  type AnyHandler,
  type RawHandler,
  type RawHeaders,
  type UpgradeSocket,
} from '../message/undici-handler.ts';

/** What the caller may do to its request. */
export interface CallerRequests {
  abort(reason: Error): void;
  resume(): void;
}

/**
 * The caller's side of a request: its handler, which hears of one response however many attempts there are.
 * A hook that throws ends its own request and no other: the handler is told of the error that was thrown,
 * once, as undici's `Client` does. undici's retry interceptor depends on it: it throws when the response has
 * ended, and sends again when it hears of the error.
 */
export class Caller implements RequestControls {
  readonly #handler: RawHandler;
  readonly #asks: CallerRequests;
  #paused = false;
  #aborted = false;
  /** The handler was told of the first byte of the response. */
  #started = false;
  /** The handler was told of an error, and nothing is called after it. */
  #failed = false;

  constructor(handler: AnyHandler, asks: CallerRequests) {
    this.#handler = isRaw(handler) ? handler : new ModernHandler(handler, this);
    this.#asks = asks;
  }

  /** It has paused the response. */
  get paused(): boolean {
    return this.#paused;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#asks.resume();
  }

  abort(reason: Error): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#asks.abort(reason);
  }

  requestStart(): void {
    const abort = (reason?: Error) =>
      this.abort(reason ?? new DOMException('This operation was aborted', 'AbortError'));
    try {
      this.#handler.onConnect?.(abort, {});
    } catch (error) {
      this.#asks.abort(error as Error);
    }
  }

  responseStart(statusCode: number, headers: RawHeaders, statusText: string): void {
    try {
      if (!this.#started) {
        this.#started = true;
        this.#handler.onResponseStarted?.();
        // It may have aborted.
        if (this.#failed) return;
      }
      const resume = () => this.resume();
      const more = this.#handler.onHeaders?.(statusCode, headers, resume, statusText);
      if (more === false) this.pause();
    } catch (error) {
      this.#asks.abort(error as Error);
    }
  }

  data(chunk: Buffer): void {
    try {
      if (this.#handler.onData?.(chunk) === false) this.pause();
    } catch (error) {
      this.#asks.abort(error as Error);
    }
  }

  /** The request is over by now, so a hook that throws cannot abort it: the error is told here. */
  end(trailers: RawHeaders): void {
    try {
      this.#handler.onComplete?.(trailers);
    } catch (error) {
      this.error(error as Error);
    }
  }

  /** A handler that throws, or that has no hook for an upgrade, does not get the socket. */
  upgrade(statusCode: number, headers: RawHeaders, socket: UpgradeSocket): void {
    try {
      if (this.#handler.onUpgrade === undefined) {
        throw new TypeError('handler.onUpgrade must be a function');
      }
      this.#handler.onUpgrade(statusCode, headers, socket);
    } catch (error) {
      socket.on('error', () => {}).destroy();
      this.error(error as Error);
    }
  }

  error(error: Error): void {
    if (this.#failed) return;
    this.#failed = true;
    try {
      this.#handler.onError?.(error);
    } catch {
      // The handler was told, and there is no other hook to tell that it failed.
    }
  }
}
