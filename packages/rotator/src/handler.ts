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

/**
 * Gives a handler of undici 6's interface (that of the built-in fetch of Node 20 and 22) the one of
 * undici 7. Raw headers are passed flat, so that several set-cookie stay several.
 */
export function modern(handler: Dispatcher.DispatchHandler): Dispatcher.DispatchHandler {
  if (handler.onRequestStart !== undefined) return handler;
  const legacy = handler as unknown as LegacyHandler;
  return {
    onRequestStart(controller, context) {
      legacy.onConnect?.(
        (reason) => controller.abort(reason ?? new DOMException('aborted', 'AbortError')),
        context,
      );
    },
    onRequestUpgrade(controller: Controller, statusCode, _headers, socket) {
      legacy.onUpgrade?.(statusCode, controller.rawHeaders ?? [], socket);
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
