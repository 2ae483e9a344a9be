import type { Phase } from '@whirl/events';
import type { Found } from '../policy/ban-rules.ts';
import { Judgement } from '../policy/judgement.ts';
import { carryOut } from '../pool/carry-out.ts';
import { failureOf } from '../policy/response-failure.ts';
import { ResponseHead } from '../blame/response-head.ts';
import { classify, lateHere, type Failure } from '../blame/failure.ts';
import { BodySilence, type BodyListener } from './body-silence.ts';
import { Deadline, type Expiring } from './deadlines.ts';
import { DiscardedResponse } from './discarded-response.ts';
import type { Upload, Uploader } from '../message/replayable-body.ts';
import type { AttemptRecord } from '../attempt-record.ts';
import { AttemptTimeoutError, ProxyConnectionError } from '../errors.ts';
import type { RawHandler, RawHeaders, UpgradeSocket } from '../message/undici-handler.ts';
import { maxInterimResponses } from '../connection/connect-response-parser.ts';
import type { Lease } from '../connection/lease.ts';
import type { AttemptListener } from './attempt-listener.ts';
import { JudgedAttempt } from './judged-attempt.ts';
import { scrub } from '../proxy/secrets.ts';
import type { Proxy } from '../proxy/proxy.ts';
import { wantsCredentials } from './wanted-credentials.ts';
import { codeOf } from '../events/request-events.ts';

function isBodiless(statusCode: number | undefined): boolean {
  return statusCode === 204 || statusCode === 304;
}

