import { createBus, type CircuitState, type WhirlBus, type WhirlEvents } from '@whirl/events';
import { RetryMetrics } from '@whirl/metrics';
import type { Dispatcher } from 'undici';
import type { Agents, AgentsOptions } from './agents.ts';
import type { TargetSnapshot } from './blame/targets.ts';
import { check, checkOptions, func, integer, number, or, withMethods } from '@whirl/check';
import { ClosedError } from './errors.ts';
import { withChannels } from './events/diagnostics-channels.ts';
import { logFacts } from './events/logging.ts';
import { noRetries, type RetryPolicy, type RetryPolicyOptions } from './policy/retry-policy.ts';
import type { Pool } from './pool/pool.ts';
import type { PoolEntry } from './pool/pool-entry.ts';
import { sharedPool, type SharedPool } from './pool/shared-pool.ts';
import { clearingUnhealthy } from './pool/unhealthy.ts';
import type { ConnectOptions, ForwardOptions } from './request/connect-options.ts';
import type { ForwardedTunnel, ForwardListener } from './request/forwarded-tunnel.ts';
import type { Engine } from './request/engine.ts';
import { HealthChecks } from './request/health-checks.ts';
import type { RoutingOptions } from './request/request-options.ts';
import type { Tunnel } from './request/tunnel.ts';
import { createEngine } from './rotator-engine.ts';
import { RotatorEntrance } from './rotator-entrance.ts';
import { checkRotatorOptions, type RotatorOptions } from './rotator-options.ts';
import {
  DispatcherView,
  type FetchOptions,
  type RequestOptions,
  type RotatorResponse,
  type RotatorView,
  type Verb,
} from './rotator-view.ts';
import {
  snapshotOfCircuit,
  snapshotOfGateway,
  snapshotOfGroup,
  snapshotOfProxy,
  type CircuitSnapshot,
  type ProxySnapshot,
  type RequestSnapshot,
} from './snapshots.ts';
import { allSteps, stepByStep, type Steps } from './steps.ts';

const closeKinds = { graceMs: number(0) };
const targetsKinds = { limit: or(Infinity, integer(0)) };
const setKinds = { owned: withMethods('a Set of ids', 'has') };

/** Read once, as a number: the fake timers of test runners put a function in its place, or nothing. */
const timeOrigin = +performance.timeOrigin || Date.now() - performance.now();
const systemNow = (): number => timeOrigin + performance.now();
const sinceOrigin = (at: number): number => at - timeOrigin;
const monotonicNow = (): number => performance.now();

/**
 * Sends requests through a pool of proxies: picks one that will probably work, retries and fails
 * over within the request, keeps failing proxies out of rotation, and tells on its bus what it did.
 */
export class ProxyRotator implements RotatorView {
  readonly bus: WhirlBus;
  readonly dispatcher: Dispatcher;
  readonly #pool: Pool;
  readonly #metrics: RetryMetrics | undefined;
  readonly #now: () => number;
  readonly #engine: Engine;
  readonly #health: HealthChecks | undefined;
  readonly #entrance: RotatorEntrance;
  readonly #view: DispatcherView;
  /** What to undo at the end, in this order. */
  readonly #undo: (() => void)[] = [];
  #ended: Promise<void> | undefined;
  /** The last change of the pool in steps. Never rejects. */
  #changing: Promise<unknown> = Promise.resolve();

