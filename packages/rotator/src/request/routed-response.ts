import type { Dispatcher } from 'undici';
import type { AttemptRecord } from '../attempt-record.ts';
import type { Progress } from './request-options.ts';

/** undici's response, with the way that it took. */
export class RoutedResponse implements Dispatcher.ResponseData {
  readonly statusCode: number;
  readonly statusText: string;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: Dispatcher.ResponseData['body'];
  readonly trailers: Dispatcher.ResponseData['trailers'];
  readonly opaque: Dispatcher.ResponseData['opaque'];
  readonly context: object;
  readonly proxyId: string;
  declare attempts: readonly AttemptRecord[];
  /** Until the request has ended. */
  #progress: Progress | undefined;

  /** Without its attempts: see `showAttempts`. */
  constructor(response: Dispatcher.ResponseData, progress: Progress) {
    this.statusCode = response.statusCode;
    this.statusText = response.statusText;
    this.headers = response.headers;
    this.body = response.body;
    this.trailers = response.trailers;
    this.opaque = response.opaque;
    this.context = response.context;
    this.proxyId = progress.respondedBy as string;
    this.#progress = progress;
  }

  /**
   * Adds its attempts. Those of a request that has ended are a plain property: they do not change any more, and an
   * accessor costs as much as all else that is done here.
   */
  static showAttempts(response: RoutedResponse): void {
    const progress = response.#progress;
    if (progress?.ended === true) {
      response.#progress = undefined;
      response.attempts = progress.attempts;
    } else Object.defineProperty(response, 'attempts', RoutedResponse.#attempts);
  }

  /** Of each response itself, so that `{ ...response }` has them. One for all: an accessor is a hidden class. */
  static readonly #attempts: PropertyDescriptor = {
    enumerable: true,
    configurable: true,
    get(this: RoutedResponse) {
      return this.#progress?.attempts;
    },
  };
}
