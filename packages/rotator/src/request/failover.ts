import type { Backoff } from '@whirl/backoff';
import type { Outcome, RetryRefusalReason } from '@whirl/events';
import type { Failure } from '../blame/failure.ts';
import type { Target } from '../blame/targets.ts';
import type { AttemptRecord } from '../attempt-record.ts';
import { RequestTimeoutError, RetriesExhaustedError, WhirlError } from '../errors.ts';
import { RequestFacts } from '../events/request-events.ts';
import { backoffOf, type RetryPolicy } from '../policy/retry-policy.ts';
import type { Admission, Member } from '../pool/member.ts';
import type { Ask } from '../pool/proxy-query.ts';
import { maxTimerMs } from '../timer.ts';
import type { Engine } from './engine.ts';
import type { RunningRequest } from './in-flight.ts';
import type { VerdictListener } from './judged-attempt.ts';
import { planNext, type Plan } from './plan-retry.ts';
import type { Progress, RequestContext } from './request-options.ts';

/** Reasons to make no further attempt that leave the request with what its attempts came to. */
const final = new Set<RetryRefusalReason>(['attempts', 'no_proxy', 'retry_after', 'target_down']);

const noneTried: ReadonlySet<string> = new Set();

/** An attempt, as the request sees it that it belongs to. */
interface Try {
  readonly number: number;
  readonly proxyId: string;
  readonly region: string | undefined;
  /** Whether anything of the request went out. */
  readonly sent: boolean;
  /** How it stands before it has ended. */
  readonly provisional: AttemptRecord;
  start(): void;
  kill(error: Error, outcome: 'aborted' | 'timeout' | 'failure'): void;
}

/**
 * One request as its attempts see it: it admits them to proxies, plans what follows a failure, hedges, keeps
 * the deadline, and says on the bus how it went. What an attempt carries is a subclass's.
 */
