import type { Dispatcher } from 'undici';
import { InvalidRequestError } from './errors.ts';
import { ignoresDispatcher } from './fetch.ts';
import { flatHeaders, type HeadersGiven } from './message/headers.ts';
import type { BodyFunction } from './message/encode-body.ts';
import { RotatorDispatcher, type DispatcherOwner } from './rotator-dispatcher.ts';

/**
 * What fetch gets in the place of a body function. A Blob has a source that fetch can read again, so that 307
 * and 308 are followed. Its one byte must never be sent: whatever reads it gets an error.
 */
class Placeholder extends Blob {
  readonly make: BodyFunction;

  constructor(make: BodyFunction) {
    super([new Uint8Array(1)]);
    this.make = make;
  }

  override stream(): ReturnType<Blob['stream']> {
    const pull = (): never => {
      throw unsent();
    };
    return new ReadableStream({ pull }, { highWaterMark: 0 });
  }

  override arrayBuffer(): Promise<ArrayBuffer> {
    return Promise.reject(unsent());
  }

  override bytes(): Promise<never> {
    return Promise.reject(unsent());
  }

  override text(): Promise<string> {
    return Promise.reject(unsent());
  }

  override slice(): this {
    return this;
  }
}

function unsent(): InvalidRequestError {
  return new InvalidRequestError(
    'body: a function can be sent only by a fetch that asks the dispatcher it was given with',
  );
}

/** The function that is given as fetch's body, itself or in the options that `takeBodyFunction` has changed. */
export function bodyFunctionIn({ body }: { readonly body?: unknown }): BodyFunction | undefined {
  if (body instanceof Placeholder) return body.make;
  return typeof body === 'function' ? (body as BodyFunction) : undefined;
}

/** Throws `InvalidRequestError` where the platform's own fetch would send the placeholder, unread. */
export function checkBodyFunction(): void {
  if (ignoresDispatcher) {
    throw new InvalidRequestError(
      'body: the fetch of this platform ignores dispatchers and can send no function; rotator.fetch can',
    );
  }
}

/**
 * Makes `fetch` take a function as its body, which it would otherwise send as a string. fetch gets a
 * placeholder, and each of its requests that has a body sends what the function gives instead. Changes `init`.
 */
export function takeBodyFunction(
  init: Record<string, unknown>,
  make: BodyFunction,
  dispatcher: Dispatcher,
): Dispatcher {
  init['body'] = new Placeholder(make);
  const owner: DispatcherOwner = {
    // fetch asks for neither.
    closed: false,
    destroyed: false,
    webSocket: {},
    eventSource: {},
    close: () => dispatcher.close(),
    destroy: () => dispatcher.destroy(),
  };
  return new RotatorDispatcher((opts, handler) => {
    const { body } = opts;
    const sent =
      body === undefined || body === null
        ? opts
        : { ...opts, headers: withoutPlaceholder(opts.headers as HeadersGiven), body: make };
    dispatcher.dispatch(sent as Dispatcher.DispatchOptions, handler);
  }, owner);
}

/** fetch counts the placeholder: "1", or "300, 1" after the caller's own content-length. */
function withoutPlaceholder(given: HeadersGiven): string[] {
  const kept: string[] = [];
  const flat = flatHeaders(given);
  for (let i = 0; i < flat.length; i += 2) {
    const [name = '', value = ''] = [flat[i], flat[i + 1]];
    if (name.toLowerCase() !== 'content-length') kept.push(name, value);
    else if (value.includes(',')) kept.push(name, value.split(',')[0]?.trim() ?? '');
  }
  return kept;
}
