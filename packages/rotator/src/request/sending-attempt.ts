import type { Phase } from '@whirl/events';
import { classify, lateHere, type Failure } from '../blame/failure.ts';
import type { Lease } from '../connection/lease.ts';
import { AttemptTimeoutError } from '../errors.ts';
import type { Upload, Uploader } from '../message/replayable-body.ts';
import type { RawHandler } from '../message/undici-handler.ts';
import type { Proxy } from '../proxy/proxy.ts';
import { scrub } from '../proxy/secrets.ts';
import { Deadline, type Expiring } from './deadlines.ts';
import { JudgedAttempt, type VerdictListener } from './judged-attempt.ts';
import type { OutgoingRequest } from './outgoing-request.ts';

/** The request that is sent. */
export interface SentRequest extends VerdictListener {
  readonly request: OutgoingRequest;
  readonly sessionId: string | undefined;
}

/**
 * The way out of an attempt, until its response begins: the body that it sends, its connection, and the time that it
 * has. The response is up to a subclass, which is the handler of undici's client.
 */
export abstract class SendingAttempt<Request extends SentRequest>
  extends JudgedAttempt<Request>
  implements Uploader, Expiring
{
  protected readonly deadline = new Deadline(this);
  protected lease: Lease | undefined;
  /** Whether it goes through a tunnel: then the response is the target's and not the proxy's. */
  protected tunnel = true;
  #upload: Upload | undefined;
  /** Set while it is on the wire. */
  #abort: ((reason?: Error) => void) | undefined;
  /** Whether any byte of a response came. */
  #responding = false;

  override get sent(): boolean {
    return this.#abort !== undefined;
  }

  start(): void {
    const { request, policy } = this.operation;
    const now = this.engine.monotonicAt(this.startedAt);
    this.begin(now);
    // A listener may have ended the request.
    if (this.settled) return;
    this.engine.deadlines.start(this.deadline, policy.attemptTimeoutMs, now);
    request.body.open(this);
  }

  /** Sends the body, which is open now. */
  send(upload: Upload, late: boolean): void {
    if (this.settled) {
      upload.stop();
      return;
    }
    this.#upload = upload;
    // Until now it waited for the caller's own function.
    if (late) this.onTurn();
    const { proxy } = this.admission.member;
    const lease = (this.lease ??= this.#take(proxy));
    try {
      lease.dispatch(this.operation.request.through(lease, proxy, upload), this.handler);
    } catch (error) {
      this.lost(error as Error);
    }
  }

  /** Hears what becomes of it on the wire. */
  protected abstract get handler(): RawHandler;

  #take(proxy: Proxy): Lease {
    const { request, policy, sessionId: session, origin } = this.operation;
    const { connectTimeoutMs } = policy;
    const lease = request.lease(this.engine.connectionPool, proxy, {
      connectTimeoutMs,
      session,
      origin,
    });
    this.tunnel = !lease.absoluteForm;
    return lease;
  }

  /** It waited for one of our own connections and has it now: its time begins. */
  onTurn(): void {
    this.turnAt = this.engine.now();
    this.lagBeforeMs = this.engine.lag.totalMs;
    this.deadline.restart();
  }

  onConnect(abort: (reason?: Error) => void): void {
    this.#abort = abort;
    if (this.settled) abort(new Error('the attempt is over'));
  }

  /** The first byte of a response came. */
  onResponseStarted(): void {
    this.#responding = true;
  }

  /** undici's client has failed it. */
  onError(error: Error): void {
    const { lease } = this;
    if (this.settled || this.#responding || lease?.stale(error, this.sent) !== true) {
      this.lost(error);
    } else if (this.operation.request.repeats(this.sent)) this.#sendAgain(lease);
    else {
      lease.cut(error);
      const failure = classify(error, this.seen(false));
      this.fail({ ...failure, blame: 'none', doubt: undefined, stale: true });
    }
  }

  /**
   * The connection had served before and was closed before a byte of this response: the same attempt
   * goes on, on a new connection of the same proxy.
   */
  #sendAgain(lease: Lease): void {
    this.#abort = undefined;
    this.#upload?.stop();
    lease.renew();
    queueMicrotask(() => {
      if (!this.settled) this.operation.request.body.open(this);
    });
  }

  /** Its connection was lost, or was never established. */
  protected lost(error: Error): void {
    this.lease?.cut(error);
    if (this.settled) return;
    scrub(error, this.admission.member.proxy, this.lease?.proxyHeaders);
    const failure = classify(error, this.seen(this.latencyMs !== undefined));
    // The deadline of the way through the proxy comes as an error of its connection.
    const late = error instanceof AttemptTimeoutError && this.loopWasLate();
    this.fail(late ? lateHere(failure) : failure);
  }

  protected seen(headersSeen: boolean) {
    const { origin } = this.operation.request;
    const sealed = this.tunnel && this.sent && origin.startsWith('https:');
    return { proxyId: this.proxyId, sealed, headersSeen };
  }

  protected fail(failure: Failure): void {
    const settled = this.judged(failure);
    this.settle(settled);
    // Never synchronously inside a client's callback: its bookkeeping is not finished.
    queueMicrotask(() => this.failed(settled));
  }

  /** Called when a failure of it is recorded: tells its request. */
  protected abstract failed(failure: Failure): void;

  /** Its deadline has passed. */
  expired(): void {
    // The response may lie unread in a socket: those get a turn before anything is judged.
    if (this.loopWasLate()) setImmediate(() => this.#expired(true));
    else this.#expired(false);
  }

  /** Whether its response has begun, which the deadline is for. */
  protected abstract get hasResponse(): boolean;

  #expired(late: boolean): void {
    if (this.settled || this.hasResponse) return;
    const { attemptTimeoutMs } = this.operation.policy;
    const unread = this.lease?.unreadAhead ?? 0;
    if (unread > 0) this.engine.unread.found(this.proxyId, unread);
    const phase = this.phase;
    // Without a lease it waits for the caller's body function.
    const starved = this.lease === undefined || this.#upload?.starved === true;
    const awaited = starved ? 'no more of the request body' : 'no response headers';
    const error = new AttemptTimeoutError(attemptTimeoutMs, phase, this.proxyId, awaited, unread);
    const failure = classify(error, this.seen(false));
    // It waited for this machine: for its loop, or for the source of its body.
    this.fail(late || starved ? lateHere(failure) : failure);
    this.lease?.cut(error);
  }

  protected override get starved(): boolean {
    return this.#upload?.starved === true;
  }

  protected override get phase(): Phase {
    if (this.latencyMs !== undefined) return 'body';
    return this.sent ? 'headers' : (this.lease?.phase ?? 'select');
  }

  protected override stop(): void {
    this.deadline.stop();
    this.#upload?.stop();
  }

  protected override cut(error: Error): void {
    this.lease?.cut(error);
  }
}
