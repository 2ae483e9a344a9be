import type { Outcome, Phase } from '@whirl/events';
import { Judgement } from '../policy/ban-rules.ts';
import { carryOut, failureOf, type Found, type Head } from '../blame/answer.ts';
import { circuitOutcome, classify, lateHere, type Failure } from '../blame/failure.ts';
import { BodySilence } from './body-silence.ts';
import type { Upload, Uploader } from '../message/replayable-body.ts';
import { maxTimerMs } from '../timer.ts';
import type { Engine } from './engine.ts';
import type { AttemptRecord } from '../attempt-record.ts';
import { AttemptTimeoutError, ProxyAuthenticationError, ProxyConnectionError } from '../errors.ts';
import { credentialProblem, schemesIn } from '../connection/connect-refusal.ts';
import type { Controller, UpgradeSocket } from './undici-handler.ts';
import { maxInterimResponses } from '../connection/http-connect.ts';
import type { Lease, LeaseHandler } from '../connection/lease.ts';
import type { Admission } from '../pool/member.ts';
import type { Operation } from './operation.ts';
import { hasCredentials } from '../proxy/proxy-headers.ts';
import { scrub } from '../proxy/secrets.ts';
import type { Proxy } from '../proxy/proxy.ts';
import { codeOf } from '../events/request-events.ts';

/** A discarded answer is drained up to here and no longer, which keeps its connection. */
const drainBytes = 131_072;
const drainMs = 1000;

/** A proxy that took its credentials this lately does not refuse them now. */
const tookMs = 60_000;

type Headers = Record<string, string | string[]>;

function isBodiless(statusCode: number | undefined): boolean {
  return statusCode === 204 || statusCode === 304;
}

/** One try of a request through one proxy: the handler under undici's client. */
export class Attempt implements LeaseHandler, Uploader {
  readonly number: number;
  readonly proxyId: string;
  readonly delayBeforeMs: number;
  readonly hedge: boolean;
  readonly #engine: Engine;
  readonly #operation: Operation;
  readonly #admission: Admission;
  readonly #startedAt: number;
  /** When it had its connection: a wait for one of our own is not the proxy's time. */
  #turnAt: number;
  #upload: Upload | undefined;
  #lease: Lease | undefined;
  #tunnel = true;
  /** The attempt's deadline; once its answer is discarded, that of the drain. */
  #timer: NodeJS.Timeout | undefined;
  #upstream: Controller | undefined;
  #latencyMs: number | undefined;
  #statusCode: number | undefined;
  /** Bytes of a response came, if only the first of its head. */
  #answered = false;
  /** Interim responses so far. */
  #interim = 0;
  /** While the body comes. */
  #silence: BodySilence | undefined;
  /** The answer stands, but it is not a good one. */
  #standing: Failure | undefined;
  /** Other proxies get better responses from there: the response stands, the way is remembered. */
  #strange = false;
  /** What the target's outage gave it at its start; undefined once it may bring no response any more. */
  #epoch: number | undefined;
  /** Delay of the event loop before its time began. */
  #lagBeforeMs = 0;
  /** An answer whose body the rules want to see before anybody else does. */
  #held: { readonly head: Head; readonly judgement: Judgement } | undefined;
  /** What it came to has been said; whatever still arrives is not for the caller. */
  #settled = false;
  /** The circuit has its verdict. */
  #told = false;
  #drained = 0;

  constructor(
    operation: Operation,
    admission: Admission,
    number: number,
    delayBeforeMs: number,
    hedge: boolean,
  ) {
    this.#operation = operation;
    this.#engine = operation.engine;
    this.#admission = admission;
    this.number = number;
    this.delayBeforeMs = delayBeforeMs;
    this.hedge = hedge;
    this.proxyId = admission.member.id;
    this.#startedAt = this.#turnAt = this.#engine.now();
  }

  /** Whether anything of the request went out. */
  get sent(): boolean {
    return this.#upstream !== undefined;
  }

  get region(): string | undefined {
    return this.#admission.member.proxy.region;
  }

  /** How it stands before it has ended. */
  get provisional(): AttemptRecord {
    return this.#record(this.#standing, this.#engine.now());
  }

