import { allOf, CircuitBreaker, failureCount, failureRate } from '@whirl/circuit-breaker';
import { createBus, type CircuitState, type WhirlBus, type WhirlEvents } from '@whirl/events';
import { RetryMetrics } from '@whirl/metrics';
import { adaptive, Selector, type Strategy } from '@whirl/selector';
import { Dispatcher } from 'undici';
import { Clients, type TunnelMode } from './clients.ts';
import { OriginFailures, type Engine, type Member } from './engine.ts';
import {
  AllProxiesUnavailableError,
  ClosedError,
  InvalidProxyError,
  InvalidRequestError,
  type AttemptRecord,
} from './errors.ts';
import { logFacts, type Logger } from './logging.ts';
import { Operation } from './operation.ts';
import { noRetries, resolvePolicy, type RetryPolicy, type RetryPolicyOptions } from './policy.ts';
import { parseProxies } from './proxy-list.ts';
import { parseProxy, type Proxy, type ProxyInput } from './proxy.ts';
import { contextKey, type PoolOptions, type RequestContext } from './request-context.ts';
import { TlsClient, type TlsOptions } from './tls.ts';

/** The circuit of every proxy. */
export interface CircuitOptions {
  /** Failures within `windowMs` that open the circuit. Default 5. */
  readonly failureThreshold?: number | undefined;
  /** Default 60,000. */
  readonly windowMs?: number | undefined;
  /** Time until an open circuit is tested. Default 30,000. */
  readonly openMs?: number | undefined;
}

export interface RotatorOptions {
  /** A list, or a text with one proxy a line. Default: none yet. */
  readonly proxies?: readonly ProxyInput[] | string | undefined;
  /** For every request; `null` turns retries off. */
  readonly retryPolicy?: RetryPolicyOptions | null | undefined;
  /** Default `adaptive()`. */
  readonly strategy?: Strategy | undefined;
  /**
   * `false`: no circuits. A circuit opens after `failureThreshold` failures within `windowMs`, if
   * at least half of the calls within that time failed.
   */
  readonly circuitBreaker?: CircuitOptions | false | undefined;
  /** Share one to hear what happens. Default: one of its own, at `rotator.bus`. */
  readonly bus?: WhirlBus | undefined;
  /** Share one, or `false` for none. Default: one of its own. */
  readonly metrics?: RetryMetrics | false | undefined;
  /** Connections per proxy and origin. Default 64. */
  readonly connections?: number | undefined;
  /** Proxies with live connections at most, the least recently used are closed. Default 1,000. */
  readonly maxLiveProxies?: number | undefined;
  /** `always` uses CONNECT for http targets too. Default `auto`: the absolute form. */
  readonly tunnel?: TunnelMode | undefined;
  /** `false`: a connection per request, for gateways that give each a new exit. Default true. */
  readonly keepAlive?: boolean | undefined;
  /** TLS with the target. */
  readonly tls?: TlsOptions | undefined;
  /** TLS with https proxies. */
  readonly proxyTls?: TlsOptions | undefined;
  readonly logger?: Logger | undefined;
  readonly now?: (() => number) | undefined;
  readonly random?: (() => number) | undefined;
}

export interface RequestOptions extends PoolOptions {
  readonly method?: string | undefined;
  readonly headers?: Dispatcher.RequestOptions['headers'] | Headers;
  readonly body?: Dispatcher.RequestOptions['body'] | URLSearchParams;
  readonly signal?: AbortSignal | undefined;
}

/** undici's response, with the way it took. */
export type RotatorResponse = Dispatcher.ResponseData & {
  readonly attempts: readonly AttemptRecord[];
  /** The proxy that answered. */
  readonly proxyId: string;
};

export interface ProxyView {
  readonly id: string;
  /** Without the password. */
  readonly url: string;
  readonly region?: string | undefined;
  readonly tags: readonly string[];
  readonly weight: number;
  readonly successRate: number;
  readonly avgLatencyMs: number | undefined;
  readonly inFlight: number;
  readonly state: CircuitState;
}

export interface CircuitBreakerView {
  readonly state: CircuitState;
  readonly failureCount: number;
  readonly failureThreshold: number;
  readonly windowMs: number;
  readonly openMs: number;
  readonly nextTestAt: number | undefined;
  readonly lastTransitionAt: number;
  readonly failureTimes: readonly number[];
  readonly canAttempt: boolean;
}

