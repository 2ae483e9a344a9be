import type { Dispatcher } from 'undici';
import { bodyOf, noBody, type Body, type Upload } from '../message/replayable-body.ts';
import type { TakeOptions } from '../connection/connection-pool-options.ts';
import type { ConnectionPool } from '../connection/connection-pool.ts';
import { contentLengthOf } from '../message/content-length.ts';
import { InvalidRequestError } from '../errors.ts';
import { flatHeaders, hasHeader, type HeadersGiven } from '../message/headers.ts';
import { methodOf } from '../message/method.ts';
import type { Lease } from '../connection/lease.ts';
import type { RetryPolicy } from '../policy/retry-policy.ts';
import type { Proxy } from '../proxy/proxy.ts';
import { headersFor } from '../proxy/proxy-headers.ts';
import { callKey } from './request-options.ts';
import { repeatable } from '../policy/retry-plan.ts';

/** A request, understood once and sent by each attempt. */
export class OutgoingRequest {
  readonly method: string;
  /** As `URL.origin` has it: an URL would work it out again each time. */
  readonly origin: string;
  /** It may be sent twice: by its method, its policy or its Idempotency-Key. */
  readonly repeatable: boolean;
  readonly body: Body;
  /** From the policy, or from undici's own option `bodyTimeout`; 0: no bound. */
  readonly bodyTimeoutMs: number;
  readonly #url: URL;
  /** Options of undici's that are passed on; a verb gives none. */
  readonly #more: Dispatcher.DispatchOptions | undefined;
  readonly #upgrade: boolean;
  readonly #bodyTimeout: number | null | undefined;
  readonly #headers: readonly string[];
  readonly #path: string;
  readonly #hasHost: boolean;
  readonly #hasLength: boolean;

