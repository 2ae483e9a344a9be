import type { Outcome } from '@whirl/events';
import { parseRetryAfter } from '@whirl/backoff';
import type { Dispatcher } from 'undici';
import type { Lease } from './clients.ts';
import type { Admission, Engine } from './engine.ts';
import { AttemptTimeoutError, ProxyAuthenticationError } from './errors.ts';
import { classify, type Failure } from './failure.ts';
import type { Controller } from './handler.ts';
import { basicAuth } from './http-connect.ts';
import type { Operation } from './operation.ts';

/** A discarded answer is drained up to here, which keeps its connection; then it is destroyed. */
const drainBytes = 131_072;

type Headers = Record<string, string | string[]>;

/** One try of a request through one proxy: the handler under undici's client. */
export class Attempt implements Dispatcher.DispatchHandler {
  readonly number: number;
  readonly proxyId: string;
  readonly delayBeforeMs: number;
  readonly #engine: Engine;
  readonly #operation: Operation;
  readonly #admission: Admission;
  readonly #startedAt: number;
  #lease: Lease | undefined;
  #tunnel = true;
  #timer: NodeJS.Timeout | undefined;
  #upstream: Controller | undefined;
  #latencyMs: number | undefined;
  #statusCode: number | undefined;
  #statusFailure: Failure | undefined;
  /** What it came to has been said; whatever still arrives is not for the caller. */
  #settled = false;
  #drained = 0;

  constructor(operation: Operation, admission: Admission, number: number, delayBeforeMs: number) {
    this.#operation = operation;
    this.#engine = operation.engine;
    this.#admission = admission;
    this.number = number;
    this.delayBeforeMs = delayBeforeMs;
    this.proxyId = admission.member.proxy.id;
    this.#startedAt = this.#engine.now();
  }

  get sent(): boolean {
    return this.#upstream !== undefined;
  }

  get region(): string | undefined {
    return this.#admission.member.proxy.region;
  }

