import type { Dispatcher } from 'undici';
import { isNodeStream } from './message/body-source.ts';
import type { AttemptRecord } from './attempt-record.ts';
import { InvalidRequestError } from './errors.ts';
import { bodyFunctionIn, checkBodyFunction, takeBodyFunction } from './fetch-body.ts';
import { checkFetchOptions } from './fetch-options.ts';
import { fetchThrough } from './fetch.ts';
import { redact } from './redact.ts';
import type { BodyFunction, RequestBody } from './message/encode-body.ts';
import { methodOf } from './message/method.ts';
import {
  callKey,
  routingOptionNames,
  type RoutingOptions,
  type Progress,
  type RequestContext,
  type VerbCall,
} from './request/request-options.ts';
import { RoutedResponse } from './request/routed-response.ts';
import { shown } from '@whirl/check';
import {
  forwardPlanOf,
  planOf,
  routingOf,
  type ConnectOptions,
  type ForwardOptions,
  type TunnelPlan,
} from './request/connect-options.ts';
import type { ForwardedTunnel, ForwardListener } from './request/forwarded-tunnel.ts';
import type { Tunnel, TunnelStream } from './request/tunnel.ts';
import {
  SecureTunnelAgent,
  splitAgentsOptions,
  TunnelAgent,
  type Agents,
  type AgentsOptions,
  type TunnelSource,
} from './agents.ts';

/** What a verb takes beside the URL. */
export interface RequestOptions extends RoutingOptions {
  /** Default `GET`; the verbs set it themselves. */
  readonly method?: string | undefined;
  /** In any form that undici or fetch takes. Default: none. */
  readonly headers?: Dispatcher.RequestOptions['headers'] | Headers | undefined;
  /** What can be sent again, and how large it may be, differs by kind: see `RequestBody`. Default: none. */
  readonly body?: RequestBody | undefined;
  /** Aborts the request, its delays and its body. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** `fetch`'s own options, and what is asked of the pool. */
export type FetchOptions = Omit<RequestInit, 'body'> &
  RoutingOptions & {
    /** Beside fetch's own kinds a function that returns a fresh body for each attempt. */
    readonly body?: RequestInit['body'] | BodyFunction;
  };

/** undici's response, with the way it took. */
export type RotatorResponse = Dispatcher.ResponseData & {
  /** One record for each attempt; that of the response is provisional until its body has ended. */
  readonly attempts: readonly AttemptRecord[];
  /** The proxy that the response came through. */
  readonly proxyId: string;
};

/** Sends one request; see `RotatorView.request`. */
export type Verb = (url: string | URL, options?: RequestOptions) => Promise<RotatorResponse>;

/** The rotator with defaults of its own: the same verbs, its own dispatcher. */
export interface RotatorView {
  /** For `undici.request`, `setGlobalDispatcher`, `WebSocket`; for fetch see `fetchOptions`. */
  readonly dispatcher: Dispatcher;
  /**
   * Sends a request and resolves at the headers of the response, as `undici.request` does: redirects
   * are not followed and bodies not decoded. Read or `dump()` the body, or its connection is held.
   */
  request(url: string | URL, options?: RequestOptions): Promise<RotatorResponse>;
  /**
   * `fetch` through the pool: the global one where it asks the dispatcher, else (under Bun and Deno, or
   * where it was replaced) undici's, with the global `Response` either way. Never past the pool. Each
   * redirect is a request of its own. It rejects with fetch's `TypeError`, whose `cause` is the error of this
   * package. Pool options in other letters, and policy fields outside of `retryPolicy`, are refused as
   * the verbs refuse them.
   */
  fetch(url: string | URL | Request, init?: FetchOptions): Promise<Response>;
  /**
   * Options for a fetch that is not ours: `fetch(url, rotator.fetchOptions({ method: 'POST', body }))`.
   * Typed as the global `RequestInit`, whichever types declare it, so that no cast is needed. Only a fetch that
   * asks its `dispatcher` goes through the pool: Node's does, Bun's and Deno's do not.
   */
  fetchOptions(init?: FetchOptions): RequestInit;
  /**
   * Opens a tunnel to a host and port through the pool, for what does not speak through a dispatcher: a protocol of
   * its own, a client that wants a socket, a forwarder. It resolves when a proxy has opened the way (and, with
   * `secure`, TLS with the target stands), after failovers like a request's, and rejects with the same errors.
   */
  connect(options: ConnectOptions): Promise<Tunnel>;
  /**
   * `connect()` for a forwarder, which has sockets of its own: it hears of the tunnel by calls, and gets the
   * connection itself at the first byte of the target. No promise, no signal and no stream is made. Throws as
   * `connect()` rejects before a proxy was asked.
   */
  forward(to: ForwardOptions, routing: RoutingOptions, listener: ForwardListener): ForwardedTunnel;
  /**
   * Agents for clients that take an `http.Agent`: got, axios, ws, the AWS SDK, node:https. A connection is opened as
   * `connect()` opens it, so that dead proxies are not seen. One connection is one proxy: what is sent on it is not
   * repeated, and statuses are not looked at.
   */
  agents(options?: AgentsOptions): Agents;
  /** A view with these defaults, over those of this one. */
  with(options: RoutingOptions): RotatorView;
  readonly get: Verb;
  readonly head: Verb;
  readonly options: Verb;
  readonly post: Verb;
  readonly put: Verb;
  readonly patch: Verb;
  readonly delete: Verb;
}

const ownOptionNames = new Set(['method', 'headers', 'body', 'signal']);
const noRoutingOptions: RoutingOptions = Object.freeze({});
const soon = Promise.resolve();
const plainGet: RequestOptions = Object.freeze({ method: 'GET' });

/** What a view needs of its rotator. */
export interface ViewContext {
  /** The options over a base. Throws when one is unknown or not what it should be. */
  understand(options: RoutingOptions, base?: RequestContext): RequestContext;
  hasProxy(id: string): boolean;
  isGateway(id: string): boolean;
  dispatcherFor(context: RequestContext): Dispatcher;
  readonly closed: boolean;
  /** `onOpen`: hears of the tunnel before its verdict. */
  connect(
    plan: TunnelPlan,
    context: RequestContext,
    onOpen?: (tunnel: TunnelStream) => void,
  ): Promise<Tunnel>;
  forward(plan: TunnelPlan, context: RequestContext, listener: ForwardListener): ForwardedTunnel;
}

/** The verbs over one dispatcher. */
export class DispatcherView implements RotatorView {
  readonly dispatcher: Dispatcher;
  readonly #rotator: ViewContext;
  readonly #defaults: RequestContext;