  start(): void {
    const { pool, lag } = this.#engine;
    const { id: requestId, request, policy, target } = this.#operation;
    this.#epoch = target.outage.begun();
    lag.begun();
    this.#lagBeforeMs = lag.totalMs;
    const { member } = this.#admission;
    pool.tell(member, 'attempt:start', {
      requestId,
      attempt: this.number,
      proxyId: this.proxyId,
      origin: request.origin,
      hedge: this.hedge,
      at: this.#startedAt,
    });
    // A listener may have ended the request.
    if (this.#settled) return;
    const timeoutMs = Math.min(policy.attemptTimeoutMs, maxTimerMs);
    this.#timer = setTimeout(() => this.#timeout(), timeoutMs);
    request.body.open(this);
  }

  /** The body is open: sends it. */
  send(upload: Upload, late: boolean): void {
    if (this.#settled) {
      upload.stop();
      return;
    }
    this.#upload = upload;
    // Until now it waited for the caller's own function.
    if (late) this.onTurn();
    const { proxy } = this.#admission.member;
    const lease = (this.#lease ??= this.#take(proxy));
    try {
      lease.dispatch(this.#operation.request.through(lease, proxy, upload), this);
    } catch (error) {
      this.#lost(error as Error);
    }
  }

  #take(proxy: Proxy): Lease {
    const { request, policy, sessionId } = this.#operation;
    const lease = request.lease(this.#engine.clients, proxy, policy.connectTimeoutMs, sessionId);
    this.#tunnel = !lease.absoluteForm;
    return lease;
  }

  pause(): void {
    this.#upstream?.pause();
  }

  resume(): void {
    this.#silence?.restart();
    this.#upstream?.resume();
  }

  /** Ends it from above: the caller's abort, its body or a faster attempt (neutral), or a deadline. */
  kill(error: Error, outcome: 'aborted' | 'timeout' | 'failure'): void {
    if (this.#settled) return;
    const phase = this.#phase();
    const failure = {
      outcome,
      phase,
      reason: outcome === 'timeout' ? 'timeout' : 'aborted',
      error,
    } as const;
    this.#settle(
      outcome === 'timeout' && this.#hadItsTime(phase)
        ? this.#judged({ ...failure, blame: 'unknown', doubt: 'failed' })
        : { ...failure, blame: 'caller' },
    );
    this.#lease?.cut(error);
  }

  /** It waited for one of our own connections and has it now: its time begins. */
  onTurn(): void {
    this.#turnAt = this.#engine.now();
    this.#lagBeforeMs = this.#engine.lag.totalMs;
    this.#timer?.refresh();
  }

  onRequestStart(controller: Controller): void {
    this.#upstream = controller;
    if (this.#settled) controller.abort(new Error('the attempt is over'));
    else if (this.#operation.paused) controller.pause();
  }

  /** A first byte came back. */
  onResponseStarted(): void {
    this.#answered = true;
  }

  onRequestUpgrade(
    controller: Controller,
    statusCode: number,
    headers: Headers,
    socket: UpgradeSocket,
  ): void {
    this.#lease?.release();
    if (this.#settled) {
      socket.destroy();
      return;
    }
    this.#latencyMs = this.#engine.now() - this.#startedAt;
    this.#statusCode = statusCode;
    this.#responded(false);
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
      if (statusCode < 100) {
        this.#broken(`the status ${statusCode} is none of HTTP`);
        return;
      }
      if (++this.#interim > maxInterimResponses) {
        this.#broken(`more than ${maxInterimResponses} interim responses`);
        return;
      }
      this.#operation.forwardStart(this, controller, statusCode, headers, statusMessage);
      return;
    }
    this.#latencyMs = this.#engine.now() - this.#startedAt;
    this.#statusCode = statusCode;
    this.#leaveOutage();
    const { member } = this.#admission;
    if (statusCode >= 400) this.#lease?.refused(this.#operation.request.body.shareable);
    if (statusCode === 407 && !this.#tunnel) {
      this.#fail(this.#wantsCredentials(headers));
      return;
    }
    member.tookAt = this.#engine.now();
    member.tookFor = member.proxy;
    const { banRules } = this.#engine;
    const head: Head = { controller, statusCode, headers, statusMessage };
    const { method, origin } = this.#operation.request;
    if (banRules.length === 0) {
      this.#decide(head, 'none');
      return;
    }
    const { proxyId } = this;
    const answer = { statusCode, headers, method, origin, proxyId };
    this.#held = { head, judgement: new Judgement(banRules, answer) };
    this.#judge(false);
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#settled) {
      this.#drained += chunk.length;
      if (this.#drained > drainBytes) this.#stopDrain();
      return;
    }
    if (this.#held === undefined) {
      this.#silence?.chunk();
      this.#operation.forwardData(chunk);
    } else {
      this.#held.judgement.add(chunk);
      this.#judge(false);
    }
  }

  onResponseEnd(controller: Controller, trailers: Headers): void {
    this.#lease?.release();
    this.#end(controller, trailers);
  }

  #end(controller: Controller, trailers: Headers): void {
    if (this.#held !== undefined) this.#judge(true);
    if (this.#settled) {
      clearTimeout(this.#timer);
      return;
    }
    this.#settle(this.#standing);
    this.#operation.forwardEnd(this.#standing?.outcome ?? 'success', controller, trailers);
  }

  onResponseError(controller: Controller, error: Error): void {
    const lease = this.#lease;
    if (this.#endsWithItsHead(error)) {
      lease?.cut(error);
      this.#end(controller, {});
      return;
    }
    if (this.#settled || this.#answered || lease?.stale(error, this.sent) !== true) {
      this.#lost(error);
    } else if (this.#operation.request.repeats(this.sent)) this.#sendAgain(lease);
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
    return isBodiless(this.#statusCode) && codeOf(error) === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH';
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
    this.#upstream = undefined;
    this.#upload?.stop();
    lease.renew();
    queueMicrotask(() => {
      if (!this.#settled) this.#operation.request.body.open(this);
    });
  }

  /**
   * A 407 in absolute form: the proxy's, unless it asks for nothing or took the same credentials a moment ago.
   * Then another proxy on the way, or the target, wants credentials of its own: this route is of no use.
   */
  #wantsCredentials(headers: Headers): Failure {
    const { member } = this.#admission;
    const { proxyId } = this;
    const { proxy } = member;
    const challenge = headers['proxy-authenticate'];
    const took = member.tookFor === proxy && this.#engine.now() - member.tookAt < tookMs;
    const base = { phase: 'headers', proxyId, statusCode: 407 } as const;
    const message = `${proxyId} answered with 407`;
    if (challenge !== undefined && !took) {
      const schemes = schemesIn(typeof challenge === 'string' ? [challenge] : challenge);
      const given = hasCredentials(proxy, this.#lease?.proxyHeaders);
      const why = credentialProblem(schemes, given);
      const error = new ProxyAuthenticationError(`${message}: ${why}`, { ...base, schemes });
      return classify(error, this.#seen(false));
    }
    const why = took
      ? 'although it took the same credentials lately'
      : 'but asks for no credentials';
    return {
      outcome: 'failure',
      phase: 'headers',
      reason: 'status',
      blame: 'route',
      statusCode: 407,
      error: new ProxyConnectionError(`${message}, ${why}`, base),
    };
  }

  /** Asks the rules; a rule that throws is a bug of the caller's, not of the network. */
  #judge(ended: boolean): void {
    if (this.#held === undefined) return;
    const { head, judgement } = this.#held;
    try {
      const found = judgement.ask(ended);
      if (found === undefined) return;
      this.#held = undefined;
      this.#decide(head, found);
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
    if (!this.#settled && body.length > 0) this.#operation.forwardData(body);
  }

  /** The answer is known: it goes to the caller, or another attempt takes over. */
  #decide(head: Head, found: Found): void {
    const way = { proxyHost: this.#admission.member.proxy.host, tunnel: this.#tunnel };
    const { policy } = this.#operation;
    const failure = failureOf(head, found, policy, way, this.#engine.wallNow());
    if (failure === undefined) this.#responded(found !== 'none');
    this.#pass(head, found, failure === undefined ? undefined : this.#judged(failure));
  }

  /** Passes the response on, unless it is a failure and another attempt takes over. */
  #pass(head: Head, found: Found, failure: Failure | undefined): void {
    if (failure !== undefined) {
      const { member } = this.#admission;
      const { origin } = this.#operation.request;
      // Before a successor is looked for: this answer may be the one that opens the circuit.
      this.#tellCircuit(failure);
      carryOut(this.#engine, found, member, origin);
      const fatal = found !== 'none' && found.verdict === 'fatal';
      if (!fatal && this.#operation.replaces(this, failure, () => this.#discard(failure))) return;
      this.#standing = failure;
    }
    clearTimeout(this.#timer);
    // Most bodies have ended by then: their chunks come in one turn with the head.
    queueMicrotask(() => this.#awaitBody(head.statusCode));
    const { controller, statusCode, headers, statusMessage } = head;
    this.#engine.hedging?.record(this.#latencyMs ?? 0);
    this.#lease?.answered();
    this.#operation.forwardStart(this, controller, statusCode, headers, statusMessage);
  }

  #awaitBody(statusCode: number): void {
    const { bodyTimeoutMs, method } = this.#operation.request;
    if (this.#settled || bodyTimeoutMs === 0 || method === 'HEAD' || isBodiless(statusCode)) return;
    this.#silence = new BodySilence(
      bodyTimeoutMs,
      this.#engine.lag,
      () => this.#operation.paused,
      (late) => {
        const awaited = 'no more of the response body';
        const error = new AttemptTimeoutError(bodyTimeoutMs, 'body', this.proxyId, awaited);
        const failure = classify(error, this.#seen(true));
        this.#fail(late ? lateHere(failure) : failure);
        this.#lease?.cut(error);
      },
    );
  }

  #lost(error: Error): void {
    this.#lease?.cut(error);
    if (this.#settled) {
      clearTimeout(this.#timer);
      return;
    }
    scrub(error, this.#admission.member.proxy, this.#lease?.proxyHeaders);
    const failure = classify(error, this.#seen(this.#latencyMs !== undefined));
    // The deadline of the way through the proxy comes as an error of its connection.
    const late = error instanceof AttemptTimeoutError && this.#loopWasLate();
    this.#fail(late ? lateHere(failure) : failure);
  }

  #seen(headersSeen: boolean) {
    const { origin } = this.#operation.request;
    const sealed = this.#tunnel && this.sent && origin.startsWith('https:');
    return { proxyId: this.proxyId, sealed, headersSeen };
  }

  #fail(failure: Failure): void {
    const settled = this.#judged(failure);
    this.#settle(settled);
    // Never synchronously inside a client's callback: its bookkeeping is not finished.
    queueMicrotask(() => this.#operation.attemptFailed(this, settled));
  }

  #timeout(): void {
    if (this.#settled) return;
    // The response may lie unread in a socket: those get a turn before anything is judged.
    if (this.#loopWasLate()) setImmediate(() => this.#expired(true));
    else this.#expired(false);
  }

  #expired(late: boolean): void {
    if (this.#settled || (this.#latencyMs !== undefined && this.#held === undefined)) return;
    const { attemptTimeoutMs } = this.#operation.policy;
    const unread = this.#lease?.unreadAhead ?? 0;
    if (unread > 0) this.#engine.unread.found(this.proxyId, unread);
    const phase = this.#phase();
    // Without a lease it waits for the caller's body function.
    const starved = this.#lease === undefined || this.#upload?.starved === true;
    const awaited = starved ? 'no more of the request body' : 'no response headers';
    const error = new AttemptTimeoutError(attemptTimeoutMs, phase, this.proxyId, awaited, unread);
    const failure = classify(error, this.#seen(false));
    // It waited for this machine: for its loop, or for the source of its body.
    this.#fail(late || starved ? lateHere(failure) : failure);
    this.#lease?.cut(error);
  }

  /** Whether the event loop was held up for over a fifth of the attempt's time. */
  #loopWasLate(): boolean {
    const { lag, now } = this.#engine;
    return lag.wasLate(this.#lagBeforeMs, now() - this.#turnAt);
  }

  /** Whether the caller's deadline left it time enough: half of it, and as long as the target usually takes. */
  #hadItsTime(phase: Phase): boolean {
    const { policy, target } = this.#operation;
    const { timeoutMs = Infinity } = policy;
    if (phase === 'select' || this.#latencyMs !== undefined || this.#loopWasLate()) return false;
    if (this.#upload?.starved === true) return false;
    const elapsedMs = this.#engine.now() - this.#turnAt;
    return 2 * elapsedMs >= timeoutMs && !target.usuallySlowerThan(elapsedMs);
  }

  /** It may bring no response any more, or has brought one. */
  #leaveOutage(): void {
    if (this.#epoch === undefined) return;
    this.#operation.target.outage.ended(this.#epoch);
    this.#epoch = undefined;
  }

  /** A response that is no failure is evidence too. `ruled`: a ban rule says that it stands. */
  #responded(ruled: boolean): void {
    this.#leaveOutage();
    const { judge, now } = this.#engine;
    const { member } = this.#admission;
    const at = now();
    this.#strange =
      judge.answered(member, this.#operation.target, at, {
        statusCode: this.#statusCode ?? 0,
        latencyMs: this.#latencyMs ?? 0,
        tunnel: this.#tunnel,
        ruled,
      }) === 'route';
    if (!this.#strange) this.#operation.responded(member, at);
  }

  /** Once for each failure: the judgement is evidence for the next one. */
  #judged(failure: Failure): Failure {
    this.#leaveOutage();
    if (failure.stale === true) return failure;
    const { judge, now } = this.#engine;
    const { member } = this.#admission;
    const certainly = failure.blame === 'target' && failure.doubt === undefined;
    const spoke = this.#latencyMs !== undefined && failure.phase !== 'body';
    // A head that came through a tunnel, or that states to come from the target, shows that the way works.
    const responded =
      (spoke && (this.#tunnel || (certainly && failure.reason === 'status'))) ||
      (certainly && failure.reason === 'protocol');
    const at = now();
    if (responded) this.#operation.responded(member, at);
    return judge.judged(failure, member, this.#operation.target, at, responded, this.#latencyMs);
  }

  #phase(): Phase {
    if (this.#latencyMs !== undefined) return 'body';
    return this.sent ? 'headers' : (this.#lease?.phase ?? 'select');
  }

  /** Books the outcome, once: the circuit first, then the event. */
  #settle(failure: Failure | undefined): void {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#timer);
    this.#upload?.stop();
    this.#silence?.stop();
    const { now, pool, budget, lag } = this.#engine;
    this.#leaveOutage();
    lag.ended();
    const { member } = this.#admission;
    const at = now();
    const record = this.#record(failure, at);
    const { latencyMs, outcome, blame } = record;
    this.#operation.target.count(outcome, blame);
    this.#tellCircuit(failure);
    if (outcome === 'success') budget?.deposit();
    this.#operation.record(record);
    if (failure?.undecided === true) this.#operation.undecided(member, record, at);
    const { statusCode, errorCode } = record;
    pool.tell(member, 'attempt:end', {
      requestId: this.#operation.id,
      attempt: this.number,
      proxyId: this.proxyId,
      origin: this.#operation.request.origin,
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
    pool.free(member);
  }

  /** The outcome, once. Failures count only if the proxy is to blame, or may be. */
  #tellCircuit(failure: Failure | undefined): void {
    if (this.#told) return;
    this.#told = true;
    const { pool, now } = this.#engine;
    const { member } = this.#admission;
    const at = now();
    pool.settle(
      this.#admission,
      circuitOutcome(failure),
      this.#latencyMs ?? at - this.#startedAt,
      at,
    );
    if (failure?.reason === 'proxy_auth' && member.breaker?.state === 'closed') {
      member.trip({ reason: 'failures' });
    }
  }

  #record(failure: Failure | undefined, at: number): AttemptRecord {
    const statusCode = failure?.statusCode ?? this.#statusCode;
    const errorCode = codeOf(failure?.error);
    return {
      attempt: this.number,
      proxyId: this.proxyId,
      outcome: (failure?.outcome ?? 'success') satisfies Outcome,
      blame: failure?.blame ?? (this.#strange ? 'route' : 'none'),
      message: failure?.error.message,
      latencyMs: this.#latencyMs ?? at - this.#startedAt,
      delayBeforeMs: this.delayBeforeMs,
      ...(statusCode === undefined ? {} : { statusCode }),
      ...(errorCode === undefined ? {} : { errorCode }),
    };
  }

  /** Nobody wants the answer: what is left of it is read for a while, to keep the connection. */
  #discard(failure: Failure): void {
    this.#settle(failure);
    this.#upstream?.resume();
    this.#timer = setTimeout(() => this.#stopDrain(), drainMs);
    this.#timer.unref();
  }

  #stopDrain(): void {
    clearTimeout(this.#timer);
    const error = new Error('a discarded answer is too large to drain');
    this.#lease?.cut(error);
  }
}
