import { createBus, type CircuitState, type WhirlBus, type WhirlEvents } from '@whirl/events';
import { RetryMetrics } from '@whirl/metrics';
import { adaptive } from '@whirl/selector';
import type { Dispatcher } from 'undici';
import { accessRules } from './access-rules.ts';
import type { Agents, AgentsOptions } from './agents.ts';
import { checkBanRules } from './policy/ban-rules.ts';
import { Judge } from './blame/judge.ts';
import { LoopLag } from './blame/loop-lag.ts';
import type { TargetSnapshot } from './blame/targets.ts';
import { Clients } from './connection/connection-pool.ts';
import { maxTimerMs } from './timer.ts';
import { Deadlines } from './request/deadlines.ts';
import type { Engine } from './request/engine.ts';
import { ClosedError, InvalidRequestError } from './errors.ts';
import { withChannels } from './events/diagnostics-channels.ts';
import { HealthChecks } from './request/health-checks.ts';
import { Hedging } from './policy/hedging.ts';
import { logFacts } from './events/logging.ts';
import type { ConnectOptions, TunnelPlan } from './request/connect-options.ts';
import { Operation } from './request/operation.ts';
import { TunnelOperation } from './request/tunnel-operation.ts';
import type { Tunnel, TunnelStream } from './request/tunnel.ts';
import { InFlight } from './request/in-flight.ts';
import {
  noRetries,
  policyFieldNames,
  PolicyWarnings,
  resolvePolicy,
  type RetryPolicy,
  type RetryPolicyOptions,
} from './policy/retry-policy.ts';
import { Pool } from './pool/pool.ts';
import type { PoolEntry } from './pool/pool-entry.ts';
import {
  snapshotOfCircuit,
  snapshotOfProxy,
  type CircuitSnapshot,
  type RequestSnapshot,
  type ProxySnapshot,
} from './snapshots.ts';
import {
  contextKey,
  copyOf,
  routingOptionNames,
  type RoutingOptions,
  type RequestContext,
} from './request/request-options.ts';
import { sharedPool, type SharedPool } from './pool/shared-pool.ts';
import { clearingUnhealthy } from './pool/unhealthy.ts';
import { RotatorDispatcher, type DispatcherOwner } from './rotator-dispatcher.ts';
import { budgetOf, checkRotatorOptions, type RotatorOptions } from './rotator-options.ts';
import { shown } from './check.ts';
import { allSteps, stepByStep, type Steps } from './steps.ts';
import { TlsClient } from './connection/tls.ts';
import { checkNames, unknownOption } from './unknown-option.ts';
import { UnreadBodies } from './request/unread-bodies.ts';
import {
  View,
  type FetchOptions,
  type RequestOptions,
  type RotatorResponse,
  type RotatorView,
  type Verb,
} from './rotator-view.ts';

/** Read once, as a number: the fake timers of test runners put a function in its place, or nothing. */
const timeOrigin = +performance.timeOrigin || Date.now() - performance.now();
const systemNow = (): number => timeOrigin + performance.now();
/** What a request or a view may be given. */
const requestOptionNames = [...routingOptionNames, 'method', 'headers', 'body', 'signal'];
const policyOptionNames = policyFieldNames.map((name) => `retryPolicy.${name}`);

/**
 * Sends requests through a pool of proxies: picks one that will probably work, retries and fails
 * over within the request, keeps failing proxies out of rotation, and tells on its bus what it did.
 */
export class ProxyRotator implements RotatorView {
  readonly bus: WhirlBus;
  readonly dispatcher: Dispatcher;
  readonly #pool: Pool;
  readonly #clients: Clients;
  readonly #metrics: RetryMetrics | undefined;
  readonly #operations = new InFlight();
  readonly #tunnels = new Set<TunnelStream>();
  readonly #now: () => number;
  readonly #engine: Engine;
  readonly #health: HealthChecks | undefined;
  readonly #warnings: PolicyWarnings;
  readonly #view: View;
  readonly #limits: Pick<DispatcherOwner, 'webSocket' | 'eventSource'>;
  /** What to undo at the end, in this order. */
  readonly #undo: (() => void)[] = [];
  #policy: RetryPolicy = noRetries;
  #closed = false;
  #ended: Promise<void> | undefined;
  #requests = 0;
  /** The last change of the pool in steps. Never rejects. */
  #changing: Promise<unknown> = Promise.resolve();
  #idle: (() => void) | undefined;

