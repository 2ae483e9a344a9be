import type { Found } from '../policy/ban-rules.ts';
import { Judgement } from '../policy/judgement.ts';
import { carryOut } from '../pool/carry-out.ts';
import { failureOf } from '../policy/response-failure.ts';
import { ResponseHead } from '../blame/response-head.ts';
import { classify, lateHere, type Failure } from '../blame/failure.ts';
import { BodySilence, type BodyListener } from './body-silence.ts';
import { DiscardedResponse } from './discarded-response.ts';
import type { AttemptRecord } from '../attempt-record.ts';
import { AttemptTimeoutError, ProxyConnectionError } from '../errors.ts';
import type { RawHandler, RawHeaders, UpgradeSocket } from '../message/undici-handler.ts';
import { maxInterimResponses } from '../connection/connect-response-parser.ts';
import type { AttemptListener } from './attempt-listener.ts';
import { SendingAttempt } from './sending-attempt.ts';
import { wantsCredentials } from './wanted-credentials.ts';
import { codeOf } from '../events/request-events.ts';

function isBodiless(statusCode: number | undefined): boolean {
  return statusCode === 204 || statusCode === 304;
}

/** One try of a request through one proxy, with its response: the handler under undici's client. */
export class Attempt
  extends SendingAttempt<AttemptListener<Attempt>>
  implements RawHandler, BodyListener
{
  /** Resumes the client after a pause. */
  #readOn: (() => void) | undefined;
  /** Interim responses so far. */
  #interim = 0;
  /** While the body comes. */
  #silence: BodySilence | undefined;
  /** Set when the response is passed on although it counts as a failure. */
  #standing: Failure | undefined;
  /** A response whose body the ban rules read before it is judged. */
  #held: { readonly head: ResponseHead; readonly judgement: Judgement } | undefined;
  /** Set when the response is discarded. */
  #discarded: DiscardedResponse | undefined;

  protected override get handler(): this {
    return this;
  }

  /** How it stands before it has ended. */
  get provisional(): AttemptRecord {
    return this.recordOf(this.#standing);
  }

  resume(): void {
    this.#silence?.restart();
    this.#readOn?.();
  }

  onUpgrade(statusCode: number, headers: RawHeaders, socket: UpgradeSocket): void {
    this.lease?.release();
    if (this.settled) {
      socket.destroy();
      return;
    }
    this.latencyMs = this.engine.now() - this.startedAt;
    this.statusCode = statusCode;
    this.responded({ tunnel: this.tunnel, ruled: false });
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
    if (statusCode >= 400) this.lease?.refused(this.operation.request.body.shareable);
    if (statusCode === 407 && !this.tunnel) {
      const { proxyHeaders } = this.lease ?? {};
      this.fail(wantsCredentials(head.headers, member, proxyHeaders, this.seen(false), at));
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
    this.lease?.release();
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

  override onError(error: Error): void {
    if (this.#endsWithItsHead(error)) {
      this.lease?.cut(error);
      this.#end([]);
    } else super.onError(error);
  }

  /**
   * 204 and 304 have no body, whatever their Content-Length says (RFC 9110, section 8.6). undici takes
   * that for a broken response.
   */
  #endsWithItsHead(error: Error): boolean {
    return isBodiless(this.statusCode) && codeOf(error) === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH';
  }

  /** The response is no valid HTTP, though undici's parser accepted it. */
  #broken(what: string): void {
    const { proxyId } = this;
    const reason = 'protocol';
    const error = new ProxyConnectionError(`${proxyId}: ${what}`, {
      phase: 'headers',
      proxyId,
      reason,
    });
    this.fail(classify(error, this.seen(false)));
    this.lease?.cut(error);
  }

  /** Asks the ban rules. A rule that throws ends the request: that is no failure of the network. */
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
      this.fail({
        outcome: 'failure',
        phase: 'headers',
        reason: 'aborted',
        blame: 'caller',
        error: error as Error,
      });
      this.lease?.cut(error as Error);
      return;
    }
    const { body } = judgement;
    if (!this.settled && body.length > 0) this.operation.forwardData(body);
  }

  /** The response is judged: it goes to the caller, or another attempt takes over. */
  #decide(head: ResponseHead, found: Found, at: number): void {
    const way = { proxyHost: this.admission.member.proxy.host, tunnel: this.tunnel };
    const { policy } = this.operation;
    const failure = failureOf(head, found, policy, way, this.engine.wallNow);
    if (failure === undefined) this.responded({ tunnel: this.tunnel, ruled: found !== 'none' }, at);
    this.#pass(head, found, failure === undefined ? undefined : this.judged(failure), at);
  }

  /** Passes the response on, unless it is a failure and another attempt takes over. */
  #pass(head: ResponseHead, found: Found, failure: Failure | undefined, at: number): void {
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
    this.deadline.stop();
    this.#awaitBody(head.statusCode, at);
    const { statusCode, rawHeaders, statusText } = head;
    this.engine.hedging?.record(this.latencyMs ?? 0);
    this.lease?.responded();
    this.operation.forwardStart(this, statusCode, rawHeaders, statusText);
  }

  #awaitBody(statusCode: number, at: number): void {
    const { bodyTimeoutMs, method } = this.operation.request;
    if (bodyTimeoutMs === 0 || method === 'HEAD' || isBodiless(statusCode)) return;
    const now = this.engine.monotonicAt(at);
    this.#silence = new BodySilence(this.deadline, bodyTimeoutMs, this.engine, this, now);
  }

  /** The caller has paused the response. */
  get paused(): boolean {
    return this.operation.paused;
  }

  /** No more of the body came in time. */
  silent(late: boolean): void {
    const { bodyTimeoutMs } = this.operation.request;
    const awaited = 'no more of the response body';
    const error = new AttemptTimeoutError(bodyTimeoutMs, 'body', this.proxyId, awaited);
    const failure = classify(error, this.seen(true));
    this.fail(late ? lateHere(failure) : failure);
    this.lease?.cut(error);
  }

  protected override lost(error: Error): void {
    super.lost(error);
    this.#discarded?.end();
  }

  protected override failed(failure: Failure): void {
    this.operation.attemptFailed(this, failure);
  }

  /** From the head on, only the silence of the body is bounded. */
  override expired(): void {
    if (this.#silence === undefined) super.expired();
    else this.#silence.expired();
  }

  protected override get hasResponse(): boolean {
    return this.latencyMs !== undefined && this.#held === undefined;
  }

  /** A head that came through a tunnel, or that states to come from the target, shows that the way works. */
  protected override showsWay({ blame, doubt, phase, reason }: Failure): boolean {
    const certainly = blame === 'target' && doubt === undefined;
    const spoke = this.latencyMs !== undefined && phase !== 'body';
    return (
      (spoke && (this.tunnel || (certainly && reason === 'status'))) ||
      (certainly && reason === 'protocol')
    );
  }

  protected override stop(): void {
    super.stop();
    this.#silence?.stop();
  }

  /** Discards the response: the rest of it is read for a while, to keep the connection. */
  #discard(failure: Failure): void {
    this.settle(failure);
    this.#readOn?.();
    this.#drain();
  }

  #drain(): void {
    this.#discarded = new DiscardedResponse(this.engine.deadlines, (error) =>
      this.lease?.cut(error),
    );
  }
}
