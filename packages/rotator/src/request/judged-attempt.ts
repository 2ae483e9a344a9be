import type { Outcome, Phase } from '@whirl/events';
import type { GoodResponse } from '../blame/judge.ts';
import type { Failure } from '../blame/failure.ts';
import type { Target } from '../blame/targets.ts';
import type { AttemptRecord } from '../attempt-record.ts';
import { codeOf } from '../events/request-events.ts';
import type { RetryPolicy } from '../policy/retry-policy.ts';
import type { Admission, Member } from '../pool/member.ts';
import { Exit } from '../proxy/exit.ts';
import type { Engine } from './engine.ts';

/** The request that a judged attempt belongs to. */
export interface VerdictListener {
  readonly id: string;
  readonly engine: Engine;
  readonly origin: string;
  readonly policy: RetryPolicy;
  readonly target: Target;
  record(record: AttemptRecord): void;
  /** The evidence does not tell what is to blame for that attempt. */
  undecided(member: Member, record: AttemptRecord, at: number): void;
  /** The target has responded through `member`. */
  responded(member: Member, at: number): void;
}

/**
 * What every attempt has, whatever it carries: an admission that it gives back, a judgement of its outcome
 * and, once, a record of it in circuit, statistics and events. What it does on the wire is a subclass's.
 */
export abstract class JudgedAttempt<Listener extends VerdictListener> {
  readonly number: number;
  readonly proxyId: string;
  readonly delayBeforeMs: number;
  readonly hedge: boolean;
  protected readonly engine: Engine;
  protected readonly operation: Listener;
  protected readonly admission: Admission;
  protected readonly startedAt: number;
  /** When it had its connection: a wait for one of our own is not the proxy's time. */
  protected turnAt: number;
  protected timer: NodeJS.Timeout | undefined;
  protected latencyMs: number | undefined;
  protected statusCode: number | undefined;
  /** Its outcome has been told; whatever still arrives is not for the caller. */
  protected settled = false;
  /** Delay of the event loop before its time began. */
  protected lagBeforeMs = 0;
  /** Set when other proxies get better responses from the target: the caller gets this one, and the route is avoided. */
  #strange = false;
  /** What `outage.begun()` returned; undefined once it cannot bring a response any more. */
  #epoch: number | undefined;
  /** The circuit has its verdict. */
  #told = false;

  constructor(
    operation: Listener,
    admission: Admission,
    number: number,
    delayBeforeMs: number,
    hedge: boolean,
  ) {
    this.operation = operation;
    this.engine = operation.engine;
    this.admission = admission;
    this.number = number;
    this.delayBeforeMs = delayBeforeMs;
    this.hedge = hedge;
    this.proxyId = admission.member.id;
    this.startedAt = this.turnAt = this.engine.now();
  }

  get region(): string | undefined {
    return this.admission.member.proxy.region;
  }

  /** Whether anything of the request was sent. */
  abstract get sent(): boolean;

  /** Its phase until it has ended. */
  protected abstract get phase(): Phase;

  /** Ends it for its request: an abort, an error of the body or a faster attempt (all neutral), or a deadline. */
  kill(error: Error, outcome: 'aborted' | 'timeout' | 'failure'): void {
    if (this.settled) return;
    const { phase } = this;
    const failure = {
      outcome,
      phase,
      reason: outcome === 'timeout' ? 'timeout' : 'aborted',
      error,
    } as const;
    this.settle(
      outcome === 'timeout' && this.#hadItsTime(phase)
        ? this.judged({ ...failure, blame: 'unknown', doubt: 'failed' })
        : { ...failure, blame: 'caller' },
    );
    this.cut(error);
  }

  /** Destroys what is open, or being opened, for it. */
  protected abstract cut(error: Error): void;

  /** Emits that it begins. `now`: of the monotonic clock. */
  protected begin(now: number): void {
    const { pool, lag } = this.engine;
    const { id: requestId, origin, target } = this.operation;
    const { member } = this.admission;
    this.#epoch = target.outage.begun();
    lag.begun();
    this.lagBeforeMs = lag.totalAt(now);
    pool.started(member, this.startedAt);
    if (!pool.hears('attempt:start')) return;
    pool.tell(member, 'attempt:start', {
      requestId,
      attempt: this.number,
      proxyId: this.proxyId,
      origin,
      hedge: this.hedge,
      at: this.startedAt,
    });
  }

  /** Whether the event loop was held up for over a fifth of the attempt's time. */
  protected loopWasLate(): boolean {
    const { lag, now } = this.engine;
    return lag.wasLate(this.lagBeforeMs, now() - this.turnAt);
  }

  /** Whether this machine keeps the attempt waiting: for more of the request, for instance. */
  protected abstract get starved(): boolean;

