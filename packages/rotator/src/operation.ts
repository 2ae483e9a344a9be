import type { Backoff } from '@whirl/backoff';
import type { FailureReason, Outcome, RetryRefusalReason } from '@whirl/events';
import type { Dispatcher } from 'undici';
import { Attempt } from './attempt.ts';
import { ReplayableBody } from './body.ts';
import { admit, type Engine } from './engine.ts';
import {
  ClosedError,
  InvalidRequestError,
  RequestTimeoutError,
  RetriesExhaustedError,
  WhirlError,
  type AttemptRecord,
} from './errors.ts';
import type { Failure } from './failure.ts';
import { modern, type Controller } from './handler.ts';
import { backoffOf, noRetries, resolvePolicy, type RetryPolicy } from './policy.ts';
import type { RequestContext } from './request-context.ts';

const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'DELETE']);
const neverSent = new Set(['select', 'dns', 'tcp', 'tls_proxy', 'socks', 'connect']);

type Headers = Record<string, string | string[]>;
type UpgradeSocket = Parameters<NonNullable<Dispatcher.DispatchHandler['onRequestUpgrade']>>[3];

/** Headers of every shape as one flat list; proxy credentials are ours alone to give. */
function flatHeaders(given: Dispatcher.DispatchOptions['headers']): string[] {
  const pairs: [string, unknown][] = [];
  if (Array.isArray(given)) {
    for (let i = 0; i + 1 < given.length; i += 2) pairs.push([String(given[i]), given[i + 1]]);
  } else if (given !== null && given !== undefined) {
    const entries =
      Symbol.iterator in given
        ? (given as Iterable<[string, unknown]>)
        : Object.entries(given as Record<string, unknown>);
    for (const [name, value] of entries) pairs.push([name, value]);
  }
  const flat: string[] = [];
  let length = false;
  for (const [name, value] of pairs) {
    const lower = name.toLowerCase();
    if (lower === 'proxy-authorization' || value === undefined) continue;
    if (lower === 'content-length') {
      if (length) continue;
      length = true;
    }
    for (const each of Array.isArray(value) ? value : [value]) flat.push(name, String(each));
  }
  return flat;
}

function has(headers: readonly string[], name: string): boolean {
  for (let i = 0; i < headers.length; i += 2) if (headers[i]?.toLowerCase() === name) return true;
  return false;
}

/** One request with all its attempts, between the caller's handler and the proxies' clients. */
export class Operation {
  readonly id: string;
  readonly engine: Engine;
  readonly opts: Dispatcher.DispatchOptions;
  readonly origin: URL;
  readonly method: string;
  readonly policy: RetryPolicy;
  readonly headers: readonly string[];
  readonly hasHost: boolean;
  readonly body: ReplayableBody;
  readonly startedAt: number;
  readonly controller: Controller;
  nextRetryAt: number | undefined;
  paused = false;
  readonly #context: RequestContext;
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #backoff: Backoff;
  readonly #tried = new Set<string>();
  readonly #records: AttemptRecord[] = [];
  #current: Attempt | undefined;
  #previousDelayMs: number | undefined;
  #failedRegion: string | undefined;
  #deadlineTimer: NodeJS.Timeout | undefined;
  #delayTimer: NodeJS.Timeout | undefined;
  #forwarded = false;
  #ended = false;
  #statusCode: number | undefined;
  readonly #onEnd: () => void;

