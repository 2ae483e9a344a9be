import type { Dispatcher } from 'undici';
// By its file: Bun puts a stub of its own in the place of 'undici'.
import { util } from 'undici/index.js';

/** Names and values by turns, as they came. */
export type RawHeaders = Buffer[];

/** As handlers in undici 7's documented interface get them: lower-case names. */
export type Headers = Record<string, string | string[]>;

/** The connection that a request was upgraded to. */
export type UpgradeSocket = Parameters<
  NonNullable<Dispatcher.DispatchHandler['onRequestUpgrade']>
>[3];

/**
 * The interface in which undici 7's client calls a handler, and in which `undici.request` and both fetches
 * hand theirs in. It shows raw headers, which need no parsing to be passed on. Returning false pauses.
 */
export interface RawHandler {
  onConnect?(abort: (reason?: Error) => void, context?: unknown): void;
  onUpgrade?(statusCode: number, headers: RawHeaders, socket: UpgradeSocket): void;
  onResponseStarted?(): void;
  onHeaders?(
    statusCode: number,
    headers: RawHeaders,
    resume: () => void,
    statusText: string,
  ): boolean | void;
  onData?(chunk: Buffer): boolean | void;
  onComplete?(trailers: RawHeaders): void;
  onError?(error: Error): void;
}

/** One in either interface. */
export type AnyHandler = RawHandler | Dispatcher.DispatchHandler;

/** A controller that shows the raw headers, as undici 7's own does. */
export interface Controller extends Dispatcher.DispatchController {
  rawHeaders?: RawHeaders | null;
  rawTrailers?: RawHeaders | null;
}

export function parsedHeaders(raw: RawHeaders): Headers {
  return util.parseHeaders(raw) as Headers;
}

/** Which of the two interfaces it has. Throws a TypeError for one that could not be told of an error. */
export function isRaw(handler: AnyHandler): handler is RawHandler {
  const hooks = handler as Dispatcher.DispatchHandler;
  if (hooks.onRequestStart === undefined && typeof hooks.onError === 'function') return true;
  if (typeof hooks.onResponseError === 'function') return false;
  throw new TypeError('handler.onResponseError must be a function');
}

/** Passes the error to a handler whose request never began. */
export function refuse(handler: AnyHandler, error: Error): void {
  if (isRaw(handler)) handler.onError?.(error);
  else handler.onResponseError?.(nothing, error);
}

/** There is nothing to pause or abort. */
const nothing = {
  paused: false,
  aborted: true,
  reason: null,
  rawHeaders: null,
  rawTrailers: null,
  pause() {},
  resume() {},
  abort() {},
} as unknown as Dispatcher.DispatchController;
