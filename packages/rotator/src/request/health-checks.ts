import type { CircuitBreaker } from '@whirl/circuit-breaker';
import type { Dispatcher } from 'undici';
import { checkTarget } from './check-target.ts';
import { maxTimerMs } from '../timer.ts';
import type { Engine } from './engine.ts';
import { AttemptTimeoutError } from '../errors.ts';
import { classify, lateHere, type Failure } from '../blame/failure.ts';
import type { Admission } from '../pool/member.ts';
import { OutgoingRequest } from './outgoing-request.ts';
import { noRetries } from '../policy/retry-policy.ts';
import { wantsCredentials } from './wanted-credentials.ts';
import { checkOptions, func, integer, number, type Kind } from '@whirl/check';

/** Tests open circuits, those of groups too, that no traffic would reach. */
export interface HealthCheckOptions {
  /** What is requested with GET, through each proxy. An absolute URL, http: or https:. */
  readonly url: string | URL;
  /**
   * Milliseconds between rounds. A round tests the circuits that were due for a test in the round before: until then
   * a request may have tested them. ≥ 10, default 10,000.
   */
  readonly intervalMs?: number | undefined;
  /** Milliseconds that a test may take until the headers of its response. ≥ 1, default 10,000. */
  readonly timeoutMs?: number | undefined;
  /** Tests under way at once. An integer ≥ 1, default 4. */
  readonly concurrency?: number | undefined;
  /** Which responses close the circuit. Default: a status of 200 to 399. */
  readonly isHealthy?: ((statusCode: number) => boolean) | undefined;
}

const kinds: Readonly<Record<keyof HealthCheckOptions, Kind>> = {
  url: {
    wanted: 'an absolute http: or https: URL',
    isType: (value) => typeof value === 'string' || value instanceof URL,
    isWithin: (value: string | URL) =>
      URL.canParse(String(value)) && /^https?:$/.test(new URL(value).protocol),
    isSecret: true,
  },
  intervalMs: number(10, maxTimerMs),
  timeoutMs: number(1, maxTimerMs),
  concurrency: integer(1),
  isHealthy: func,
};

/** Rounds of tests. Its timer keeps no process alive. */
export class HealthChecks {
  readonly #engine: Engine;
  readonly #url: URL;
  readonly #intervalMs: number;
  readonly #timeoutMs: number;
  readonly #concurrency: number;
  readonly #isHealthy: (statusCode: number) => boolean;
  readonly #timer: NodeJS.Timeout;
  /** Circuits that were due in the last round, and how often they had changed by then. */
  #waiting = new Map<CircuitBreaker, number>();
  readonly #queue = new Set<CircuitBreaker>();
  #running = 0;
  #closed = false;

  /** Throws a TypeError or RangeError that names the option. */
  constructor(engine: Engine, options: HealthCheckOptions) {
    checkOptions('healthCheck', options, kinds, ['url']);
    const { url, intervalMs = 10_000, timeoutMs = 10_000, concurrency = 4 } = options;
    const { isHealthy = (statusCode: number) => statusCode >= 200 && statusCode < 400 } = options;
    checkTarget(engine.targets, url);
    this.#engine = engine;
    this.#url = new URL(url);
    this.#intervalMs = intervalMs;
    this.#timeoutMs = timeoutMs;
    this.#concurrency = concurrency;
    this.#isHealthy = isHealthy;
    this.#timer = setInterval(() => this.#round(), this.#intervalMs);
    this.#timer.unref();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#queue.clear();
  }

  #round(): void {
    const { pool, now } = this.#engine;
    const due = new Map<CircuitBreaker, number>();
    const { group: circuits, groups } = pool.circuits;
    for (const all of [groups.due(now()), circuits.due(now())]) {
      for (const breaker of all) {
        if (this.#waiting.get(breaker) === breaker.generation) this.#queue.add(breaker);
        else due.set(breaker, breaker.generation);
      }
    }
    this.#waiting = due;
    this.#next();
  }

  #next(): void {
    for (const breaker of this.#queue) {
      if (this.#running >= this.#concurrency) return;
      this.#queue.delete(breaker);
      const admission = this.#admission(breaker);
      if (admission === undefined) continue;
      this.#running++;
      this.#probe(admission);
    }
  }