  constructor(
    engine: Engine,
    opts: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
    context: RequestContext,
    ended: () => void,
  ) {
    this.#onEnd = ended;
    this.engine = engine;
    this.opts = opts;
    this.#handler = modern(handler);
    this.#context = context;
    context.attempts = this.#records;
    this.method = String(opts.method).toUpperCase();
    let origin: URL;
    try {
      origin = new URL(String(opts.origin));
    } catch {
      throw new InvalidRequestError(
        `the origin must be an absolute URL, got "${String(opts.origin)}"`,
      );
    }
    if (origin.protocol !== 'http:' && origin.protocol !== 'https:') {
      throw new InvalidRequestError(`the URL must be http: or https:, got "${origin.protocol}"`);
    }
    this.origin = origin;
    const { retryPolicy } = context;
    this.policy =
      retryPolicy === undefined
        ? engine.policy
        : retryPolicy === null
          ? noRetries
          : resolvePolicy(retryPolicy);
    this.#backoff = backoffOf(this.policy, engine.random);
    this.headers = flatHeaders(opts.headers);
    this.hasHost = has(this.headers, 'host');
    this.body = new ReplayableBody(opts.body, true);
    this.id = engine.nextRequestId();
    this.startedAt = engine.now();
    const operation = this;
    let reason: Error | null = null;
    this.controller = {
      get paused() {
        return operation.paused;
      },
      get aborted() {
        return reason !== null;
      },
      get reason() {
        return reason;
      },
      pause() {
        operation.paused = true;
        operation.#current?.pause();
      },
      resume() {
        operation.paused = false;
        operation.#current?.resume();
      },
      abort(why: Error) {
        if (reason !== null || operation.#ended) return;
        reason = why ?? new DOMException('This operation was aborted', 'AbortError');
        operation.end('aborted', reason);
      },
    } as Controller;
  }

  get attemptCount(): number {
    return this.#current === undefined ? 0 : this.#current.number + 1;
  }

  get proxyId(): string | undefined {
    return this.#current?.proxyId;
  }

  start(): void {
    const { bus, operations } = this.engine;
    operations.set(this.id, this);
    if (bus.has('request:start')) {
      bus.emit('request:start', {
        requestId: this.id,
        method: this.method,
        origin: this.origin.origin,
        at: this.startedAt,
      });
    }
    const { timeoutMs } = this.policy;
    if (timeoutMs !== undefined) {
      this.#deadlineTimer = setTimeout(
        () => this.#timedOut(undefined),
        Math.min(timeoutMs, 2 ** 31 - 1),
      );
    }
    this.#guard(() => this.#handler.onRequestStart?.(this.controller, {}));
    if (!this.#ended) this.#begin(0, 0, undefined);
  }

  /** Ends the request from outside an attempt: an abort, a deadline, a close. */
  end(outcome: Outcome, error: Error): void {
    if (this.#ended) return;
    this.#current?.kill(error, outcome === 'timeout' ? 'timeout' : 'aborted');
    this.#finish(outcome, error);
    this.#guard(() => this.#handler.onResponseError?.(this.controller, error));
  }

  record(record: AttemptRecord): void {
    this.#records.push(record);
  }

  /** A retryable status: begins the next attempt and says true, or leaves the response to stand. */
  retryAfterStatus(
    attempt: Attempt,
    failure: Failure,
    settle: (failure: Failure) => void,
  ): boolean {
    const plan = this.#plan(attempt, failure);
    if (typeof plan === 'string') {
      this.#refused(attempt, plan);
      return false;
    }
    settle(failure);
    this.#schedule(attempt, failure, plan);
    return true;
  }

  attemptFailed(attempt: Attempt, failure: Failure): void {
    if (this.#ended || attempt !== this.#current) return;
    const { error } = failure;
    if (this.#forwarded) {
      this.#fail(failure.outcome, error);
      return;
    }
    const final = failure.blame === 'caller';
    const auth = failure.reason === 'proxy_auth' && !this.policy.failoverOnProxyAuth;
    if (final || auth) {
      this.#fail(failure.outcome, error);
      return;
    }
    const plan = this.#plan(attempt, failure);
    if (typeof plan !== 'string') {
      this.#schedule(attempt, failure, plan);
      return;
    }
    this.#refused(attempt, plan);
    if (plan === 'deadline') this.#timedOut(error);
    else if (plan === 'attempts' || plan === 'no_proxy' || plan === 'retry_after') {
      this.#fail(failure.outcome, new RetriesExhaustedError(this.#records, error));
    } else this.#fail(failure.outcome, error);
  }

  forwardStart(
    attempt: Attempt,
    upstream: Controller,
    statusCode: number,
    headers: Headers,
    statusMessage: string | undefined,
  ): void {
    if (this.#ended || attempt !== this.#current) return;
    this.controller.rawHeaders = upstream.rawHeaders ?? null;
    if (statusCode >= 200) {
      this.#forwarded = true;
      this.#statusCode = statusCode;
      this.#context.answeredBy = attempt.proxyId;
    }
    this.#guard(() =>
      this.#handler.onResponseStart?.(this.controller, statusCode, headers, statusMessage),
    );
  }

  forwardData(chunk: Buffer): void {
    if (!this.#ended) this.#guard(() => this.#handler.onResponseData?.(this.controller, chunk));
  }

  forwardEnd(attempt: Attempt, upstream: Controller, trailers: Headers): void {
    if (this.#ended || attempt !== this.#current) return;
    this.controller.rawTrailers = upstream.rawTrailers ?? null;
    const last = this.#records.at(-1);
    this.#finish(last?.outcome ?? 'success', undefined);
    this.#guard(() => this.#handler.onResponseEnd?.(this.controller, trailers));
  }

  upgraded(
    attempt: Attempt,
    upstream: Controller,
    statusCode: number,
    headers: Headers,
    socket: UpgradeSocket,
  ): void {
    if (this.#ended) return;
    this.controller.rawHeaders = upstream.rawHeaders ?? null;
    this.#statusCode = statusCode;
    this.#context.answeredBy = attempt.proxyId;
    this.#finish('success', undefined);
    this.#guard(() =>
      this.#handler.onRequestUpgrade?.(this.controller, statusCode, headers, socket),
    );
  }

  #begin(number: number, delayMs: number, last: Failure | undefined): void {
    const { region = this.#failedRegion, sessionId, tags, proxyId } = this.#context;
    const admission = admit(this.engine, {
      tried: this.#tried,
      target: this.origin.origin,
      region,
      sessionId,
      tags,
      proxyId,
    });
    if (admission === undefined) {
      if (last === undefined) this.#fail('circuit_open', this.engine.unavailable());
      else {
        this.#emitRefused(number - 1, 'no_proxy');
        this.#fail(last.outcome, new RetriesExhaustedError(this.#records, last.error));
      }
      return;
    }
    const attempt = new Attempt(this, admission, number, delayMs);
    this.#tried.add(attempt.proxyId);
    this.#current = attempt;
    attempt.start();
  }

  /** How long to wait for the next attempt, or why there is none. */
  #plan(attempt: Attempt, failure: Failure): number | RetryRefusalReason {
    const { policy, engine } = this;
    if (attempt.number + 1 >= policy.maxAttempts) return 'attempts';
    const sent = attempt.sent && !neverSent.has(failure.phase);
    if (
      sent &&
      !idempotent.has(this.method) &&
      !policy.retryNonIdempotent &&
      !has(this.headers, 'idempotency-key')
    ) {
      return 'method';
    }
    if (!this.body.replayable) return 'body';
    const { proxyId } = this.#context;
    if (proxyId === undefined && engine.selector.availableCount === 0) return 'no_proxy';
    const another = proxyId === undefined && engine.selector.availableCount > this.#tried.size;
    const immediate = policy.failoverDelay === 'none' && another && failure.blame === 'proxy';
    let delayMs = immediate ? 0 : this.#backoff.delay(attempt.number, this.#previousDelayMs);
    if (!immediate) this.#previousDelayMs = delayMs;
    const { retryAfterMs } = failure;
    if (policy.respectRetryAfter && retryAfterMs !== undefined && !immediate) {
      if (retryAfterMs > policy.maxRetryAfterMs) return 'retry_after';
      if (policy.timeoutMs !== undefined && retryAfterMs >= this.#remainingMs()) {
        return 'retry_after';
      }
      delayMs = Math.max(delayMs, retryAfterMs);
    }
    if (delayMs >= this.#remainingMs()) return 'deadline';
    return delayMs;
  }

  #remainingMs(): number {
    const { timeoutMs } = this.policy;
    if (timeoutMs === undefined) return Number.POSITIVE_INFINITY;
    return this.startedAt + timeoutMs - this.engine.now();
  }

  #schedule(attempt: Attempt, failure: Failure, delayMs: number): void {
    const { bus, now } = this.engine;
    const number = attempt.number + 1;
    this.#failedRegion = attempt.region;
    const at = now();
    if (bus.has('retry:scheduled')) {
      bus.emit('retry:scheduled', {
        requestId: this.id,
        attempt: number,
        failedProxyId: attempt.proxyId,
        delayMs,
        reason: failure.reason satisfies FailureReason,
        at,
      });
    }
    if (this.#ended) return;
    if (delayMs <= 0) {
      queueMicrotask(() => {
        if (!this.#ended) this.#begin(number, 0, failure);
      });
      return;
    }
    this.nextRetryAt = at + delayMs;
    this.#delayTimer = setTimeout(
      () => {
        this.nextRetryAt = undefined;
        this.#begin(number, delayMs, failure);
      },
      Math.min(delayMs, 2 ** 31 - 1),
    );
  }

  #refused(attempt: Attempt, reason: RetryRefusalReason): void {
    if (this.policy.maxAttempts > 1) this.#emitRefused(attempt.number, reason);
  }

  #emitRefused(attempt: number, reason: RetryRefusalReason): void {
    const { bus, now } = this.engine;
    if (bus.has('retry:refused')) {
      bus.emit('retry:refused', { requestId: this.id, attempt, reason, at: now() });
    }
  }

  #timedOut(cause: unknown): void {
    const { timeoutMs } = this.policy;
    const error = new RequestTimeoutError(timeoutMs ?? 0, this.#records, cause);
    this.end('timeout', error);
  }

  #fail(outcome: Outcome, error: Error): void {
    if (this.#ended) return;
    if (error instanceof WhirlError) error.attempts = this.#records;
    this.#finish(outcome, error);
    this.#guard(() => this.#handler.onResponseError?.(this.controller, error));
  }

  /** Says how the request ended, once, and lets go of everything. */
  #finish(outcome: Outcome, error: Error | undefined): void {
    this.#ended = true;
    clearTimeout(this.#deadlineTimer);
    clearTimeout(this.#delayTimer);
    const { bus, now, operations } = this.engine;
    operations.delete(this.id);
    this.#onEnd();
    if (!bus.has('request:end')) return;
    const at = now();
    bus.emit('request:end', {
      requestId: this.id,
      method: this.method,
      origin: this.origin.origin,
      outcome,
      attemptCount: this.#records.length,
      statusCode: this.#statusCode,
      errorCode: (error as { code?: string } | undefined)?.code,
      durationMs: at - this.startedAt,
      policyName: this.policy.name,
      at,
    });
  }

  /** A handler that throws ends its own request, and nobody else's. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      if (!this.#ended) this.end('aborted', error as Error);
    }
  }

  /** Ends the request because its rotator is closing. */
  close(): void {
    this.end('aborted', new ClosedError());
  }
}