  constructor(rotator: ViewContext, defaults: RequestContext, dispatcher?: Dispatcher) {
    this.#rotator = rotator;
    this.#defaults = defaults;
    this.dispatcher = dispatcher ?? rotator.dispatcherFor(defaults);
  }

  request(url: string | URL, options: RequestOptions = {}): Promise<RotatorResponse> {
    // What throws here rejects.
    return new Promise((resolve, reject) => {
      const { call, opts } = this.#understood(url, options);
      // Facts of a request are told after the call, so that its caller can listen for them.
      void soon.then(() =>
        this.dispatcher.request(opts, (error, response) => {
          if (error !== null) {
            reject(error);
            return;
          }
          const routed = new RoutedResponse(response, call.progress as Progress);
          // Before the caller goes on, and after a short body, which comes with its head.
          void soon.then(() => RoutedResponse.showAttempts(routed));
          resolve(routed);
        }),
      );
    });
  }

  #understood(
    url: string | URL,
    options: RequestOptions,
  ): { readonly call: VerbCall; readonly opts: Dispatcher.RequestOptions } {
    if (typeof options !== 'object' || options === null) {
      throw new InvalidRequestError(`options must be an object, got ${shown(options)}`);
    }
    const { method = 'GET', headers, body, signal } = options;
    checkSignal(signal);
    const target = httpUrl(url);
    const asked = routingOptionsIn(options);
    const context =
      asked === noRoutingOptions ? this.#defaults : this.#rotator.understand(asked, this.#defaults);
    this.#checkPin(context);
    // A stream may fail before it is sent; then the request finds its error.
    if (isNodeStream(body)) body.on('error', ignore);
    const call: VerbCall = { context, progress: undefined };
    const opts = {
      origin: target,
      path: target.pathname + target.search,
      // Before undici, which refuses CONNECT in words and with a code of its own.
      method: methodOf(method) as Dispatcher.HttpMethod,
      headers,
      body,
      signal,
      [callKey]: call,
    } as Dispatcher.RequestOptions;
    return { call, opts };
  }

  async fetch(url: string | URL | Request, init: FetchOptions = {}): Promise<Response> {
    // fetch would show the whole URL in its refusal.
    if (typeof url === 'string' || !('url' in url)) absoluteUrl(url);
    const { dispatcher, own } = this.#forFetch(init);
    return fetchThrough(dispatcher, url, own);
  }

  fetchOptions(init: FetchOptions = {}): RequestInit {
    const { dispatcher, own } = this.#forFetch(init);
    if (bodyFunctionIn(own) !== undefined) checkBodyFunction();
    return { ...own, dispatcher } as object;
  }

