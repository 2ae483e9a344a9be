import type { Dispatcher } from 'undici';

type RawHeaders = Buffer[];

interface LegacyHandler {
  onConnect?(abort: (reason?: Error) => void, context?: unknown): void;
  onHeaders?(
    statusCode: number,
    headers: RawHeaders,
    resume: () => void,
    statusText: string,
  ): boolean;
  onResponseStarted?(): void;
  onData?(chunk: Buffer): boolean;
  onComplete?(trailers: RawHeaders | null): void;
  onUpgrade?(statusCode: number, headers: RawHeaders | null, socket: unknown): void;
  onError?(error: Error): void;
}

/** The connection that a request was upgraded to. */
export type UpgradeSocket = Parameters<
  NonNullable<Dispatcher.DispatchHandler['onRequestUpgrade']>
>[3];

/** A controller that shows the raw headers, as undici 7's own does. */
export interface Controller extends Dispatcher.DispatchController {
  rawHeaders?: RawHeaders | null;
  rawTrailers?: RawHeaders | null;
}

/** undici 7's handler. `onResponseStarted` is not in its types; fetch sets `responseStart` by it. */
export interface Handler extends Dispatcher.DispatchHandler {
  onResponseStarted?(): void;
}

/**
 * A handler in undici 7's interface. One in undici 6's (that of the built-in fetch of Node 20 and 22)
 * is adapted, with raw headers passed flat, so that several set-cookie stay several. Throws a TypeError
 * for one that could not be told of an error.
 */
export function modern(handler: Dispatcher.DispatchHandler): Handler {
  const legacy = handler as unknown as LegacyHandler;
  const old = handler.onRequestStart === undefined && typeof legacy.onError === 'function';
  if (!old) {
    if (typeof handler.onResponseError === 'function') return handler;
    throw new TypeError('handler.onResponseError must be a function');
  }
  return {
    onRequestStart(controller, context) {
      legacy.onConnect?.(
        (reason) => controller.abort(reason ?? new DOMException('aborted', 'AbortError')),
        context,
      );
    },
    onRequestUpgrade(controller: Controller, statusCode, _headers, socket) {
      if (legacy.onUpgrade === undefined)
        throw new TypeError('handler.onUpgrade must be a function');
      legacy.onUpgrade(statusCode, controller.rawHeaders ?? [], socket);
    },
    onResponseStarted() {
      legacy.onResponseStarted?.();
    },
    onResponseStart(controller: Controller, statusCode, _headers, statusMessage) {
      const more = legacy.onHeaders?.(
        statusCode,
        controller.rawHeaders ?? [],
        () => controller.resume(),
        statusMessage ?? '',
      );
      if (more === false) controller.pause();
    },
    onResponseData(controller, chunk) {
      if (legacy.onData?.(chunk) === false) controller.pause();
    },
    onResponseEnd(controller: Controller) {
      legacy.onComplete?.(controller.rawTrailers ?? []);
    },
    onResponseError(_controller, error) {
      legacy.onError?.(error);
    },
  };
}