export abstract class Failover<Each extends Try>
  implements VerdictListener, RunningRequest, Progress
{
  readonly id: string;
  readonly engine: Engine;
  readonly method: string;
  readonly origin: string;
  readonly policy: RetryPolicy;
  /** What is known of the origin that it asks for. */
  readonly target: Target;
  readonly startedAt: number;
  /** Its neighbours in the list of requests that have not ended. */
  previous: RunningRequest | undefined;
  next: RunningRequest | undefined;
  /** Epoch ms at which the next attempt begins, while one is waited for. */
  nextRetryAt: number | undefined;
  readonly #context: RequestContext;
  readonly #facts: RequestFacts;
  /** Made for the first retry. */
  #backoff: Backoff | undefined;
  /** The proxy of the first attempt; made a set for the second one. */
  #firstProxyId: string | undefined;
  #tried: Set<string> | undefined;
  readonly #records: AttemptRecord[] = [];
  /** Attempts that may still bring the answer: one, or two while a hedge is out. */
  protected readonly live = new Set<Each>();
  /** Failed attempts whose blame the evidence left undecided; made for the first one. */
  #undecided:
    { readonly member: Member; readonly record: AttemptRecord; counted: boolean }[] | undefined;
  /** The attempt begun last. */
  #latest: Each | undefined;
  /** The attempt whose answer the caller gets. */
  protected winner: Each | undefined;
  #begun = 0;
  #hedged = 0;
  #previousDelayMs: number | undefined;
  #lastError: Error | undefined;
  #failedRegion: string | undefined;
  #deadlineTimer: NodeJS.Timeout | undefined;
  #delayTimer: NodeJS.Timeout | undefined;
  #hedgeTimer: NodeJS.Timeout | undefined;
  #leaveLine: (() => void) | undefined;
  #reserved: Admission | undefined;
  protected ended = false;
  #statusCode: number | undefined;

  constructor(
    engine: Engine,
    context: RequestContext,
    policy: RetryPolicy,
    method: string,
    origin: string,
  ) {
    this.engine = engine;
    this.policy = policy;
    this.method = method;
    this.#context = context;
    this.id = engine.nextRequestId();
    this.startedAt = engine.now();
    this.target = engine.judge.targets.get(origin, this.startedAt);
    // The same string for all requests: a table that is asked for it need not work out its hash again.
    this.origin = this.target.origin;
    this.#facts = new RequestFacts(engine, this);
    context.progress = this;
  }

  get sessionId(): string | undefined {
    return this.#context.sessionId;
  }

  /** Whether two attempts may be out at once. */
  protected abstract get shareable(): boolean;
  /** Whether what was sent may be sent once more. */
  protected abstract get repeatable(): boolean;
  /** Whether what is to be sent is there once more. */
  protected abstract get replayable(): boolean;

  protected abstract attemptThrough(
    admission: Admission,
    number: number,
    delayMs: number,
    hedge: boolean,
  ): Each;

  /** It has failed: the caller is told. */
  protected abstract failed(error: Error): void;

  /** It has ended: what it holds is let go. */
  protected abstract letGo(): void;

  /** The error of a request that is not repeated for that reason. */
  protected unrepeated(_reason: RetryRefusalReason, error: Error): Error {
    return error;
  }

  /** Tells that it begins. A listener may end it. */
  protected announce(): void {
    const { inFlight, pool } = this.engine;
    inFlight.begun(this);
    this.#facts.start();
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
    if (this.live.size > 1) {
      // The other attempt may still bring a better one.
      this.live.delete(attempt);
      return nothing;
    }
    let plan: Plan | RetryRefusalReason;
    try {
      plan = this.#plan(attempt, failure);
    } catch (fault) {
      this.live.delete(attempt);
      return () => this.#broken(fault);
    }
    if (typeof plan === 'string') {
      this.#refused(attempt.number, plan);
      return undefined;
    }
    this.live.delete(attempt);
    return () => this.#schedule(attempt, failure, plan);
  }

  /** The number of the attempt begun last, 0 before the first. */
  get attempt(): number {
    return this.#latest?.number ?? 0;
  }

  /** Of the attempt begun last. */
  get proxyId(): string | undefined {
    return this.#latest?.proxyId;
  }

  /** The proxy whose answer the caller got. */
  get answeredBy(): string | undefined {
    return this.winner?.proxyId;
  }

  /** In their order; the answer's is provisional until its body has ended. */
  get attempts(): readonly AttemptRecord[] {
    const answer = this.ended ? undefined : this.winner?.provisional;
    const all = answer === undefined ? this.#records : [...this.#records, answer];
    return all.toSorted((a, b) => a.attempt - b.attempt);
  }

  /** Ends the request from outside an attempt: an abort, a deadline, a close, an error of the body's source. */
  end(outcome: 'aborted' | 'timeout' | 'failure', error: Error): void {
    if (this.ended) return;
    for (const attempt of this.live) attempt.kill(error, outcome);
    this.#fail(outcome, error);
  }

  record(record: AttemptRecord): void {
    this.#records.push(record);
  }

  /** The evidence does not tell what is to blame for that attempt. */
  undecided(member: Member, record: AttemptRecord, at: number): void {
    const counted = this.engine.pool.circuits.doubts.alone(at);
    (this.#undecided ??= []).push({ member, record, counted });
  }

  /** The target has responded through `member`: where other proxies failed before, it is not to blame. */
  responded(member: Member, at: number): void {
    if (this.#undecided === undefined) return;
    const { judge, pool } = this.engine;
    const { origin } = this;
    for (const { member: failed, record, counted } of this.#undecided) {
      if (failed === member) continue;
      const blame = judge.settled(failed, this.target, at);
      if (blame === undefined) continue;
      const { outcome, latencyMs } = record;
      this.#records[this.#records.indexOf(record)] = { ...record, blame };
      pool.convict(failed, blame, { outcome, latencyMs, origin, counted });
    }
    this.#undecided = undefined;
  }

  attemptFailed(attempt: Each, failure: Failure): void {
    if (this.ended || !this.live.delete(attempt)) return;
    const { outcome, error } = failure;
    this.#lastError = error;
    // Its own fault ends the request; one of the machine may have passed by the next attempt.
    if (failure.blame === 'caller' && failure.reason === 'aborted') {
      for (const other of this.live) other.kill(error, 'aborted');
      this.#fail(outcome, error);
      return;
    }
    if (attempt === this.winner) {
      this.#fail(outcome, error);
      return;
    }
    // A failed hedge never beats a pending first attempt, nor the other way round.
    if (this.live.size > 0) return;
    if (failure.reason === 'proxy_auth' && !this.policy.failoverOnProxyAuth) {
      this.#fail(outcome, error);
      return;
    }
    let plan: Plan | RetryRefusalReason;
    try {
      plan = this.#plan(attempt, failure);
    } catch (fault) {
      this.#broken(fault);
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
    if (!this.engine.pool.availability.hasAnother(this.#ask())) return;
    let plan: Plan | RetryRefusalReason;
    try {
      plan = this.#plan(attempt, failure);
    } catch (fault) {
      this.#broken(fault);
      return;
    }
    if (typeof plan === 'string') this.#refused(attempt.number, plan);
    else this.#schedule(attempt, failure, plan);
  }

  /** The first response wins; other attempts are aborted, and their proxies are not to blame. */
  protected won(attempt: Each, statusCode: number | undefined): void {
    this.winner = attempt;
    this.#statusCode = statusCode;
    clearTimeout(this.#hedgeTimer);
    for (const other of this.live) {
      if (other === attempt) continue;
      this.live.delete(other);
      other.kill(new Error('another attempt answered first'), 'aborted');
    }
  }

  #ask(): Ask {
    const { region = this.#failedRegion, strictRegion, prefer } = this.#context;
    const { sessionId, tags, proxyId } = this.#context;
    return {
      tried: this.#avoided(),
      target: this.origin,
      region,
      strictRegion,
      prefer: this.#firstProxyId === undefined ? prefer : undefined,
      sessionId,
      tags,
      proxyId,
      mayTest: this.shareable,
    };
  }

  /** A target that is down gets its one attempt through proxies in turn. */
  #avoided(): ReadonlySet<string> {
    if (this.#firstProxyId !== undefined) return (this.#tried ??= new Set([this.#firstProxyId]));
    const { downAt, lastProxies } = this.target.outage;
    return downAt === undefined ? noneTried : lastProxies;
  }

  /** `last` is the failure that this attempt is to mend. */
  #begin(delayMs: number, last: Failure | undefined): void {
    const { pool, queueTimeoutMs } = this.engine;
    const ask = this.#ask();
    let admission = this.#reserved;
    this.#reserved = undefined;
    try {
      admission ??= pool.admit(ask);
    } catch (fault) {
      this.#broken(fault);
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
    this.#leaveLine = pool.line.join(ask, queueTimeoutMs, (free, fault) => {
      this.#leaveLine = undefined;
      if (fault !== undefined) this.#broken(fault);
      else if (free === undefined) none();
      else this.#launch(free, delayMs, false);
    });
  }

  #launch(admission: Admission, delayMs: number, hedge: boolean): void {
    if (this.ended) {
      this.engine.pool.giveBack(admission);
      return;
    }
    const attempt = this.attemptThrough(admission, this.#begun++, delayMs, hedge);
    if (hedge) this.#hedged++;
    this.#firstProxyId ??= attempt.proxyId;
    this.#tried?.add(attempt.proxyId);
    this.#latest = attempt;
    this.live.add(attempt);
    if (admission.probe) clearTimeout(this.#hedgeTimer);
    else this.hedgeLater();
    attempt.start();
  }

  /** From now on a hedge may be worth it, unless there was one. */
  protected hedgeLater(): void {
    clearTimeout(this.#hedgeTimer);
    if (this.engine.hedging === undefined || this.#hedged > 0) return;
    if (!this.shareable || this.#context.proxyId !== undefined) return;
    const afterMs = this.engine.hedging.delayMs;
    if (afterMs === undefined) return;
    this.#hedgeTimer = setTimeout(() => this.#hedge(), Math.min(afterMs, maxTimerMs));
  }

  #hedge(): void {
    if (this.ended || this.winner !== undefined || this.live.size !== 1 || !this.shareable) return;
    const { pool, budget } = this.engine;
    let admission: Admission | undefined;
    try {
      admission = pool.admit(this.#ask(), { fresh: true, closed: true });
    } catch (fault) {
      this.#broken(fault);
      return;
    }
    if (admission === undefined) return;
    if (budget?.tryWithdraw() === false) pool.giveBack(admission);
    else this.#launch(admission, 0, true);
  }

  #plan(attempt: Each, failure: Failure): Plan | RetryRefusalReason {
    this.#failedRegion = attempt.region;
    const plan = planNext(this.engine, this.#ask(), {
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
    this.#reserved = admission;
    clearTimeout(this.#hedgeTimer);
    this.#facts.retryScheduled(this.#begun, attempt.proxyId, delayMs, failure.reason);
    if (this.ended) return;
    if (delayMs <= 0) {
      queueMicrotask(() => {
        if (!this.ended) this.#begin(0, failure);
      });
      return;
    }
    this.nextRetryAt = this.engine.now() + delayMs;
    this.#delayTimer = setTimeout(
      () => {
        this.nextRetryAt = undefined;
        this.#begin(delayMs, failure);
      },
      Math.min(delayMs, maxTimerMs),
    );
  }

  #refused(attempt: number, reason: RetryRefusalReason): void {
    if (this.policy.maxAttempts > 1) this.#facts.retryRefused(attempt, reason);
  }

  /** Its deadline has passed. */
  protected expire(): void {
    const timeoutMs = this.policy.timeoutMs ?? 0;
    this.end('timeout', new RequestTimeoutError(timeoutMs, this.attempts, this.#lastError));
  }

  /** A bug in a strategy, thrown while a proxy was looked for: it ends this request and no other. */
  #broken(fault: unknown): void {
    const error = fault as Error;
    for (const attempt of this.live) attempt.kill(error, 'aborted');
    this.#fail('failure', error);
  }

  #fail(outcome: Outcome, error: Error): void {
    if (this.ended) return;
    if (error instanceof WhirlError) error.attempts = this.attempts;
    this.finish(outcome, error);
    this.failed(error);
  }

  /** Says how the request ended, once, and lets go of everything. */
  protected finish(outcome: Outcome, error: Error | undefined): void {
    this.ended = true;
    this.live.clear();
    clearTimeout(this.#deadlineTimer);
    clearTimeout(this.#delayTimer);
    clearTimeout(this.#hedgeTimer);
    this.nextRetryAt = undefined;
    this.#leaveLine?.();
    const { inFlight, pool } = this.engine;
    if (this.#reserved !== undefined) pool.giveBack(this.#reserved);
    this.#reserved = undefined;
    this.letGo();
    inFlight.ended(this);
    this.#facts.end(outcome, this.#records.length, this.#statusCode, error, this.policy.name);
  }
}

function nothing(): void {}