  /**
   * Traffic may have come first, or another proxy under that id. A circuit admits one test at a time, so a second one to the
   * same proxy or group cannot be under way.
   */
  #admission(breaker: CircuitBreaker): Admission | undefined {
    const { pool, now } = this.#engine;
    const { name } = breaker;
    if (!breaker.isDue(now())) return undefined;
    const group = pool.circuits.groups.get(name);
    if (group?.breaker === breaker) return pool.probe(group);
    return pool.circuits.group.peek(name) === breaker ? pool.enter(name) : undefined;
  }

  /** What it finds out is evidence as well: a proxy that works here is not to blame for another target. */
  #probe(admission: Admission): void {
    const { connectionPool, pool, bus, now, judge, lag } = this.#engine;
    const { member } = admission;
    const startedAt = now();
    const target = judge.targets.get(this.#url.origin, startedAt);
    const request = new OutgoingRequest(
      {
        origin: this.#url.origin,
        path: this.#url.pathname + this.#url.search,
        method: 'GET',
        headers: [],
      },
      noRetries,
    );
    const lease = request.lease(connectionPool, member.proxy, {
      connectTimeoutMs: this.#timeoutMs,
    });
    let ended = false;
    lag.begun();
    const lagBeforeMs = lag.totalMs;
    const end = (failure: Failure | undefined) => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      lag.ended();
      const at = now();
      const latencyMs = at - startedAt;
      pool.circuits.settle(admission, failure, latencyMs, at);
      if (bus.has('health:checked')) {
        const outcome = failure?.blame === 'caller' ? 'aborted' : (failure?.outcome ?? 'success');
        bus.emit('health:checked', { proxyId: member.id, outcome, latencyMs, at });
      }
      pool.free(member);
      this.#running--;
      if (!this.#closed) this.#next();
    };
    // The response's body is of no use: its connection is closed rather than read to the end.
    const cut = () => lease.cut(new Error('the health check is over'));
    const tunnel = !lease.absoluteForm;
    const failed = (error: Error) => {
      if (ended) return;
      const seen = { proxyId: member.id, sealed: false, headersSeen: false };
      const failure = classify(error, seen);
      const late =
        error instanceof AttemptTimeoutError && lag.wasLate(lagBeforeMs, now() - startedAt);
      end(judge.judged(late ? lateHere(failure) : failure, member, target, now()));
    };
    const expired = () => {
      failed(new AttemptTimeoutError(this.#timeoutMs, lease.phase ?? 'headers', member.id));
      cut();
    };
    // The sockets get a turn after a loop that was late.
    const timer = setTimeout(() => setImmediate(expired), this.#timeoutMs);
    timer.unref();
    let responding = false;
    const send = () => {
      try {
        lease.dispatch(request.through(lease, member.proxy), handler);
      } catch (error) {
        lease.cut(error as Error);
        failed(error as Error);
      }
    };
    const handler: Dispatcher.DispatchHandler & { onResponseStarted(): void } = {
      onRequestStart() {},
      onResponseStarted: () => void (responding = true),
      onResponseStart: (_, statusCode, headers) => {
        if (ended || statusCode < 200) return;
        const at = now();
        if (statusCode === 407 && !tunnel) {
          const seen = { proxyId: member.id, sealed: false, headersSeen: false };
          const failure = wantsCredentials(headers, member, lease.proxyHeaders, seen, at);
          end(judge.judged(failure, member, target, at));
        } else if (this.#isHealthy(statusCode)) {
          const latencyMs = at - startedAt;
          judge.respondedWell(member, target, at, { statusCode, latencyMs, tunnel, ruled: true });
          end(undefined);
        } else end(judge.judged(unhealthy(statusCode, tunnel), member, target, at, tunnel));
        cut();
      },
      onResponseData() {},
      onResponseEnd() {},
      onResponseError: (_, error) => {
        if (!ended && !responding && lease.stale(error, true)) {
          lease.renew();
          queueMicrotask(send);
          return;
        }
        lease.cut(error);
        failed(error);
      },
    };
    send();
  }
}

/** In a tunnel it is the target that is not well. */
function unhealthy(statusCode: number, tunnel: boolean): Failure {
  return {
    outcome: 'failure',
    phase: 'headers',
    reason: 'status',
    ...(tunnel ? { blame: 'target' } : { blame: 'unknown', doubt: 'failed' }),
    statusCode,
    error: new Error(`status ${statusCode}`),
  };
}
