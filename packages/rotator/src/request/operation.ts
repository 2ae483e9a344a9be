import type { Outcome, RetryRefusalReason } from '@whirl/events';
import type { Dispatcher } from 'undici';
import { WhirlError, withReason } from '../errors.ts';
import { noBody } from '../message/replayable-body.ts';
import type { Admission } from '../pool/member.ts';
import { Attempt } from './attempt.ts';
import type { AttemptListener } from './attempt-listener.ts';
import { Caller, type CallerRequests } from './caller.ts';
import { checkTarget } from './check-target.ts';
import type { Engine } from './engine.ts';
import { Failover } from './failover.ts';
import { OutgoingRequest } from './outgoing-request.ts';
import type { RequestContext } from './request-options.ts';
import type { RawHeaders, UpgradeSocket } from '../message/undici-handler.ts';

const notReplayable =
  'not retried, because more than 1 MiB of the body was read from a stream or iterator: give a function that returns a fresh one';

/** One request with all its attempts, between the caller's handler and the proxies' clients. */
export class Operation
  extends Failover<Attempt>
  implements AttemptListener<Attempt>, CallerRequests
{
  readonly request: OutgoingRequest;
  readonly #caller: Caller;

  /** Throws `InvalidRequestError` for what could never be sent. */
  constructor(
    engine: Engine,
    opts: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
    context: RequestContext,
  ) {
    const policy = context.policy ?? engine.policies.current;
    const request = new OutgoingRequest(opts, policy);
    const { method, origin } = request;
    checkTarget(engine.targets, origin);
    super(engine, context, policy, method, origin);
    this.request = request;
    this.#caller = new Caller(handler, this);
  }

  get paused(): boolean {
    return this.#caller.paused;
  }

  protected override get shareable(): boolean {
    return this.request.shareable;
  }

  protected override get repeatable(): boolean {
    return this.request.repeatable;
  }

  protected override get replayable(): boolean {
    return this.request.body.replayable;
  }

  protected override attemptThrough(
    admission: Admission,
    number: number,
    delayMs: number,
    hedge: boolean,
  ): Attempt {
    return new Attempt(this, admission, number, delayMs, hedge);
  }

  protected override failed(error: Error): void {
    this.#caller.error(error);
  }

  protected override letGo(): void {
    this.request.body.close();
  }

  protected override unrepeated(reason: RetryRefusalReason, error: Error): Error {
    return reason === 'body' && error instanceof WhirlError
      ? withReason(error, notReplayable)
      : error;
  }

  start(): void {
    this.announce();
    this.#caller.requestStart();
    const { body } = this.request;
    if (body !== noBody && !this.ended) body.watch((error) => this.end('failure', error));
    this.attemptFirst();
  }

  /** The caller's wish, as is the next one. */
  abort(reason: Error): void {
    this.end('aborted', reason);
  }

  resume(): void {
    for (const attempt of this.live) attempt.resume();
  }

  forwardStart(
    attempt: Attempt,
    statusCode: number,
    headers: RawHeaders,
    statusText: string,
  ): void {
    if (this.ended) return;
    if (statusCode >= 200) this.won(attempt, statusCode);
    this.#caller.responseStart(statusCode, headers, statusText);
  }

  forwardData(chunk: Buffer): void {
    if (!this.ended) this.#caller.data(chunk);
  }

  forwardEnd(outcome: Outcome, trailers: RawHeaders, at: number): void {
    if (this.ended) return;
    this.finish(outcome, undefined, at);
    this.#caller.end(trailers);
  }

  upgraded(attempt: Attempt, statusCode: number, headers: RawHeaders, socket: UpgradeSocket): void {
    if (this.ended) return;
    this.won(attempt, statusCode);
    this.finish('success', undefined);
    this.#caller.upgrade(statusCode, headers, socket);
  }
}
