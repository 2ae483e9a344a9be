import type { Backoff } from '@whirl/backoff';
import type { Outcome, RetryRefusalReason } from '@whirl/events';
import type { Failure } from '../blame/failure.ts';
import { tellEnd, tellRefusal, tellRetry, tellStart } from '../events/request-events.ts';
import { RequestTimeoutError, RetriesExhaustedError, WhirlError } from '../errors.ts';
import { backoffOf } from '../policy/retry-policy.ts';
import type { Admission } from '../pool/member.ts';
import { maxTimerMs } from '../timer.ts';
import type { VerdictListener } from './judged-attempt.ts';
import { attempting, ended } from './phase.ts';
import { planNext, type Plan } from './plan-retry.ts';
import { noAttempts, RequestState, type Try } from './request-state.ts';

/** Reasons to make no further attempt that end the request with the errors of its attempts. */
const final = new Set<RetryRefusalReason>(['attempts', 'no_proxy', 'retry_after', 'target_down']);

/**
 * What one request does: it admits its attempts to proxies, plans what follows a failure, hedges, keeps the
 * deadline, and tells on the bus how it went. What an attempt sends and receives is up to a subclass.
 */
export abstract class Failover<Each extends Try>
  extends RequestState<Each>
  implements VerdictListener
{
  /** Made for the first retry. */
  #backoff: Backoff | undefined;
  #previousDelayMs: number | undefined;
  #lastError: Error | undefined;
  #deadlineTimer: NodeJS.Timeout | undefined;
  #begun = 0;
  #hedged = 0;

  /** Whether two attempts may run at once. */
  protected abstract get shareable(): boolean;
  /** Whether what was sent may be sent again. */
  protected abstract get repeatable(): boolean;
  /** Whether what is to be sent can be read again. */
  protected abstract get replayable(): boolean;

  protected abstract attemptThrough(
    admission: Admission,
    number: number,
    delayMs: number,
    hedge: boolean,
  ): Each;

  /** Called when it has failed: tells the caller. */
  protected abstract failed(error: Error): void;

  /** Called when it has ended: releases what it holds. */
  protected abstract letGo(): void;

  /** The error of a request that is not repeated for that reason. */
  protected unrepeated(_reason: RetryRefusalReason, error: Error): Error {
    return error;
  }

  /** Tells that it begins. A listener may end it. */
  protected announce(): void {
    const { inFlight, pool } = this.engine;
    inFlight.begun(this);
    tellStart(this.engine, this);
    pool.circuits.doubts.asked(this.origin, this.startedAt);
    const { timeoutMs } = this.policy;
    if (timeoutMs !== undefined) {
      this.#deadlineTimer = setTimeout(() => this.expire(), Math.min(timeoutMs, maxTimerMs));
    }
  }

  /** Its first attempt. */
  protected attemptFirst(): void {
    if (!this.ended) this.#begin(0, undefined);
  }

  successorOf(attempt: Each, failure: Failure): (() => void) | undefined {
    this.#lastError = failure.error;
    if (this.live.length > 1) {
      // The other attempt may still bring a better one.
      this.drop(attempt);
      return nothing;
    }
    let plan: Plan | RetryRefusalReason;
    try {
      plan = this.#plan(attempt, failure);
    } catch (thrown) {
      this.drop(attempt);
      return () => this.#broken(thrown);
    }
    if (typeof plan === 'string') {
      this.#refused(attempt.number, plan);
      return undefined;
    }
    this.drop(attempt);
    return () => this.#schedule(attempt, failure, plan);
  }

  override end(outcome: 'aborted' | 'timeout' | 'failure', error: Error): void {
    if (this.ended) return;
    for (const attempt of this.live) attempt.kill(error, outcome);
    this.#fail(outcome, error);
  }

  attemptFailed(attempt: Each, failure: Failure): void {
    if (this.ended || !this.drop(attempt)) return;
    const { outcome, error } = failure;
    this.#lastError = error;
    // An error of the request's own ends it; one of this machine may be over by the next attempt.
    if (failure.blame === 'caller' && failure.reason === 'aborted') {
      for (const other of this.live) other.kill(error, 'aborted');
      this.#fail(outcome, error);
      return;
    }
    if (this.phase.is === 'responding') {
      this.#fail(outcome, error);
      return;
    }
    // A failed hedge never beats a pending first attempt, nor the other way round.
    if (this.live.length > 0) return;
    if (failure.reason === 'proxy_auth' && !this.policy.failoverOnProxyAuth) {
      this.#fail(outcome, error);
      return;
    }
    let plan: Plan | RetryRefusalReason;
    try {
      plan = this.#plan(attempt, failure);
    } catch (thrown) {
      this.#broken(thrown);
      return;
    }
    if (typeof plan !== 'string') {
      this.#schedule(attempt, failure, plan);
      return;
    }
    this.#refused(attempt.number, plan);
    if (plan === 'deadline') this.expire();
    else if (final.has(plan)) {
      this.#fail(outcome, new RetriesExhaustedError(this.attempts, error));
    } else this.#fail(outcome, this.unrepeated(plan, error));
  }

  /**
   * Whether no attempt follows a failed one, because the target is down. Failures of this request alone do not end
   * it: its other proxies may show that the target is up.
   */
  protected get braked(): boolean {
    return this.target.outage.run > this.#begun && this.engine.judge.brakes(this.target);
  }

  /** Another attempt beside one that goes on, through a proxy that was not tried; none without such a proxy. */
  protected renew(attempt: Each, failure: Failure): void {
    if (!this.engine.pool.availability.hasAnother(this.wanted.asked(this.shareable))) return;
    let plan: Plan | RetryRefusalReason;
    try {
      plan = this.#plan(attempt, failure);
    } catch (thrown) {
      this.#broken(thrown);
      return;
    }
    if (typeof plan === 'string') this.#refused(attempt.number, plan);
    else this.#schedule(attempt, failure, plan);
  }

  /** The first response wins; other attempts are aborted, and their proxies are not to blame. */
  protected won(attempt: Each, statusCode: number | undefined): void {
    this.respondedBy = attempt.proxyId;
    this.enter({ is: 'responding', attempt, statusCode });
    for (const other of this.live) {
      if (other === attempt) continue;
      this.drop(other);
      other.kill(new Error('another attempt responded first'), 'aborted');
    }
  }

  /** `last`: the failure that this attempt follows; undefined for the first. */
  #begin(delayMs: number, last: Failure | undefined): void {
    const { pool, queueTimeoutMs } = this.engine;
    const ask = this.wanted.asked(this.shareable);
    let admission = this.takeReserved();
    try {
      admission ??= pool.admit(ask);
    } catch (thrown) {
      this.#broken(thrown);
      return;
    }
    if (admission !== undefined) {
      this.#launch(admission, delayMs, false);
      return;
    }
    const why = pool.availability.whyNot(ask, this.engine.now() - this.target.silentSince);
    const none = () => {
      if (last === undefined) {
        this.#fail('circuit_open', why);
        return;
      }
      this.#refused(this.attempt, 'no_proxy');
      this.#fail(last.outcome, new RetriesExhaustedError(this.attempts, last.error));
    };
    if (why.code !== 'PROXIES_BUSY' || queueTimeoutMs === 0) {
      none();
      return;
    }
    const leave = pool.line.join(ask, queueTimeoutMs, (free, thrown) => {
      if (thrown !== undefined) this.#broken(thrown);
      else if (free === undefined) none();
      else this.#launch(free, delayMs, false);
    });
    this.enter({ is: 'queued', leave });
  }

  #launch(admission: Admission, delayMs: number, hedge: boolean): void {
    if (this.ended) {
      this.engine.pool.giveBack(admission);
      return;
    }
    const attempt = this.attemptThrough(admission, this.#begun++, delayMs, hedge);
    if (hedge) this.#hedged++;
    this.wanted.used(attempt.proxyId);
    this.latest = attempt;
    this.live = this.live.length === 0 ? [attempt] : [...this.live, attempt];
    this.enter(attempting);
    if (!admission.probe) this.hedgeLater();
    attempt.start();
  }

  /** Starts the wait for a hedge, unless one was sent. */
  protected hedgeLater(): void {
    this.hedge?.stop();
    if (this.#hedged === 0 && this.shareable) this.hedge?.start();
  }

  protected override sendHedge(): void {
    if (this.live.length !== 1 || !this.shareable) return;
    const { pool, budget } = this.engine;
    let admission: Admission | undefined;
    try {
      admission = pool.admit(this.wanted.asked(true), { fresh: true, closed: true });
    } catch (thrown) {
      this.#broken(thrown);
      return;
    }
    if (admission === undefined) return;
    if (budget?.tryWithdraw() === false) pool.giveBack(admission);
    else this.#launch(admission, 0, true);
  }

  #plan(attempt: Each, failure: Failure): Plan | RetryRefusalReason {
    this.wanted.failedIn(attempt.region);
    const plan = planNext(this.engine, this.wanted.asked(this.shareable), {
      policy: this.policy,
      backoff: (this.#backoff ??= backoffOf(this.policy, this.engine.random)),
      attempts: this.#begun - this.#hedged,
      sent: attempt.sent,
      repeatable: this.repeatable,
      replayable: this.replayable,
      previousDelayMs: this.#previousDelayMs,
      failure,
      targetDown: this.braked,
      remainingMs: this.#remainingMs(),
    });
    if (typeof plan !== 'string' && plan.delayMs > 0) this.#previousDelayMs = plan.delayMs;
    return plan;
  }

  #remainingMs(): number {
    const { timeoutMs } = this.policy;
    if (timeoutMs === undefined) return Number.POSITIVE_INFINITY;
    return this.startedAt + timeoutMs - this.engine.now();
  }

  #schedule(attempt: Each, failure: Failure, { delayMs, admission }: Plan): void {
    // A listener that heard of the failure, or of a circuit that was asked, may have ended the request.
    if (this.ended) {
      if (admission !== undefined) this.engine.pool.giveBack(admission);
      return;
    }
    if (delayMs > 0) {
      const begin = () => this.#begin(delayMs, failure);
      const timer = setTimeout(begin, Math.min(delayMs, maxTimerMs));
      this.enter({ is: 'waiting', timer, until: this.engine.now() + delayMs });
      this.#tellRetry(attempt, failure, delayMs);
      return;
    }
    const phase = { is: 'choosing', reserved: admission } as const;
    this.enter(phase);
    this.#tellRetry(attempt, failure, delayMs);
    queueMicrotask(() => {
      if (this.phase === phase) this.#begin(0, failure);
    });
  }

  #tellRetry({ proxyId: failedProxyId }: Each, { reason }: Failure, delayMs: number): void {
    tellRetry(this.engine, this, { attempt: this.#begun, failedProxyId, delayMs, reason });
  }

  #refused(attempt: number, reason: RetryRefusalReason): void {
    if (this.policy.maxAttempts > 1) tellRefusal(this.engine, this, attempt, reason);
  }

  /** Its deadline has passed. */
  protected expire(): void {
    const timeoutMs = this.policy.timeoutMs ?? 0;
    this.end('timeout', new RequestTimeoutError(timeoutMs, this.attempts, this.#lastError));
  }

  /** A strategy threw while it picked a proxy: ends this request and no other. */
  #broken(thrown: unknown): void {
    const error = thrown as Error;
    for (const attempt of this.live) attempt.kill(error, 'aborted');
    this.#fail('failure', error);
  }

  #fail(outcome: Outcome, error: Error): void {
    if (this.ended) return;
    if (error instanceof WhirlError) error.attempts = this.attempts;
    this.finish(outcome, error);
    this.failed(error);
  }

  /** Emits how the request ended, once, and releases what it holds. */
  protected finish(outcome: Outcome, error: Error | undefined, at = this.engine.now()): void {
    const { statusCode } = this.phase.is === 'responding' ? this.phase : noResponse;
    this.enter(ended);
    this.live = noAttempts;
    clearTimeout(this.#deadlineTimer);
    this.letGo();
    this.engine.inFlight.ended(this);
    tellEnd(this.engine, this, outcome, statusCode, error, at);
  }
}

function nothing(): void {}

const noResponse = { statusCode: undefined };