  start(): void {
    const { bus, clients } = this.#engine;
    const { id: requestId, origin, policy } = this.#operation;
    const { proxy } = this.#admission.member;
    if (bus.has('attempt:start')) {
      bus.emit('attempt:start', {
        requestId,
        attempt: this.number,
        proxyId: this.proxyId,
        origin: origin.origin,
        hedge: false,
        at: this.#startedAt,
      });
    }
    this.#timer = setTimeout(() => this.#timeout(), Math.min(policy.attemptTimeoutMs, 2 ** 31 - 1));
    const { opts } = this.#operation;
    const lease = clients.take(proxy, origin, {
      timeoutMs: policy.attemptTimeoutMs,
      tunnel: opts.upgrade ? 'always' : undefined,
    });
    this.#lease = lease;
    this.#tunnel = !lease.absoluteForm;
    const headers = [...this.#operation.headers];
    let path = opts.path;
    if (lease.absoluteForm) {
      path = origin.origin + path;
      if (!this.#operation.hasHost) headers.push('host', origin.host);
      const auth = basicAuth(proxy);
      if (auth !== undefined) headers.push('proxy-authorization', auth);
    }
    const dispatch: Dispatcher.DispatchOptions = {
      ...opts,
      origin: lease.absoluteForm ? undefined : origin.origin,
      path,
      headers,
      body: this.#operation.body.open() as Dispatcher.DispatchOptions['body'],
    } as Dispatcher.DispatchOptions;
    try {
      lease.dispatch(dispatch, this);
    } catch (error) {
      this.#lost(error as Error);
    }
  }

  pause(): void {
    this.#upstream?.pause();
  }

  resume(): void {
    this.#upstream?.resume();
  }

  /** Ends it from above: the caller's abort (neutral), or a deadline. */
  kill(error: Error, outcome: 'aborted' | 'timeout'): void {
    if (this.#settled) return;
    const phase =
      this.#latencyMs !== undefined ? 'body' : this.sent ? 'headers' : this.#dialPhase();
    this.#settle({
      outcome,
      phase,
      reason: outcome,
      blame: outcome === 'aborted' || phase === 'body' ? 'caller' : 'proxy',
      ambiguous: false,
      error,
    });
    this.#cut(error);
  }

  onRequestStart(controller: Controller): void {
    this.#upstream = controller;
    this.#operation.body.touch();
    if (this.#settled) controller.abort(new Error('the attempt is over'));
    else if (this.#operation.paused) controller.pause();
  }

  onRequestUpgrade(
    controller: Controller,
    statusCode: number,
    headers: Headers,
    socket: Parameters<NonNullable<Dispatcher.DispatchHandler['onRequestUpgrade']>>[3],
  ): void {
    clearTimeout(this.#timer);
    this.#release();
    if (this.#settled) {
      socket.destroy();
      return;
    }
    this.#latencyMs = this.#engine.now() - this.#startedAt;
    this.#statusCode = statusCode;
    this.#settle(undefined);
    this.#operation.upgraded(this, controller, statusCode, headers, socket);
  }

  onResponseStart(
    controller: Controller,
    statusCode: number,
    headers: Headers,
    statusMessage?: string,
  ): void {
    if (this.#settled) return;
    if (statusCode < 200) {
      this.#operation.forwardStart(this, controller, statusCode, headers, statusMessage);
      return;
    }
    clearTimeout(this.#timer);
    this.#latencyMs = this.#engine.now() - this.#startedAt;
    this.#statusCode = statusCode;
    const tunnel = this.#tunnel;
    if (statusCode === 407 && !tunnel) {
      const error = new ProxyAuthenticationError(`${this.proxyId} answered with 407`, {
        phase: 'headers',
        proxyId: this.proxyId,
        statusCode,
      });
      this.#fail(classify(error, this.#seen(false)));
      return;
    }
    if (tunnel) this.#engine.origins.clear(this.#operation.origin.origin);
    const { retryStatusCodes } = this.#operation.policy;
    if (retryStatusCodes.includes(statusCode)) {
      const retryAfter = headers['retry-after'];
      const failure: Failure = {
        outcome: 'failure',
        phase: 'headers',
        reason: 'status',
        blame: tunnel ? 'target' : 'proxy',
        ambiguous: false,
        statusCode,
        retryAfterMs:
          typeof retryAfter === 'string'
            ? parseRetryAfter(retryAfter, this.#engine.wallNow())
            : undefined,
        error: new Error(`status ${statusCode}`),
      };
      if (this.#operation.retryAfterStatus(this, failure, (settled) => this.#settle(settled)))
        return;
      this.#statusFailure = failure;
    }
    this.#operation.forwardStart(this, controller, statusCode, headers, statusMessage);
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (!this.#settled) {
      this.#operation.forwardData(chunk);
      return;
    }
    this.#drained += chunk.length;
    if (this.#drained > drainBytes) {
      const error = new Error('a discarded answer is too large to drain');
      controller.abort(error);
      this.#cut(error);
    }
  }

  onResponseEnd(controller: Controller, trailers: Headers): void {
    this.#release();
    if (this.#settled) return;
    this.#settle(this.#statusFailure);
    this.#operation.forwardEnd(this, controller, trailers);
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.#lost(error);
  }

  #lost(error: Error): void {
    this.#lease?.cut(error);
    if (this.#settled) return;
    this.#fail(classify(error, this.#seen(this.#latencyMs !== undefined)));
  }

  #seen(headersSeen: boolean) {
    return { proxyId: this.proxyId, tunnel: this.#tunnel, headersSeen };
  }

  #fail(failure: Failure): void {
    const { origins, now } = this.#engine;
    const settled =
      failure.ambiguous && origins.blamesTarget(this.#operation.origin.origin, this.proxyId, now())
        ? { ...failure, blame: 'target' as const }
        : failure;
    this.#settle(settled);
    // Never synchronously inside a client's callback: its bookkeeping is not finished.
    queueMicrotask(() => this.#operation.attemptFailed(this, settled));
  }

  #timeout(): void {
    if (this.#settled) return;
    const phase = this.sent ? 'headers' : this.#dialPhase();
    const { attemptTimeoutMs } = this.#operation.policy;
    const error = new AttemptTimeoutError(attemptTimeoutMs, phase, this.proxyId);
    this.#fail(classify(error, this.#seen(false)));
    this.#cut(error);
  }

  #dialPhase() {
    return this.#lease?.phase ?? 'tcp';
  }

  /** Books the outcome, once: the circuit first, then the event. */
  #settle(failure: Failure | undefined): void {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#timer);
    const { bus, now } = this.#engine;
    const { breaker } = this.#admission.member;
    const { ticket } = this.#admission;
    const at = now();
    const latencyMs = this.#latencyMs ?? at - this.#startedAt;
    const blame = failure?.blame ?? 'none';
    if (breaker !== undefined) {
      if (blame === 'proxy') breaker.fail(ticket, latencyMs);
      else if (blame === 'caller') breaker.release(ticket);
      else breaker.succeed(ticket, latencyMs);
      if (failure?.reason === 'proxy_auth' && breaker.state === 'closed') {
        breaker.trip({ reason: 'failures' });
      }
    }
    const outcome: Outcome = failure?.outcome ?? 'success';
    const statusCode = failure?.statusCode ?? this.#statusCode;
    const errorCode =
      failure === undefined || failure.reason === 'status'
        ? undefined
        : (failure.error as { code?: string }).code;
    this.#operation.record({
      attempt: this.number,
      proxyId: this.proxyId,
      outcome,
      latencyMs,
      delayBeforeMs: this.delayBeforeMs,
      ...(statusCode === undefined ? {} : { statusCode }),
      ...(errorCode === undefined ? {} : { errorCode }),
    });
    if (bus.has('attempt:end')) {
      bus.emit('attempt:end', {
        requestId: this.#operation.id,
        attempt: this.number,
        proxyId: this.proxyId,
        origin: this.#operation.origin.origin,
        outcome,
        blame,
        phase: failure?.phase ?? 'body',
        statusCode,
        errorCode,
        reason: failure?.reason,
        latencyMs,
        delayBeforeMs: this.delayBeforeMs,
        hedge: false,
        at,
      });
    }
  }

  /** Ends the connection, with whatever is on it. */
  #cut(error: Error): void {
    this.#lease?.cut(error);
  }

  #release(): void {
    this.#lease?.release();
  }
}