export interface InFlightRequest {
  readonly requestId: string;
  readonly method: string;
  readonly origin: string;
  readonly attempt: number;
  readonly proxyId: string | undefined;
  readonly nextRetryAt: number | undefined;
}

type Verb = (url: string | URL, options?: RequestOptions) => Promise<RotatorResponse>;

/** The rotator with defaults of its own: the same verbs, its own dispatcher. */
export interface RotatorView {
  readonly dispatcher: Dispatcher;
  request(url: string | URL, options?: RequestOptions): Promise<RotatorResponse>;
  fetch(url: string | URL, init?: RequestInit): Promise<Response>;
  with(options: PoolOptions): RotatorView;
  readonly get: Verb;
  readonly head: Verb;
  readonly options: Verb;
  readonly post: Verb;
  readonly put: Verb;
  readonly patch: Verb;
  readonly delete: Verb;
}

const optionNames = new Set([
  'proxies',
  'retryPolicy',
  'strategy',
  'circuitBreaker',
  'bus',
  'metrics',
  'connections',
  'maxLiveProxies',
  'tunnel',
  'keepAlive',
  'tls',
  'proxyTls',
  'logger',
  'now',
  'random',
]);

class RotatorDispatcher extends Dispatcher {
  readonly #run: (opts: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => void;

  constructor(
    run: (opts: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => void,
  ) {
    super();
    this.#run = run;
  }

  override dispatch(
    opts: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    this.#run(opts, handler);
    return true;
  }
}

class View implements RotatorView {
  readonly dispatcher: Dispatcher;
  readonly #rotator: ProxyRotator;
  readonly #defaults: PoolOptions;

  constructor(rotator: ProxyRotator, dispatcher: Dispatcher, defaults: PoolOptions) {
    this.#rotator = rotator;
    this.dispatcher = dispatcher;
    this.#defaults = defaults;
  }