  /** Whether the caller's deadline left it time enough: half of it, and as long as the target usually takes. */
  #hadItsTime(phase: Phase): boolean {
    const { policy, target } = this.operation;
    const { timeoutMs = Infinity } = policy;
    if (phase === 'select' || this.latencyMs !== undefined || this.loopWasLate()) return false;
    if (this.starved) return false;
    const elapsedMs = this.engine.now() - this.turnAt;
    return 2 * elapsedMs >= timeoutMs && !target.usuallySlowerThan(elapsedMs);
  }

  /** Called when it has brought a response, or cannot bring one any more. */
  protected leaveOutage(): void {
    if (this.#epoch === undefined) return;
    this.operation.target.outage.ended(this.#epoch);
    this.#epoch = undefined;
  }

  /** A response that is no failure is evidence too. `ruled`: a ban rule accepted it. */
  protected responded(
    response: Pick<GoodResponse, 'tunnel' | 'ruled'>,
    at = this.engine.now(),
  ): void {
    this.leaveOutage();
    const { judge, pool } = this.engine;
    const { member } = this.admission;
    pool.circuits.worked(this.admission);
    this.#strange =
      judge.respondedWell(member, this.operation.target, at, {
        statusCode: this.statusCode ?? 0,
        latencyMs: this.latencyMs ?? 0,
        tunnel: response.tunnel,
        ruled: response.ruled,
      }) === 'route';
    if (!this.#strange) this.operation.responded(member, at);
  }

  /** Whether a response, a failure though it is, shows that the way to the target works. */
  protected abstract showsWay(failure: Failure): boolean;

  /** Judges a failure. Called once for each: the judgement is evidence for the next one. */
  protected judged(failure: Failure): Failure {
    this.leaveOutage();
    if (failure.stale === true) return failure;
    const { judge, now } = this.engine;
    const { member } = this.admission;
    const responded = this.showsWay(failure);
    const at = now();
    if (responded) this.operation.responded(member, at);
    return judge.judged(failure, member, this.operation.target, at, responded, this.latencyMs);
  }

  /** Ends what it still does beside its connection: its outcome is known. */
  protected abstract stop(): void;

  /** Records the outcome, once: in the circuit first, then in the event. */
  protected settle(failure: Failure | undefined, at = this.engine.now()): void {
    if (this.settled) return;
    this.settled = true;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.stop();
    const { pool, budget, lag } = this.engine;
    this.leaveOutage();
    lag.ended();
    const { member } = this.admission;
    const record = this.#record(failure, at);
    const { latencyMs, outcome, blame } = record;
    this.operation.target.count(outcome, blame);
    this.tellCircuit(failure, at);
    if (outcome === 'success') budget?.deposit();
    this.operation.record(record);
    if (blame === 'unknown') this.operation.undecided(member, record, at);
    const { statusCode, errorCode } = record;
    pool.tell(member, 'attempt:end', {
      requestId: this.operation.id,
      attempt: this.number,
      proxyId: this.proxyId,
      origin: this.operation.origin,
      outcome,
      blame,
      phase: failure?.phase ?? 'body',
      statusCode,
      errorCode,
      reason: failure?.reason,
      latencyMs,
      delayBeforeMs: this.delayBeforeMs,
      hedge: this.hedge,
      at,
    });
    this.leave(member);
  }

  /** Its outcome is booked: the place at its proxy is free, unless the subclass still uses it. */
  protected leave(member: Member): void {
    this.engine.pool.free(member);
  }

  /** The outcome, once. Failures count only if the proxy is to blame, or may be. */
  protected tellCircuit(failure: Failure | undefined, at = this.engine.now()): void {
    if (this.#told) return;
    this.#told = true;
    const { pool } = this.engine;
    const { member } = this.admission;
    pool.circuits.settle(this.admission, failure, this.latencyMs ?? at - this.startedAt, at);
    // The credentials of an exit are those of all: its group counts that.
    const own = !(member.proxy instanceof Exit);
    if (own && failure?.reason === 'proxy_auth' && member.breaker?.state === 'closed') {
      member.trip({ reason: 'failures' });
    }
  }

  /** How it stands before it has ended. */
  protected recordOf(failure: Failure | undefined): AttemptRecord {
    return this.#record(failure, this.engine.now());
  }

  #record(failure: Failure | undefined, at: number): AttemptRecord {
    return {
      attempt: this.number,
      proxyId: this.proxyId,
      outcome: (failure?.outcome ?? 'success') satisfies Outcome,
      blame: failure?.blame ?? (this.#strange ? 'route' : 'none'),
      message: failure?.error.message,
      statusCode: failure?.statusCode ?? this.statusCode,
      errorCode: failure === undefined ? undefined : codeOf(failure.error),
      latencyMs: this.latencyMs ?? at - this.startedAt,
      delayBeforeMs: this.delayBeforeMs,
    };
  }
}