  /** Throws `InvalidRequestError` for what could never be sent. */
  constructor(opts: Dispatcher.DispatchOptions, policy: RetryPolicy) {
    const verb = callKey in opts;
    this.#more = verb ? undefined : opts;
    this.#upgrade = Boolean(opts.upgrade);
    // Timed here: undici's own timers are coarse, and framing without content is progress to them.
    this.#bodyTimeout = isTimeout(opts.bodyTimeout) ? 0 : opts.bodyTimeout;
    this.method = methodOf(opts.method);
    this.#url = originOf(opts, verb);
    this.origin = originIn(this.#url);
    if (typeof opts.path !== 'string' || !isPath(opts.path)) {
      throw new InvalidRequestError('the path must begin with a slash');
    }
    if (opts.path === '*' && this.method !== 'OPTIONS') {
      throw new InvalidRequestError('the path "*" goes with the method OPTIONS alone');
    }
    // An absolute URL with nothing behind its authority is how a client says "*" (RFC 9112, 3.2.4).
    if (opts.path === '*') this.#path = this.origin;
    else this.#path = opts.path.startsWith('?') ? `/${opts.path}` : opts.path;
    this.bodyTimeoutMs = isTimeout(opts.bodyTimeout) ? opts.bodyTimeout : policy.bodyTimeoutMs;
    this.#headers = flatHeaders(opts.headers as HeadersGiven);
    this.#hasHost = hasHeader(this.#headers, 'host');
    this.repeatable = repeatable(policy, this.method, hasHeader(this.#headers, 'idempotency-key'));
    const given: unknown = opts.body;
    const hasBody = given !== undefined && given !== null;
    const expected = contentLengthOf(this.#headers, this.method, hasBody);
    this.#hasLength = expected !== undefined;
    this.body = hasBody ? bodyOf(given, { record: this.repeatable, expected }) : noBody;
  }

  /** Whether two attempts may send it at the same time. */
  get shareable(): boolean {
    return this.repeatable && this.body.shareable;
  }

  /** Whether it may go out once more after a connection was lost; `sent`: some of it was sent. */
  repeats(sent: boolean): boolean {
    return this.body.replayable && (!sent || this.repeatable);
  }

  /** A claim on a connection for one attempt. */
  lease(
    connectionPool: ConnectionPool,
    proxy: Proxy,
    options: Pick<TakeOptions, 'connectTimeoutMs' | 'session' | 'origin'>,
  ): Lease {
    const { connectTimeoutMs, session, origin } = options;
    return connectionPool.take(proxy, this.#url, {
      connectTimeoutMs,
      // Proxies forward an upgrade in absolute form seldom, and through a tunnel always.
      tunnel: this.#upgrade ? 'always' : undefined,
      session,
      origin,
      once: !this.shareable,
    });
  }

  /** The request's own, in an array of its own. In absolute form the host is not known from the connection. */
  #headersTo(absoluteForm: boolean): string[] {
    const given = this.#headers;
    if (!absoluteForm || this.#hasHost) return [...given];
    const { host } = this.#url;
    return given.length === 0 ? ['host', host] : [...given, 'host', host];
  }

  /** What undici is told for one attempt through this connection. */
  through(
    { absoluteForm, proxyHeaders }: Lease,
    proxy: Proxy,
    upload: Upload = noBody,
  ): Dispatcher.DispatchOptions {
    let headers = this.#headersTo(absoluteForm);
    const { payload, length, contentType } = upload;
    if (contentType !== undefined && !hasHeader(headers, 'content-type')) {
      headers.push('content-type', contentType);
    }
    if (payload !== null && length !== undefined && !this.#hasLength) {
      headers.push('content-length', String(length));
    }
    const path = this.#path;
    if (absoluteForm) {
      const own = headersFor(proxy, proxyHeaders);
      if (proxyHeaders !== undefined || proxy.proxyHeaders !== undefined)
        headers = withoutNames(headers, own);
      if (own.length > 0) headers.push(...own);
    }
    const options = {
      method: this.method,
      origin: absoluteForm ? undefined : this.origin,
      path: absoluteForm && path.startsWith('/') ? this.origin + path : path,
      headers,
      bodyTimeout: this.#bodyTimeout,
      body: payload as Dispatcher.DispatchOptions['body'],
    };
    return (
      this.#more === undefined ? options : { ...this.#more, ...options }
    ) as Dispatcher.DispatchOptions;
  }
}

/** In origin form, or a query alone, or the asterisk. Without a regular expression, which each request would run. */
function isPath(given: string): boolean {
  return given[0] === '/' || given[0] === '?' || given === '*';
}

/** A header for the proxy stands in the place of the request's own of that name. */
function withoutNames(headers: readonly string[], names: readonly string[]): string[] {
  return headers.filter(
    (_, i) => !hasHeader(names, (headers[i - (i % 2)] as string).toLowerCase()),
  );
}

/** Passes on a value that is no duration: undici refuses it. */
function isTimeout(given: unknown): given is number {
  return typeof given === 'number' && given >= 0;
}

/** `own`: a URL is that of a verb, which has parsed it, knows that it is http: or https:, and keeps it. */
function originOf({ origin: given }: Dispatcher.DispatchOptions, own: boolean): URL {
  if (typeof given === 'string' && given === parsed?.origin) return parsed.url;
  const checked = own && given instanceof URL;
  let origin: URL;
  try {
    origin = checked ? given : new URL(String(given));
  } catch {
    throw new InvalidRequestError('the origin must be an absolute URL');
  }
  if (origin.port === '0') throw new InvalidRequestError('the port must be 1 to 65535, got 0');
  if (checked) return origin;
  if (origin.protocol !== 'http:' && origin.protocol !== 'https:') {
    throw new InvalidRequestError(`the URL must be http: or https:, got "${origin.protocol}"`);
  }
  if (given === origin.origin) parsed = { origin: given, url: origin };
  return origin;
}

/** The origin that a dispatcher was asked for last, as `undici.request` gives it: parsing it takes half a microsecond. */
let parsed: { readonly origin: string; readonly url: URL } | undefined;

/** `URL.origin`, which is put together each time; that of the last request is one string, known by its pointer. */
function originIn(url: URL): string {
  const { href } = url;
  if (!href.startsWith(lastOrigin) || href[lastOrigin.length] !== '/') lastOrigin = url.origin;
  return lastOrigin;
}

let lastOrigin = '';