  /** Throws a TypeError or RangeError, or the error of a bad proxy or policy; see `RotatorOptions`. */
  constructor(options: RotatorOptions = {}) {
    checkRotatorOptions(options);
    const { now = systemNow, random = Math.random, logger, metrics, bus, tls, proxyTls } = options;
    const { connections = 64, maxLiveProxies = 1000, tunnel, keepAlive } = options;
    const { maxHeaderSize = 65_536 } = options;
    const wallNow = Date.now;
    // All that may throw comes before the pool, which listens to a bus that may be shared.
    const access = accessRules(options.allow, options.deny);
    const budget = budgetOf(options.budget, now);
    const hedging = options.hedge === undefined ? undefined : new Hedging(options.hedge);
    const banRules = checkBanRules(options.banRules ?? []);
    this.#warnings = new PolicyWarnings(logger);
    this.#policy = this.#resolve(options.retryPolicy ?? {}, options.retryPolicy === null);
    this.#now = now;
    this.bus = bus ?? createBus<WhirlEvents>();
    const facts = withChannels(this.bus);
    const connector = {
      access,
      maxHeaderSize,
      tls: new TlsClient('tls', tls),
      proxyTls: new TlsClient('proxyTls', proxyTls),
      now,
      wallNow,
      proxyHeaders: options.proxyHeaders && { ...options.proxyHeaders },
    };
    this.#clients = new Clients({
      ...connector,
      connections,
      maxLiveProxies,
      tunnel,
      keepAlive,
      onOpen: ({ proxy, origin, absoluteForm }, dial) => {
        if (!facts.has('connection:open')) return;
        const to = absoluteForm ? undefined : origin.origin;
        facts.emit('connection:open', { proxyId: proxy.id, origin: to, ...dial.times, at: now() });
      },
    });
    const { contrast = true, targetDown = true } = options;
    const judge = new Judge({
      bus: facts,
      contrast,
      targetDown,
      poolSize: () => this.#pool.size,
    });
    this.#pool = new Pool({
      access: access.proxies,
      bus: facts,
      strategy: options.strategy ?? adaptive(),
      circuitBreaker: options.circuitBreaker ?? {},
      now,
      random,
      onGone: (proxyId) => this.#clients.remove(proxyId),
      onLeft: (member) => judge.forget(member),
    });
    const rotator = this;
    this.#engine = {
      bus: facts,
      pool: this.#pool,
      clients: this.#clients,
      connector,
      judge,
      lag: new LoopLag(),
      deadlines: new Deadlines(),
      operations: this.#operations,
      tunnels: this.#tunnels,
      budget,
      hedging,
      banRules,
      targets: access.targets,
      queueTimeoutMs: options.queueTimeoutMs ?? 0,
      now,
      wallNow,
      random,
      get policy() {
        return rotator.#policy;
      },
      unread: new UnreadBodies(logger),
      nextRequestId: () => `r${++this.#requests}`,
    };
    const nothing = this.#understand({});
    const { webSocket = {}, eventSource = {} } = options;
    this.#limits = { webSocket: { ...webSocket }, eventSource: { ...eventSource } };
    this.dispatcher = this.#dispatcherFor(
      nothing,
      () => this.close(),
      () => this.destroy(),
    );
    this.#view = new View(
      {
        understand: (asked, base) => this.#understand(asked, base),
        hasProxy: (id) => this.hasProxy(id),
        dispatcherFor: (context) => this.#dispatcherFor(context),
        get closed() {
          return rotator.#closed;
        },
        connect: (plan, context, onOpen) => this.#connect(plan, context, onOpen),
      },
      nothing,
      this.dispatcher,
    );
    if (metrics !== false) {
      this.#metrics = metrics ?? new RetryMetrics({ now });
      this.#undo.push(this.#metrics.listen(this.bus));
    }
    if (logger !== undefined) this.#undo.push(logFacts(this.bus, logger));
    try {
      if (options.healthCheck !== undefined) {
        this.#health = new HealthChecks(this.#engine, options.healthCheck);
      }
      // Last, so that the metrics hear of them.
      this.#pool.set(options.proxies ?? []);
    } catch (error) {
      // A constructor that throws leaves nothing on a bus that is shared.
      this.#health?.close();
      for (const undo of this.#undo) undo();
      throw error;
    }
  }

  /**
   * The global policy, with its defaults filled in; `null` while retries are off. Setting it takes
   * effect at the next request.
   */
  get retryPolicy(): RetryPolicy | null {
    return this.#policy === noRetries ? null : this.#policy;
  }

  set retryPolicy(policy: RetryPolicyOptions | null) {
    this.#policy = this.#resolve(policy ?? {}, policy === null);
    const { bus } = this.#engine;
    if (bus.has('policy:changed')) {
      bus.emit('policy:changed', {
        policy: policy === null ? null : { ...this.#policy },
        at: this.#now(),
      });
    }
  }

  /**
   * Adds a proxy and returns its id. Throws `InvalidProxyError` for one that cannot be understood,
   * or whose id is in the pool already.
   */
  addProxy(proxy: PoolEntry): string {
    return this.#pool.add(proxy).id;
  }

  /** Removes a proxy; requests in flight through it go on. False if there is none. */
  removeProxy(id: string): boolean {
    return this.#pool.remove(id);
  }

  /**
   * Swaps the pool at once, all or nothing. Kept ids keep what was learned, whatever else is said of them; with
   * other `circuitBreaker` options an open circuit stays open for the rest of its time, a closed one begins empty.
   * `owned` names the proxies that the list is about: only they leave when it does not name them. Default: all.
   */
  setProxies(
    proxies: readonly PoolEntry[] | string,
    { owned }: { readonly owned?: ReadonlySet<string> | undefined } = {},
  ): void {
    this.#pool.set(proxies, owned);
  }

  /**
   * `setProxies()` for long lists: the pool changes in steps of a few milliseconds, between which the event loop
   * turns. First the proxies of the list join or change, then the others leave, so that a request may meet a part of
   * the list; up to 1,000 proxies change at once. Resolves when all of it is in use; rejects with `InvalidProxyError` before anything changes. Calls
   * follow each other. A `setProxies()` without `owned` in the meantime stands, and ends it early.
   */
  async setProxiesAsync(
    proxies: readonly PoolEntry[] | string,
    { owned }: { readonly owned?: ReadonlySet<string> | undefined } = {},
  ): Promise<void> {
    await this.#inTurn(() => this.#pool.setting(proxies, owned));
  }

  /** Changes the pool in slices, after the changes in slices that were asked for before. */
  async #inTurn<Result>(change: () => Steps<Result>): Promise<Result> {
    const done = this.#changing.then(() => stepByStep(change()));
    this.#changing = done.catch(() => {});
    return done;
  }

  /** Whether a proxy of the pool has this id. O(1). */
  hasProxy(id: string): boolean {
    return this.#pool.members.has(id);
  }

  /**
   * Removes the proxies whose circuit is open (or forced open), and those with at least 20 known
   * outcomes of which less than 10 % were good. Returns their ids.
   */
  clearUnhealthyProxies(): string[] {
    return allSteps(clearingUnhealthy(this.#pool));
  }

  /**
   * `clearUnhealthyProxies()` for large pools, in slices of a few milliseconds, between which the event loop turns. A
   * proxy is removed in the slice that judges it, so that none goes that has recovered meanwhile. Takes its turn among
   * the calls of `setProxiesAsync()`.
   */
  async clearUnhealthyProxiesAsync(): Promise<string[]> {
    return this.#inTurn(() => clearingUnhealthy(this.#pool));
  }

  /** Every proxy, with what is known of it. */
  proxies(): ProxySnapshot[] {
    return [...this.#pool.members.values()].map((member) => snapshotOfProxy(this.#pool, member));
  }

  /** One proxy, in O(1); undefined when the pool has no such id. */
  proxy(id: string): ProxySnapshot | undefined {
    const member = this.#pool.members.get(id);
    return member && snapshotOfProxy(this.#pool, member);
  }

  /**
   * The ids of the pool, in the order in which they joined. The iterator is live: an id that is removed before
   * the iterator reaches it is left out, and one that is added meanwhile comes at the end.
   */
  proxyIds(): IterableIterator<string> {
    return this.#pool.members.keys();
  }

  /** The number of proxies in the pool. */
  get size(): number {
    return this.#pool.size;
  }

  /** The circuit of one proxy, in O(1); undefined when the pool has no such id, or it has no circuit. */
  circuitBreakerState(id: string): CircuitSnapshot | undefined {
    const member = this.#pool.members.get(id);
    return member && snapshotOfCircuit(member);
  }

  /**
   * How many circuits are in each state, in O(1). `closed` is every proxy that is in no other state, and `open` lasts
   * until the circuit is tested.
   */
  circuitCounts(): Readonly<Record<CircuitState, number>> {
    return this.#pool.circuits.open.counts;
  }

  /**
   * Whether the circuit of some proxy would admit a request now. O(1) while one is closed, else in proportion to those
   * that are not.
   */
  get isAvailable(): boolean {
    return this.#pool.availability.admitsAny();
  }

  /** By proxy id; proxies without a circuit are missing. */
  getCircuitBreakerStates(): Map<string, CircuitSnapshot> {
    const states = new Map<string, CircuitSnapshot>();
    for (const member of this.#pool.members.values()) {
      const state = snapshotOfCircuit(member);
      if (state !== undefined) states.set(member.id, state);
    }
    return states;
  }

  /**
   * Closes a proxy's circuit, forgets its failures and lifts a ban by a rule: it is offered from the next request
   * on. Bans for single targets stand. False if there is no such circuit.
   */
  resetCircuitBreaker(id: string): boolean {
    return this.#pool.reset(id);
  }

  /** Takes a proxy out of rotation until its circuit is reset. False if there is no such circuit. */
  forceOpenCircuitBreaker(id: string): boolean {
    const breaker = this.#pool.members.get(id)?.breaker;
    breaker?.forceOpen();
    return breaker !== undefined;
  }

  /**
   * Hands its pool to what lets several processes learn together, as `joinFleet()` of `@whirl/fleet` does. `join` is
   * called at once and returns how to leave; leaving happens when this rotator ends, or by what is returned.
   */
  share(join: (pool: SharedPool) => () => void): () => void {
    if (typeof join !== 'function') {
      throw new TypeError(`share() must be given a function, got ${shown(join)}`);
    }
    const { pool, bus, budget, now, random } = this.#engine;
    const leave = join(sharedPool(pool, { bus, budget, now, random }));
    this.#undo.push(leave);
    return () => {
      const at = this.#undo.indexOf(leave);
      if (at >= 0) this.#undo.splice(at, 1);
      leave();
    };
  }

  /** What happened so far. Throws a TypeError when the rotator was made with `metrics: false`. */
  getRetryMetrics(): RetryMetrics {
    if (this.#metrics === undefined) throw new TypeError('this rotator was made without metrics');
    return this.#metrics;
  }

  /**
   * The origins that were asked for, at most 1,000, those asked for last first: whether they respond,
   * and what was to blame for the failures. `limit`: how many of them, an integer ≥ 0, default all.
   */
  targets({ limit = Infinity }: { limit?: number } = {}): TargetSnapshot[] {
    if (limit !== Infinity && (!Number.isInteger(limit) || limit < 0)) {
      throw new RangeError(`limit must be an integer ≥ 0, got ${shown(limit)}`);
    }
    const at = this.#now();
    return this.#engine.judge.targets
      .list()
      .slice(0, limit)
      .map((target) => target.snapshot(at));
  }

  /** The requests that have not ended, in the order of their start. */
  inFlight(): RequestSnapshot[] {
    return [...this.#operations].map(({ id, method, origin, attempt, proxyId, nextRetryAt }) => ({
      requestId: id,
      method,
      origin,
      attempt,
      proxyId,
      nextRetryAt,
    }));
  }

  /**
   * Refuses new requests with `ClosedError`, lets running ones finish within `graceMs` (≥ 0, default
   * 5,000), then destroys.
   */
  async close(options: { graceMs?: number } = {}): Promise<void> {
    if (typeof options !== 'object' || options === null) {
      throw new TypeError(`close() takes an object, got ${shown(options)}`);
    }
    checkNames('close', options, ['graceMs']);
    const { graceMs = 5000 } = options;
    if (!Number.isFinite(graceMs) || graceMs < 0) {
      throw new RangeError(`graceMs must be a number ≥ 0, got ${shown(graceMs)}`);
    }
    this.#closed = true;
    this.#health?.close();
    for (const tunnel of [...this.#tunnels]) if (tunnel.idle) tunnel.shut('close');
    if (this.#running > 0 && graceMs > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        const before = this.#idle;
        this.#idle = () => {
          before?.();
          resolve();
        };
        timer = setTimeout(resolve, Math.min(graceMs, maxTimerMs));
      });
      clearTimeout(timer);
    }
    await this.destroy();
  }

  /** Ends every request with `ClosedError` and closes every connection. */
  destroy(): Promise<void> {
    return (this.#ended ??= this.#destroy());
  }

  request(url: string | URL, options?: RequestOptions): Promise<RotatorResponse> {
    return this.#view.request(url, options);
  }

  fetch(url: string | URL | Request, init?: FetchOptions): Promise<Response> {
    return this.#view.fetch(url, init);
  }

  fetchOptions(init?: FetchOptions): RequestInit {
    return this.#view.fetchOptions(init);
  }

  connect(options: ConnectOptions): Promise<Tunnel> {
    return this.#view.connect(options);
  }

  agents(options?: AgentsOptions): Agents {
    return this.#view.agents(options);
  }

  with(options: RoutingOptions): RotatorView {
    return this.#view.with(options);
  }

  readonly get: Verb = (url, options) => this.#view.get(url, options);
  readonly head: Verb = (url, options) => this.#view.head(url, options);
  readonly options: Verb = (url, options) => this.#view.options(url, options);
  readonly post: Verb = (url, options) => this.#view.post(url, options);
  readonly put: Verb = (url, options) => this.#view.put(url, options);
  readonly patch: Verb = (url, options) => this.#view.patch(url, options);
  readonly delete: Verb = (url, options) => this.#view.delete(url, options);

  async #destroy(): Promise<void> {
    this.#closed = true;
    this.#health?.close();
    for (const operation of [...this.#operations]) {
      operation.end('aborted', new ClosedError());
    }
    for (const tunnel of [...this.#tunnels]) tunnel.shut('close', new ClosedError());
    await this.#clients.destroy(new ClosedError());
    this.#engine.lag.close();
    this.#engine.deadlines.close();
    for (const undo of this.#undo) undo();
  }

  #resolve(given: RetryPolicyOptions, off: boolean): RetryPolicy {
    if (off) return noRetries;
    const policy = resolvePolicy(given);
    this.#warnings.check(policy);
    return policy;
  }

  #understand(asked: RoutingOptions, base?: RequestContext): RequestContext {
    const names = Object.keys(asked);
    if (names.length === 0 && base !== undefined) return copyOf(base);
    for (const name of names) {
      if (!routingOptionNames.includes(name as keyof RoutingOptions)) {
        throw new InvalidRequestError(
          unknownOption('', name, requestOptionNames, policyOptionNames),
        );
      }
    }
    const { retryPolicy, region = base?.region, sessionId = base?.sessionId } = asked;
    const { tags = base?.tags, proxyId = base?.proxyId, prefer = base?.prefer } = asked;
    const { strictRegion = base?.strictRegion } = asked;
    for (const [name, value] of Object.entries({ region, prefer, sessionId, proxyId })) {
      if (value !== undefined && typeof value !== 'string') {
        throw new InvalidRequestError(`${name} must be a string, got ${shown(value)}`);
      }
    }
    if (strictRegion !== undefined && typeof strictRegion !== 'boolean') {
      throw new InvalidRequestError(
        `strictRegion must be true or false, got ${shown(strictRegion)}`,
      );
    }
    if (strictRegion === true && region === undefined) {
      throw new InvalidRequestError('strictRegion needs a region');
    }
    if (tags !== undefined && !(Array.isArray(tags) && tags.every((t) => typeof t === 'string'))) {
      throw new InvalidRequestError('tags must be a list of texts');
    }
    return {
      policy:
        retryPolicy === undefined
          ? base?.policy
          : this.#resolve(retryPolicy ?? {}, retryPolicy === null),
      region,
      strictRegion,
      prefer,
      sessionId,
      tags: tags === undefined || tags.length === 0 ? undefined : [...tags],
      proxyId,
      progress: undefined,
    };
  }

  /** A view's dispatcher leaves the pool open when it is closed. */
  #dispatcherFor(
    context: RequestContext,
    close: () => Promise<void> = async () => {},
    destroy: () => Promise<void> = async () => {},
  ): RotatorDispatcher {
    const rotator = this;
    return new RotatorDispatcher(
      (opts, handler) => {
        const given = (opts as { [contextKey]?: RequestContext })[contextKey];
        this.#dispatch(opts, handler, given ?? copyOf(context));
      },
      {
        ...this.#limits,
        get closed() {
          return rotator.#closed;
        },
        get destroyed() {
          return rotator.#ended !== undefined;
        },
        close,
        destroy,
      },
    );
  }

  #dispatch(
    opts: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
    context: RequestContext,
  ): void {
    if (this.#closed) throw new ClosedError();
    new Operation(this.#engine, opts, handler, context, this.#onEnd).start();
  }

  #connect(
    plan: TunnelPlan,
    context: RequestContext,
    onOpen?: (tunnel: TunnelStream) => void,
  ): Promise<Tunnel> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new ClosedError();
      new TunnelOperation(this.#engine, plan, context, {
        onOpen: (tunnel) => {
          onOpen?.(tunnel);
          resolve(tunnel);
        },
        onError: reject,
        onEnd: this.#onEnd,
      }).start();
    });
  }

  /** Requests that have not ended, and tunnels that have not closed. */
  get #running(): number {
    return this.#operations.size + this.#tunnels.size;
  }

  readonly #onEnd = (): void => {
    if (this.#running === 0) this.#idle?.();
  };
}
