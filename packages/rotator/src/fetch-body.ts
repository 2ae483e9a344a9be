import type { Dispatcher } from 'undici';
import { flatHeaders, type HeadersGiven } from './headers.ts';
import type { BodyFunction } from './request-body.ts';
import { RotatorDispatcher, type DispatcherOwner } from './rotator-dispatcher.ts';

/** Has a source that fetch can read again, so that 307 and 308 are followed; its byte is never sent. */
const placeholder = new Uint8Array(1);

/**
 * Makes `fetch` take a function as its body, which it would otherwise send as a string. fetch gets a
 * placeholder, and each of its requests that has a body sends what the function gives instead. Changes `init`.
 */
export function takeBodyFunction(
  init: Record<string, unknown>,
  dispatcher: Dispatcher,
): Dispatcher {
  const make = init['body'] as BodyFunction;
  init['body'] = placeholder;
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