  #checkPin({ proxyId }: RequestContext): void {
    if (proxyId === undefined || this.#rotator.hasProxy(proxyId)) return;
    if (this.#rotator.isGateway(proxyId)) {
      const exit = JSON.stringify(`${proxyId}/1`);
      throw new InvalidRequestError(
        `proxyId: "${proxyId}" is a gateway: name an exit of it, as ${exit}`,
      );
    }
    // A URL is easily taken for the id, and may hold the password.
    const id = proxyId.includes('://') ? redact(proxyId) : proxyId;
    throw new InvalidRequestError(`proxyId: no proxy has the id "${id}"`);
  }

  /** Fetch's own options, and the dispatcher for those of the pool. */
  #forFetch(init: FetchOptions): { dispatcher: Dispatcher; own: RequestInit } {
    if (init !== null) checkFetchOptions(init);
    const own: Record<string, unknown> = { ...init };
    const pool: Record<string, unknown> = {};
    for (const name of routingOptionNames) {
      if (name in own) pool[name] = own[name];
      delete own[name];
    }
    const asked = Object.keys(pool).length > 0;
    const { dispatcher } = asked ? this.with(pool as RoutingOptions) : this;
    const make = bodyFunctionIn(own);
    const sender = make === undefined ? dispatcher : takeBodyFunction(own, make, dispatcher);
    return { dispatcher: sender, own: own as RequestInit };
  }

  async connect(options: ConnectOptions): Promise<Tunnel> {
    const plan = planOf(options);
    const context = this.#rotator.understand(routingOf(options), this.#defaults);
    this.#checkPin(context);
    plan.signal?.throwIfAborted();
    // Facts of a tunnel are told after the call, so that its caller can listen for them.
    await Promise.resolve();
    return this.#rotator.connect(plan, context);
  }

  forward(to: ForwardOptions, routing: RoutingOptions, listener: ForwardListener): ForwardedTunnel {
    const plan = forwardPlanOf(to);
    const context = this.#rotator.understand(routing, this.#defaults);
    this.#checkPin(context);
    return this.#rotator.forward(plan, context, listener);
  }

  agents(options: AgentsOptions = {}): Agents {
    const { keepAlive, routing } = splitAgentsOptions(options);
    const rotator = this.#rotator;
    const context = rotator.understand(routing, this.#defaults);
    const { region, sessionId, tags, proxyId } = context;
    const source: TunnelSource = {
      get closed() {
        return rotator.closed;
      },
      name: JSON.stringify([sessionId, region, tags, proxyId]),
      open: (plan, onOpen) => rotator.connect(plan, context, onOpen),
    };
    return {
      http: new TunnelAgent(source, keepAlive),
      https: new SecureTunnelAgent(source, keepAlive),
    };
  }

  with(options: RoutingOptions): RotatorView {
    return new DispatcherView(this.#rotator, this.#rotator.understand(options, this.#defaults));
  }

  readonly get: Verb = (url, options) =>
    this.request(url, options === undefined ? plainGet : { ...options, method: 'GET' });
  readonly head: Verb = (url, options) => this.request(url, { ...options, method: 'HEAD' });
  readonly options: Verb = (url, options) => this.request(url, { ...options, method: 'OPTIONS' });
  readonly post: Verb = (url, options) => this.request(url, { ...options, method: 'POST' });
  readonly put: Verb = (url, options) => this.request(url, { ...options, method: 'PUT' });
  readonly patch: Verb = (url, options) => this.request(url, { ...options, method: 'PATCH' });
  readonly delete: Verb = (url, options) => this.request(url, { ...options, method: 'DELETE' });
}

/** What else than the verb's own options there is. Most requests have nothing, and copy nothing. */
function routingOptionsIn(options: RequestOptions): RoutingOptions {
  for (const name in options) {
    if (ownOptionNames.has(name)) continue;
    const { method: _method, headers: _headers, body: _body, signal: _signal, ...rest } = options;
    return rest;
  }
  return noRoutingOptions;
}

/** As undici has it: an emitter of Node's will do. */
function checkSignal(signal: unknown): void {
  if (signal === undefined || signal === null) return;
  const { addEventListener, on } = signal as { addEventListener?: unknown; on?: unknown };
  if (typeof addEventListener === 'function' || typeof on === 'function') return;
  throw new InvalidRequestError(`signal must be an AbortSignal, got ${shown(signal)}`);
}

function absoluteUrl(given: string | URL): URL {
  let url: URL;
  try {
    url = new URL(given);
  } catch {
    throw new InvalidRequestError(`the URL must be absolute, got "${redact(String(given))}"`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new InvalidRequestError('the URL must not hold credentials: send a header');
  }
  return url;
}

function httpUrl(given: string | URL): URL {
  const url = absoluteUrl(given);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new InvalidRequestError(`the URL must be http: or https:, got "${url.protocol}"`);
  }
  return url;
}

function ignore(): void {}