  async request(url: string | URL, options: RequestOptions = {}): Promise<RotatorResponse> {
    const { method = 'GET', headers, body, signal, ...pool } = options;
    let target: URL;
    try {
      target = new URL(url);
    } catch {
      throw new InvalidRequestError(`the URL must be absolute, got "${String(url)}"`);
    }
    if (target.protocol !== 'http:' && target.protocol !== 'https:') {
      throw new InvalidRequestError(`the URL must be http: or https:, got "${target.protocol}"`);
    }
    if (pool.proxyId !== undefined && !this.#rotator.hasProxy(pool.proxyId)) {
      throw new InvalidRequestError(`proxyId: no proxy has the id "${pool.proxyId}"`);
    }
    const context: RequestContext = { ...this.#defaults, ...pool, attempts: [], answeredBy: '' };
    if (context.retryPolicy !== undefined && context.retryPolicy !== null) {
      resolvePolicy(context.retryPolicy);
    }
    const form = body instanceof URLSearchParams;
    const sent = form ? body.toString() : body;
    const given = headers instanceof Headers ? Object.fromEntries(headers) : (headers ?? {});
    const data = await this.dispatcher.request({
      origin: target.origin,
      path: target.pathname + target.search,
      method: method as Dispatcher.HttpMethod,
      headers: form
        ? { 'content-type': 'application/x-www-form-urlencoded', ...(given as object) }
        : given,
      ...(sent === undefined ? {} : { body: sent }),
      ...(signal === undefined ? {} : { signal }),
      [contextKey]: context,
    } as Dispatcher.RequestOptions);
    return Object.defineProperties(data, {
      attempts: { enumerable: true, get: () => this.#rotator.attemptsOf(context) },
      proxyId: { enumerable: true, value: context.answeredBy },
    }) as RotatorResponse;
  }

  fetch(url: string | URL, init: RequestInit = {}): Promise<Response> {
    const withDispatcher = { ...init, dispatcher: this.dispatcher } as unknown as RequestInit;
    return globalThis.fetch(url, withDispatcher);
  }

  with(options: PoolOptions): RotatorView {
    return this.#rotator.view({ ...this.#defaults, ...options });
  }

  readonly get: Verb = (url, options) => this.request(url, { ...options, method: 'GET' });
  readonly head: Verb = (url, options) => this.request(url, { ...options, method: 'HEAD' });
  readonly options: Verb = (url, options) => this.request(url, { ...options, method: 'OPTIONS' });
  readonly post: Verb = (url, options) => this.request(url, { ...options, method: 'POST' });
  readonly put: Verb = (url, options) => this.request(url, { ...options, method: 'PUT' });
  readonly patch: Verb = (url, options) => this.request(url, { ...options, method: 'PATCH' });
  readonly delete: Verb = (url, options) => this.request(url, { ...options, method: 'DELETE' });
}

/** Sends requests through a pool of proxies: picks, retries, fails over, and tells what it did. */
export class ProxyRotator implements RotatorView {
  readonly bus: WhirlBus;
  readonly dispatcher: Dispatcher;
  readonly #options: RotatorOptions;
  readonly #members = new Map<string, Member>();
  readonly #selector: Selector;
  readonly #clients: Clients;
  readonly #metrics: RetryMetrics | undefined;
  readonly #operations = new Map<string, Operation>();
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #engine: Engine;
  readonly #view: View;
  readonly #offLog: (() => void) | undefined;
  #policy: RetryPolicy;
  #closed = false;
  #requests = 0;
  #idle: (() => void) | undefined;

  constructor(options: RotatorOptions = {}) {
    for (const name of Object.keys(options)) {
      if (!optionNames.has(name)) throw new TypeError(`unknown rotator option "${name}"`);
    }
    const { connections = 64, maxLiveProxies = 1000, tunnel = 'auto', keepAlive = true } = options;
    if (tunnel !== 'auto' && tunnel !== 'always') {
      throw new RangeError(`tunnel must be "auto" or "always", got ${String(tunnel)}`);
    }
    if (typeof keepAlive !== 'boolean') {
      throw new TypeError(`keepAlive must be true or false, got ${String(keepAlive)}`);
    }
    for (const [name, value] of Object.entries({ connections, maxLiveProxies })) {
      if (!Number.isInteger(value) || value < 1) {
        throw new RangeError(`${name} must be an integer ≥ 1, got ${String(value)}`);
      }
    }
    const { now = () => performance.timeOrigin + performance.now(), random = Math.random } =
      options;
    this.#options = options;
    this.#now = now;
    this.#random = random;
    this.#policy = options.retryPolicy === null ? noRetries : resolvePolicy(options.retryPolicy);
    this.bus = options.bus ?? createBus<WhirlEvents>();
    this.#selector = new Selector({
      strategy: options.strategy ?? adaptive(),
      now,
      random,
      bus: this.bus,
    });
    this.#metrics =
      options.metrics === false
        ? undefined
        : (options.metrics ?? new RetryMetrics({ bus: this.bus, now }));
    this.#offLog = options.logger === undefined ? undefined : logFacts(this.bus, options.logger);
    this.#clients = new Clients({
      connections,
      maxLiveProxies,
      tunnel,
      keepAlive,
      tls: new TlsClient('tls', options.tls),
      proxyTls: new TlsClient('proxyTls', options.proxyTls),
      wallNow: Date.now,
    });
    const rotator = this;
    this.#engine = {
      bus: this.bus,
      selector: this.#selector,
      clients: this.#clients,
      members: this.#members,
      operations: this.#operations,
      origins: new OriginFailures(),
      now,
      wallNow: Date.now,
      random,
      get policy() {
        return rotator.#policy;
      },
      get closed() {
        return rotator.#closed;
      },
      nextRequestId: () => `r${++this.#requests}`,
      unavailable: () => this.#unavailable(),
    };
    this.#view = this.view({}) as View;
    this.dispatcher = this.#view.dispatcher;
    const parsed = parseProxies(options.proxies ?? []);
    for (const proxy of parsed) this.#add(proxy);
  }

  /** The global policy. Setting it takes effect at the next request; `null` turns retries off. */
  get retryPolicy(): RetryPolicy {
    return this.#policy;
  }

  set retryPolicy(policy: RetryPolicyOptions | null) {
    this.#policy = policy === null ? noRetries : resolvePolicy(policy);
    if (this.bus.has('policy:changed')) {
      this.bus.emit('policy:changed', {
        policy: policy === null ? null : { ...this.#policy },
        at: this.#now(),
      });
    }
  }

  /** Adds a proxy and returns its id. The same id twice is refused. */
  addProxy(input: ProxyInput): string {
    const proxy = parseProxy(input);
    if (this.#members.has(proxy.id)) {
      throw new InvalidProxyError(`a proxy with the id "${proxy.id}" is in the pool already`);
    }
    this.#add(proxy);
    return proxy.id;
  }

  /** Removes a proxy; requests in flight through it go on. False if there is none. */
  removeProxy(id: string): boolean {
    const member = this.#members.get(id);
    if (member === undefined) return false;
    this.#members.delete(id);
    this.#selector.remove(id);
    this.#clients.remove(id);
    if (this.bus.has('proxy:removed')) this.bus.emit('proxy:removed', this.#fact(member.proxy));
    return true;
  }

  /** Swaps the pool: kept ids keep what was learned. All or nothing. */
  setProxies(list: readonly ProxyInput[] | string): void {
    const wanted = new Map(parseProxies(list).map((proxy) => [proxy.id, proxy]));
    for (const id of [...this.#members.keys()]) if (!wanted.has(id)) this.removeProxy(id);
    for (const proxy of wanted.values()) if (!this.#members.has(proxy.id)) this.#add(proxy);
  }

  /** Removes the proxies with an open circuit, or with ≥ 20 outcomes and < 10 % success. */
  clearUnhealthyProxies(): string[] {
    const gone: string[] = [];
    for (const [id, { breaker }] of this.#members) {
      const state = breaker?.state;
      const { samples, successRate } = this.#selector.stats(id);
      if (state === 'open' || state === 'forced_open' || (samples >= 20 && successRate < 0.1)) {
        gone.push(id);
      }
    }
    for (const id of gone) this.removeProxy(id);
    return gone;
  }

  hasProxy(id: string): boolean {
    return this.#members.has(id);
  }

  proxies(): ProxyView[] {
    return [...this.#members.values()].map(({ proxy, breaker }) => {
      const { successRate, avgLatencyMs, inFlight } = this.#selector.stats(proxy.id);
      const { id, url, region, tags, weight } = proxy;
      return {
        id,
        url,
        ...(region === undefined ? {} : { region }),
        tags,
        weight,
        successRate,
        avgLatencyMs,
        inFlight,
        state: breaker?.state ?? 'disabled',
      };
    });
  }

  getCircuitBreakerStates(): Map<string, CircuitBreakerView> {
    const states = new Map<string, CircuitBreakerView>();
    const { failureThreshold, windowMs } = this.#circuit();
    for (const [id, { breaker }] of this.#members) {
      if (breaker === undefined) continue;
      states.set(id, {
        state: breaker.state,
        failureCount: breaker.failureCount,
        failureThreshold,
        windowMs,
        openMs: breaker.openMs,
        nextTestAt: breaker.nextTestAt,
        lastTransitionAt: breaker.lastTransitionAt ?? this.#now(),
        failureTimes: breaker.failureTimes,
        canAttempt: breaker.canAttempt(),
      });
    }
    return states;
  }

  /** Closes a proxy's circuit and forgets its failures. False if there is no such circuit. */
  resetCircuitBreaker(id: string): boolean {
    const breaker = this.#members.get(id)?.breaker;
    breaker?.reset();
    return breaker !== undefined;
  }

  /** Takes a proxy out of rotation until its circuit is reset. False if there is no such circuit. */
  forceOpenCircuitBreaker(id: string): boolean {
    const breaker = this.#members.get(id)?.breaker;
    breaker?.forceOpen();
    return breaker !== undefined;
  }

  /** Throws when the rotator was made with `metrics: false`. */
  getRetryMetrics(): RetryMetrics {
    if (this.#metrics === undefined) throw new TypeError('this rotator was made without metrics');
    return this.#metrics;
  }

  inFlight(): InFlightRequest[] {
    return [...this.#operations.values()].map((operation) => ({
      requestId: operation.id,
      method: operation.method,
      origin: operation.origin.origin,
      attempt: Math.max(0, operation.attemptCount - 1),
      proxyId: operation.proxyId,
      nextRetryAt: operation.nextRetryAt,
    }));
  }

  /** Lets running requests finish within `graceMs` (default 5,000), then destroys. */
  async close({ graceMs = 5000 }: { graceMs?: number } = {}): Promise<void> {
    this.#closed = true;
    if (this.#operations.size > 0 && graceMs > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
        timer = setTimeout(resolve, graceMs);
      });
      clearTimeout(timer);
    }
    await this.destroy();
  }

  /** Ends every request with `ClosedError` and closes every connection. */
  async destroy(): Promise<void> {
    this.#closed = true;
    for (const operation of [...this.#operations.values()]) operation.close();
    await this.#clients.destroy(new ClosedError());
    this.#offLog?.();
    this.#selector.close();
    if (this.#options.metrics === undefined) this.#metrics?.close();
  }

  request(url: string | URL, options?: RequestOptions): Promise<RotatorResponse> {
    return this.#view.request(url, options);
  }

  fetch(url: string | URL, init?: RequestInit): Promise<Response> {
    return this.#view.fetch(url, init);
  }

  with(options: PoolOptions): RotatorView {
    return this.view(options);
  }

  readonly get: Verb = (url, options) => this.#view.get(url, options);
  readonly head: Verb = (url, options) => this.#view.head(url, options);
  readonly options: Verb = (url, options) => this.#view.options(url, options);
  readonly post: Verb = (url, options) => this.#view.post(url, options);
  readonly put: Verb = (url, options) => this.#view.put(url, options);
  readonly patch: Verb = (url, options) => this.#view.patch(url, options);
  readonly delete: Verb = (url, options) => this.#view.delete(url, options);

  /** @internal */
  view(defaults: PoolOptions): RotatorView {
    if (defaults.retryPolicy !== undefined && defaults.retryPolicy !== null) {
      resolvePolicy(defaults.retryPolicy);
    }
    const dispatcher = new RotatorDispatcher((opts, handler) => {
      const given = (opts as { [contextKey]?: RequestContext })[contextKey];
      this.#dispatch(opts, handler, given ?? { ...defaults, attempts: [], answeredBy: '' });
    });
    return new View(this, dispatcher, defaults);
  }

  /** @internal */
  attemptsOf(context: RequestContext): readonly AttemptRecord[] {
    return context.attempts;
  }

  #dispatch(
    opts: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
    context: RequestContext,
  ): void {
    if (this.#closed) throw new ClosedError();
    new Operation(this.#engine, opts, handler, context, () => this.#requestEnded()).start();
  }

  #requestEnded(): void {
    if (this.#operations.size === 0) this.#idle?.();
  }

  #circuit() {
    const given = this.#options.circuitBreaker;
    const { failureThreshold = 5, windowMs = 60_000, openMs = 30_000 } = given || {};
    return { failureThreshold, windowMs, openMs };
  }

  #add(proxy: Proxy): void {
    const { id, region, weight, cost, tags, maxConcurrent } = proxy;
    const { failureThreshold, windowMs, openMs } = this.#circuit();
    const breaker =
      this.#options.circuitBreaker === false
        ? undefined
        : new CircuitBreaker({
            name: id,
            openMs,
            trip: allOf(
              failureCount({ threshold: failureThreshold, windowMs }),
              failureRate({ ratio: 0.5, windowMs, minimumCalls: 1 }),
            ),
            now: this.#now,
            random: this.#random,
            bus: this.bus,
          });
    this.#selector.add({
      id,
      weight,
      tags: [...tags],
      ...(region === undefined ? {} : { region }),
      ...(cost === undefined ? {} : { cost }),
      ...(maxConcurrent === undefined ? {} : { maxConcurrent }),
    });
    this.#members.set(id, { proxy, breaker });
    if (this.bus.has('proxy:added')) this.bus.emit('proxy:added', this.#fact(proxy));
  }

  #fact({ id, region, weight, tags }: Proxy) {
    return { proxyId: id, region, weight, tags, at: this.#now() };
  }

  #unavailable(): AllProxiesUnavailableError {
    if (this.#members.size === 0) {
      return new AllProxiesUnavailableError('NO_PROXIES', 'the pool has no proxies');
    }
    const now = this.#now();
    let first: number | undefined;
    let open = 0;
    for (const { breaker } of this.#members.values()) {
      if (breaker === undefined || breaker.canAttempt()) continue;
      open++;
      const at = breaker.nextTestAt;
      if (at !== undefined && (first === undefined || at < first)) first = at;
    }
    if (open < this.#members.size) {
      return new AllProxiesUnavailableError(
        'PROXIES_BUSY',
        'every proxy that may be used is busy, or none matches what the request asks for',
      );
    }
    return new AllProxiesUnavailableError(
      'ALL_PROXIES_UNAVAILABLE',
      `the circuits of all ${open} proxies are open`,
      first === undefined ? undefined : Math.max(0, first - now),
    );
  }
}