/** One try of a request through one proxy: the handler under undici's client. */
export class Attempt
  extends JudgedAttempt<AttemptListener<Attempt>>
  implements RawHandler, Uploader, Expiring, BodyListener
{
  readonly #deadline = new Deadline(this);
  #upload: Upload | undefined;
  #lease: Lease | undefined;
  #tunnel = true;
  /** Set while it is on the wire: ends it there. */
  #abort: ((reason?: Error) => void) | undefined;
  /** Makes the client read on after a pause. */
  #readOn: (() => void) | undefined;
  /** Bytes of a response came, if only the first of its head. */
  #responding = false;
  /** Interim responses so far. */
  #interim = 0;
  /** While the body comes. */
  #silence: BodySilence | undefined;
  /** Set when the response is passed on although it counts as a failure. */
  #standing: Failure | undefined;
  /** A response whose body the rules want to see first. */
  #held: { readonly head: ResponseHead; readonly judgement: Judgement } | undefined;
  /** Set when the response is not wanted. */
  #discarded: DiscardedResponse | undefined;

  override get sent(): boolean {
    return this.#abort !== undefined;
  }

  /** How it stands before it has ended. */
  get provisional(): AttemptRecord {
    return this.recordOf(this.#standing);
  }

  start(): void {
    const { request, policy } = this.operation;
    const now = performance.now();
    this.begin(now);
    // A listener may have ended the request.
    if (this.settled) return;
    this.engine.deadlines.start(this.#deadline, policy.attemptTimeoutMs, now);
    request.body.open(this);
  }

  /** The body is open: sends it. */
  send(upload: Upload, late: boolean): void {
    if (this.settled) {
      upload.stop();
      return;
    }
    this.#upload = upload;
    // Until now it waited for the caller's own function.
    if (late) this.onTurn();
    const { proxy } = this.admission.member;
    const lease = (this.#lease ??= this.#take(proxy));
    try {
      lease.dispatch(this.operation.request.through(lease, proxy, upload), this);
    } catch (error) {
      this.#lost(error as Error);
    }
  }

  #take(proxy: Proxy): Lease {
    const { request, policy, sessionId } = this.operation;
    const lease = request.lease(this.engine.clients, proxy, policy.connectTimeoutMs, sessionId);
    this.#tunnel = !lease.absoluteForm;
    return lease;
  }

  resume(): void {
    this.#silence?.restart();
    this.#readOn?.();
  }

  /** It waited for one of our own connections and has it now: its time begins. */
  onTurn(): void {
    this.turnAt = this.engine.now();
    this.lagBeforeMs = this.engine.lag.totalMs;
    this.#deadline.restart();
  }

  onConnect(abort: (reason?: Error) => void): void {
    this.#abort = abort;
    if (this.settled) abort(new Error('the attempt is over'));
  }

  /** A first byte came back. */
  onResponseStarted(): void {
    this.#responding = true;
  }

  onUpgrade(statusCode: number, headers: RawHeaders, socket: UpgradeSocket): void {
    this.#lease?.release();
    if (this.settled) {
      socket.destroy();
      return;
    }
    this.latencyMs = this.engine.now() - this.startedAt;
    this.statusCode = statusCode;
    this.responded({ tunnel: this.#tunnel, ruled: false });
    this.settle(undefined);
    this.operation.upgraded(this, statusCode, headers, socket);
  }

  onHeaders(
    statusCode: number,
    headers: RawHeaders,
    resume: () => void,
    statusText: string,
  ): boolean {
    this.#readOn = resume;
    if (!this.settled) this.#begins(new ResponseHead(statusCode, headers, statusText));
    return this.#readsOn;
  }

  /** What the client is told: a response that is not for the caller is not held back. */
  get #readsOn(): boolean {
    return this.settled || !this.operation.paused;
  }

  #begins(head: ResponseHead): void {
    const { statusCode } = head;
    if (statusCode < 200) {
      if (statusCode < 100) {
        this.#broken(`the status ${statusCode} is none of HTTP`);
        return;
      }
      if (++this.#interim > maxInterimResponses) {
        this.#broken(`more than ${maxInterimResponses} interim responses`);
        return;
      }
      this.operation.forwardStart(this, statusCode, head.rawHeaders, head.statusText);
      return;
    }
    const at = this.engine.now();
    this.latencyMs = at - this.startedAt;
    this.statusCode = statusCode;
    this.leaveOutage();
    const { member } = this.admission;
    if (statusCode >= 400) this.#lease?.refused(this.operation.request.body.shareable);
    if (statusCode === 407 && !this.#tunnel) {
      const { proxyHeaders } = this.#lease ?? {};
      this.#fail(wantsCredentials(head.headers, member, proxyHeaders, this.#seen(false), at));
      this.#drain();
      return;
    }
    member.tookAt = at;
    member.tookFor = member.proxy;
    const { banRules } = this.engine;
    const { method, origin } = this.operation.request;
    if (banRules.length === 0) {
      this.#decide(head, 'none', at);
      return;
    }
    const { proxyId } = this;
    const response = { statusCode, headers: head.headers, method, origin, proxyId };
    this.#held = { head, judgement: new Judgement(banRules, response) };
    this.#judge(false, at);
  }

  onData(chunk: Buffer): boolean {
    if (this.settled) {
      this.#discarded?.chunk(chunk.length);
    } else if (this.#held === undefined) {
      this.#silence?.chunk();
      this.operation.forwardData(chunk);
    } else {
      this.#held.judgement.add(chunk);
      this.#judge(false);
    }
    return this.#readsOn;
  }

  onComplete(trailers: RawHeaders): void {
    this.#lease?.release();
    this.#end(trailers);
  }

  #end(trailers: RawHeaders): void {
    if (this.#held !== undefined) this.#judge(true);
    if (this.settled) {
      this.#discarded?.end();
      return;
    }
    const at = this.engine.now();
    this.settle(this.#standing, at);
    this.operation.forwardEnd(this.#standing?.outcome ?? 'success', trailers, at);
  }

  onError(error: Error): void {
    const lease = this.#lease;
    if (this.#endsWithItsHead(error)) {
      lease?.cut(error);
      this.#end([]);
      return;
    }
    if (this.settled || this.#responding || lease?.stale(error, this.sent) !== true) {
      this.#lost(error);
    } else if (this.operation.request.repeats(this.sent)) this.#sendAgain(lease);
    else {
      lease.cut(error);
      const failure = classify(error, this.#seen(false));
      this.#fail({ ...failure, blame: 'none', doubt: undefined, stale: true });
    }
  }

  /**
   * 204 and 304 have no body, whatever their Content-Length says (RFC 9110, section 8.6). undici takes
   * that for a broken response.
   */
  #endsWithItsHead(error: Error): boolean {
    return isBodiless(this.statusCode) && codeOf(error) === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH';
  }

  /** What came is no HTTP, though undici's parser took it. */
  #broken(what: string): void {
    const { proxyId } = this;
    const reason = 'protocol';
    const error = new ProxyConnectionError(`${proxyId}: ${what}`, {
      phase: 'headers',
      proxyId,
      reason,
    });
    this.#fail(classify(error, this.#seen(false)));
    this.#lease?.cut(error);
  }

  /**
   * The connection had served before and was closed before a byte of this response: the same attempt
   * goes on, on a new connection of the same proxy.
   */
  #sendAgain(lease: Lease): void {
    this.#abort = this.#readOn = undefined;
    this.#upload?.stop();
    lease.renew();
    queueMicrotask(() => {
      if (!this.settled) this.operation.request.body.open(this);
    });
  }

  /** Asks the rules; a rule that throws is a bug of the caller's, not of the network. */
  #judge(ended: boolean, at = this.engine.now()): void {
    if (this.#held === undefined) return;
    const { head, judgement } = this.#held;
    try {
      const found = judgement.ask(ended);
      if (found === undefined) return;
      this.#held = undefined;
      this.#decide(head, found, at);
    } catch (error) {
      this.#held = undefined;
      this.#fail({
        outcome: 'failure',
        phase: 'headers',
        reason: 'aborted',
        blame: 'caller',
        error: error as Error,
      });
      this.#lease?.cut(error as Error);
      return;
    }
    const { body } = judgement;
    if (!this.settled && body.length > 0) this.operation.forwardData(body);
  }

  /** The response is judged: it goes to the caller, or another attempt takes over. */
  #decide(head: ResponseHead, found: Found, at: number): void {
    const way = { proxyHost: this.admission.member.proxy.host, tunnel: this.#tunnel };
    const { policy } = this.operation;
    const failure = failureOf(head, found, policy, way, this.engine.wallNow());
    if (failure === undefined)
      this.responded({ tunnel: this.#tunnel, ruled: found !== 'none' }, at);
    this.#pass(head, found, failure === undefined ? undefined : this.judged(failure));
  }

  /** Passes the response on, unless it is a failure and another attempt takes over. */
  #pass(head: ResponseHead, found: Found, failure: Failure | undefined): void {
    if (failure !== undefined) {
      const { member } = this.admission;
      const { origin } = this.operation.request;
      // Before a successor is looked for: this response may be the one that opens the circuit.
      this.tellCircuit(failure);
      carryOut(this.engine.pool, found, member, origin, this.engine.now());
      const fatal = found !== 'none' && found.verdict === 'fatal';
      const goOn = fatal ? undefined : this.operation.successorOf(this, failure);
      if (goOn !== undefined) {
        this.#discard(failure);
        goOn();
        return;
      }
      this.#standing = failure;
    }
    this.#deadline.stop();
    this.#awaitBody(head.statusCode);
    const { statusCode, rawHeaders, statusText } = head;
    this.engine.hedging?.record(this.latencyMs ?? 0);
    this.#lease?.responded();
    this.operation.forwardStart(this, statusCode, rawHeaders, statusText);
  }

  #awaitBody(statusCode: number): void {
    const { bodyTimeoutMs, method } = this.operation.request;
    if (bodyTimeoutMs === 0 || method === 'HEAD' || isBodiless(statusCode)) return;
    this.#silence = new BodySilence(this.#deadline, bodyTimeoutMs, this.engine, this);
  }

  /** The caller holds the response back. */
  get paused(): boolean {
    return this.operation.paused;
  }

  /** No more of the body came in time. */
  silent(late: boolean): void {
    const { bodyTimeoutMs } = this.operation.request;
    const awaited = 'no more of the response body';
    const error = new AttemptTimeoutError(bodyTimeoutMs, 'body', this.proxyId, awaited);
    const failure = classify(error, this.#seen(true));
    this.#fail(late ? lateHere(failure) : failure);
    this.#lease?.cut(error);
  }

  #lost(error: Error): void {
    this.#lease?.cut(error);
    if (this.settled) {
      this.#discarded?.end();
      return;
    }
    scrub(error, this.admission.member.proxy, this.#lease?.proxyHeaders);
    const failure = classify(error, this.#seen(this.latencyMs !== undefined));
    // The deadline of the way through the proxy comes as an error of its connection.
    const late = error instanceof AttemptTimeoutError && this.loopWasLate();
    this.#fail(late ? lateHere(failure) : failure);
  }

  #seen(headersSeen: boolean) {
    const { origin } = this.operation.request;
    const sealed = this.#tunnel && this.sent && origin.startsWith('https:');
    return { proxyId: this.proxyId, sealed, headersSeen };
  }

  #fail(failure: Failure): void {
    const settled = this.judged(failure);
    this.settle(settled);
    // Never synchronously inside a client's callback: its bookkeeping is not finished.
    queueMicrotask(() => this.operation.attemptFailed(this, settled));
  }

  /** Its time is over. */
  expired(): void {
    if (this.#silence !== undefined) this.#silence.expired();
    // The response may lie unread in a socket: those get a turn before anything is judged.
    else if (this.loopWasLate()) setImmediate(() => this.#expired(true));
    else this.#expired(false);
  }

  #expired(late: boolean): void {
    if (this.settled || (this.latencyMs !== undefined && this.#held === undefined)) return;
    const { attemptTimeoutMs } = this.operation.policy;
    const unread = this.#lease?.unreadAhead ?? 0;
    if (unread > 0) this.engine.unread.found(this.proxyId, unread);
    const phase = this.phase;
    // Without a lease it waits for the caller's body function.
    const starved = this.#lease === undefined || this.#upload?.starved === true;
    const awaited = starved ? 'no more of the request body' : 'no response headers';
    const error = new AttemptTimeoutError(attemptTimeoutMs, phase, this.proxyId, awaited, unread);
    const failure = classify(error, this.#seen(false));
    // It waited for this machine: for its loop, or for the source of its body.
    this.#fail(late || starved ? lateHere(failure) : failure);
    this.#lease?.cut(error);
  }

  protected override get starved(): boolean {
    return this.#upload?.starved === true;
  }

  /** A head that came through a tunnel, or that states to come from the target, shows that the way works. */
  protected override showsWay({ blame, doubt, phase, reason }: Failure): boolean {
    const certainly = blame === 'target' && doubt === undefined;
    const spoke = this.latencyMs !== undefined && phase !== 'body';
    return (
      (spoke && (this.#tunnel || (certainly && reason === 'status'))) ||
      (certainly && reason === 'protocol')
    );
  }

  protected override get phase(): Phase {
    if (this.latencyMs !== undefined) return 'body';
    return this.sent ? 'headers' : (this.#lease?.phase ?? 'select');
  }

  protected override stop(): void {
    this.#deadline.stop();
    this.#upload?.stop();
    this.#silence?.stop();
  }

  protected override cut(error: Error): void {
    this.#lease?.cut(error);
  }

  /** The response is not wanted: the rest of it is read for a while, to keep the connection. */
  #discard(failure: Failure): void {
    this.settle(failure);
    this.#readOn?.();
    this.#drain();
  }

  #drain(): void {
    this.#discarded = new DiscardedResponse(this.engine.deadlines, (error) =>
      this.#lease?.cut(error),
    );
  }
}