  /** Throws a TypeError or RangeError, or the error of a bad proxy or policy; see `RotatorOptions`. */
  constructor(options: RotatorOptions = {}) {
    checkRotatorOptions(options);
    const { now = systemNow, random = Math.random, logger, metrics, bus } = options;
    this.#now = now;
    this.bus = bus ?? createBus<WhirlEvents>();
    const monotonicAt = now === systemNow ? sinceOrigin : monotonicNow;
    this.#engine = createEngine(options, {
      bus: withChannels(this.bus),
      now,
      monotonicAt,
      random,
    });
    this.#pool = this.#engine.pool;
    const { webSocket = {}, eventSource = {} } = options;
    const limits = { webSocket: { ...webSocket }, eventSource: { ...eventSource } };
    this.#entrance = new RotatorEntrance(this.#engine, limits);
    const defaults = this.#entrance.understand({});
    const ending = { close: () => this.close(), destroy: () => this.destroy() };
    this.dispatcher = this.#entrance.dispatcherFor(defaults, ending);
    this.#view = new DispatcherView(this.#entrance, defaults, this.dispatcher);
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
    const { current } = this.#engine.policies;
    return current === noRetries ? null : current;
  }

  set retryPolicy(policy: RetryPolicyOptions | null) {
    const { policies } = this.#engine;
    policies.change(policy);
    const { bus } = this.#engine;
    if (bus.has('policy:changed')) {
      bus.emit('policy:changed', {
        policy: policy === null ? null : { ...policies.current },
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
    options: { readonly owned?: ReadonlySet<string> | undefined } = {},
  ): void {
    checkOptions('', options, setKinds);
    this.#pool.set(proxies, options.owned);
  }

  /**
   * `setProxies()` for long lists: the pool changes in steps of a few milliseconds, between which the event loop
   * turns. First the proxies of the list join or change, then the others leave, so that a request may meet a part of
   * the list; up to 1,000 proxies change at once. Resolves when all of it is in use; rejects with `InvalidProxyError` before anything changes. Calls
   * follow each other. A `setProxies()` without `owned` in the meantime stands, and ends it early.
   */
  async setProxiesAsync(
    proxies: readonly PoolEntry[] | string,
    options: { readonly owned?: ReadonlySet<string> | undefined } = {},
  ): Promise<void> {
    checkOptions('', options, setKinds);
    await this.#inTurn(() => this.#pool.setting(proxies, options.owned));
  }

  /** Changes the pool in slices, after the changes in slices that were asked for before. */
  async #inTurn<Result>(change: () => Steps<Result>): Promise<Result> {
    const done = this.#changing.then(() => stepByStep(change()));
    this.#changing = done.catch(() => {});
    return done;
  }

  /** Whether a proxy of the pool has this id. O(1). */
  hasProxy(id: string): boolean {
    return this.#pool.members.has(id) || this.#pool.exits.get(id) !== undefined;
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

  /** Every proxy, with what is known of it. A gateway is one, with its exits folded. */
  proxies(): ProxySnapshot[] {
    return [...this.proxyIds()].map((id) => this.proxy(id)).filter((each) => each !== undefined);
  }

  /**
   * One proxy, or one exit of a gateway, in O(1); a gateway in proportion to its exits. Undefined when the pool has no
   * such id.
   */
  proxy(id: string): ProxySnapshot | undefined {
    const member = this.#pool.members.get(id);
    if (member !== undefined) return snapshotOfProxy(this.#pool, member);
    const set = this.#pool.exits.get(id);
    return set && snapshotOfGateway(this.#pool, set);
  }

  /**
   * The ids of the pool, in the order in which they joined. The iterator is live: an id that is removed before
   * the iterator reaches it is left out, and one that is added meanwhile comes at the end. A gateway has one, whatever
   * its exits.
   */
  proxyIds(): IterableIterator<string> {
    return this.#pool.givenIds();
  }

  /** The number of proxies in the pool; a gateway is one. */
  get size(): number {
    return this.#pool.givenSize;
  }

  /**
   * The circuit of one proxy or exit, in O(1); of a gateway that of its group. Undefined when the pool has no such id,
   * or it has no circuit.
   */
  circuitBreakerState(id: string): CircuitSnapshot | undefined {
    const member = this.#pool.members.get(id);
    if (member !== undefined) return snapshotOfCircuit(member);
    const { group } = this.#pool.exits.get(id)?.gateway ?? {};
    const shared = group === undefined ? undefined : this.#pool.circuits.groups.get(group);
    return shared && snapshotOfGroup(shared);
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
    for (const id of this.proxyIds()) {
      const state = this.circuitBreakerState(id);
      if (state !== undefined) states.set(id, state);
    }
    return states;
  }

  /**
   * Closes a proxy's circuit, forgets its failures and lifts a ban by a rule: it is offered from the next request
   * on. Bans for single targets stand. Of a gateway: its group's circuit and those of its exits, but for exits that were
   * forced open by themselves. False if there is no such circuit.
   */
  resetCircuitBreaker(id: string): boolean {
    return this.#pool.reset(id);
  }

  /** Takes a proxy out of rotation until its circuit is reset. False if there is no such circuit. */
  forceOpenCircuitBreaker(id: string): boolean {
    return this.#pool.forceOpen(id);
  }

  /**
   * Hands its pool to what lets several processes learn together, as `joinFleet()` of `@whirl/fleet` does. `join` is
   * called at once and returns how to leave; leaving happens when this rotator ends, or by what is returned.
   *
   * @throws {ClosedError} When the rotator is closed.
   */
  share(join: (pool: SharedPool) => () => void): () => void {
    check('join', join, func);
    if (this.#entrance.closed) throw new ClosedError();
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
  targets(options: { readonly limit?: number | undefined } = {}): TargetSnapshot[] {
    checkOptions('', options, targetsKinds);
    const at = this.#now();
    return this.#engine.judge.targets
      .list()
      .slice(0, options.limit)
      .map((target) => target.snapshot(at));
  }

  /** The requests that have not ended, in the order of their start. */
  inFlight(): RequestSnapshot[] {
    return [...this.#engine.inFlight.requests].map(
      ({ id, method, origin, attempt, proxyId, nextRetryAt }) => ({
        requestId: id,
        method,
        origin,
        attempt,
        proxyId,
        nextRetryAt,
      }),
    );
  }

  /**
   * Refuses new requests with `ClosedError`, lets running ones finish within `graceMs` (≥ 0, default
   * 5,000), then destroys.
   */
  async close(options: { readonly graceMs?: number | undefined } = {}): Promise<void> {
    checkOptions('', options, closeKinds);
    const { graceMs = 5000 } = options;
    this.#entrance.closed = true;
    this.#health?.close();
    const { inFlight } = this.#engine;
    inFlight.closeIdle();
    await inFlight.drained(graceMs);
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

  forward(to: ForwardOptions, routing: RoutingOptions, listener: ForwardListener): ForwardedTunnel {
    return this.#view.forward(to, routing, listener);
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
    this.#entrance.closed = this.#entrance.destroyed = true;
    this.#health?.close();
    this.#engine.inFlight.endAll();
    await this.#engine.connectionPool.destroy(new ClosedError());
    this.#engine.lag.close();
    this.#engine.deadlines.close();
    for (const undo of this.#undo) undo();
  }
}
