import type { AttemptRecord } from '../attempt-record.ts';
import type { Target } from '../blame/targets.ts';
import type { RetryPolicy } from '../policy/retry-policy.ts';
import type { Admission, Member } from '../pool/member.ts';
import { AttemptHistory } from './attempt-history.ts';
import type { Engine } from './engine.ts';
import { Hedge } from './hedge.ts';
import type { RunningRequest } from './in-flight.ts';
import { NextProxy } from './next-proxy.ts';
import { firstChoice, type RequestPhase } from './phase.ts';
import type { Progress, RequestContext } from './request-options.ts';

/** What a request needs of its attempts. */
export interface Try {
  readonly number: number;
  readonly proxyId: string;
  readonly region: string | undefined;
  /** Whether anything of the request was sent. */
  readonly sent: boolean;
  /** How it stands before it has ended. */
  readonly provisional: AttemptRecord;
  start(): void;
  kill(error: Error, outcome: 'aborted' | 'timeout' | 'failure'): void;
}

/** No attempts: what most requests begin and end with. */
export const noAttempts: readonly never[] = [];

/** How one request stands: what it asks for, its phase, and its attempts so far. */
export abstract class RequestState<Each extends Try> implements RunningRequest, Progress {
  readonly id: string;
  readonly engine: Engine;
  readonly method: string;
  readonly origin: string;
  readonly policy: RetryPolicy;
  /** What is known of the origin that it asks for. */
  readonly target: Target;
  readonly startedAt: number;
  readonly sessionId: string | undefined;
  /** Its neighbours in the list of requests that have not ended. */
  previous: RunningRequest | undefined;
  next: RunningRequest | undefined;
  /** The proxy whose response the caller got. */
  respondedBy: string | undefined;
  /** What it wants of the pool. */
  protected readonly wanted: NextProxy;
  protected readonly history = new AttemptHistory();
  /** Attempts that may still bring the response: one, or two while a hedge is out. Replaced, never changed. */
  protected live: readonly Each[] = noAttempts;
  /** The attempt begun last. */
  protected latest: Each | undefined;
  protected phase: RequestPhase<Each> = firstChoice;
  /** Undefined: the rotator does not hedge, or the request is pinned to a proxy. */
  protected readonly hedge: Hedge | undefined;

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
    this.sessionId = context.sessionId;
    this.id = engine.nextRequestId();
    this.startedAt = engine.now();
    this.target = engine.judge.targets.get(origin, this.startedAt);
    // One string for all requests to the origin: its hash is known to every table.
    this.origin = this.target.origin;
    this.wanted = new NextProxy(context, this.target);
    const { hedging } = engine;
    if (hedging !== undefined && context.proxyId === undefined) {
      this.hedge = new Hedge(hedging, () => this.sendHedge());
    }
  }

  /** Sends a hedge, unless one is of no use by now. Called when the response has taken long enough. */
  protected abstract sendHedge(): void;

  /** Ends the request from outside an attempt: an abort, a deadline, a close, an error of the body's source. */
  abstract end(outcome: 'aborted' | 'timeout' | 'failure', error: Error): void;

  /** The number of the attempt begun last, 0 before the first. */
  get attempt(): number {
    return this.latest?.number ?? 0;
  }

  /** The proxy of the attempt begun last. */
  get proxyId(): string | undefined {
    return this.latest?.proxyId;
  }

  /** Epoch milliseconds at which the next attempt begins, while one is waited for. */
  get nextRetryAt(): number | undefined {
    return this.phase.is === 'waiting' ? this.phase.until : undefined;
  }

  /** In their order; that of the response is provisional until its body has ended. */
  get attempts(): readonly AttemptRecord[] {
    const { phase } = this;
    return this.history.list(phase.is === 'responding' ? phase.attempt.provisional : undefined);
  }

  /** Attempts that have ended. */
  get attemptCount(): number {
    return this.history.size;
  }

  record(record: AttemptRecord): void {
    this.history.add(record);
  }

  /** The evidence does not tell what is to blame for that attempt. */
  undecided(member: Member, record: AttemptRecord, at: number): void {
    this.history.undecided(member, record, this.engine.pool.circuits.doubts.alone(at));
  }

  /** The target has responded through `member`: where other proxies failed before, it is not to blame. */
  responded(member: Member, at: number): void {
    const { judge, pool } = this.engine;
    this.history.responded(member, at, this.target, judge, pool);
  }

  /** Whether it has ended. */
  get ended(): boolean {
    return this.phase.is === 'ended';
  }

  /** Takes the attempt out of the live ones. False: it was not among them. */
  protected drop(attempt: Each): boolean {
    const { live } = this;
    if (!live.includes(attempt)) return false;
    this.live = live.length === 1 ? noAttempts : live.filter((each) => each !== attempt);
    return true;
  }

  /** Enters another phase, and releases what it held in the last one. */
  protected enter(phase: RequestPhase<Each>): void {
    const before = this.phase;
    this.phase = phase;
    this.hedge?.stop();
    if (before.is === 'queued') before.leave();
    else if (before.is === 'waiting') clearTimeout(before.timer);
    else if (before.is === 'choosing' && before.reserved !== undefined) {
      this.engine.pool.giveBack(before.reserved);
    }
  }

  /** Takes the proxy that was admitted when this attempt was planned. */
  protected takeReserved(): Admission | undefined {
    const { phase } = this;
    if (phase.is !== 'choosing' || phase.reserved === undefined) return undefined;
    const { reserved } = phase;
    phase.reserved = undefined;
    return reserved;
  }
}
