import type { TunnelEnd } from '@whirl/events';
import { checkHost } from './check-target.ts';
import type { Failure } from '../blame/failure.ts';
import type { Destination } from '../connection/destination.ts';
import { ClosedError } from '../errors.ts';
import type { Admission } from '../pool/member.ts';
import type { TunnelPlan } from './connect-options.ts';
import type { Engine } from './engine.ts';
import { Failover } from './failover.ts';
import { FirstFlightHold } from './first-flight-hold.ts';
import type { RequestContext } from './request-options.ts';
import { TunnelAttempt, type TunnelListener } from './tunnel-attempt.ts';
import type { ClosedBy, TunnelCaller, TunnelHandle, TunnelOwner } from './tunnel-owner.ts';

/**
 * One tunnel with all its attempts. It is a request until its verdict; from then on its connection is the tunnel's,
 * and stays a load of its proxy until it closes.
 */
export class TunnelOperation
  extends Failover<TunnelAttempt>
  implements TunnelListener, TunnelOwner
{
  readonly to: Destination;
  readonly quietMs: number | undefined;
  #plan: TunnelPlan;
  #caller: TunnelCaller | undefined;
  #flight: FirstFlightHold;
  /** The tunnel of the caller, from when the way to the target is open. */
  #handle: TunnelHandle | undefined;
  #openedAt = 0;
  /** The attempt whose connection the tunnel has, from the verdict on. */
  #attempt: TunnelAttempt | undefined;
  #replays = 0;
  /** A write that waits for a connection. */
  #waiting: Buffer | undefined;
  #finished = false;

  /** Throws `InvalidRequestError` for a target that may not be asked. */
  constructor(engine: Engine, plan: TunnelPlan, context: RequestContext, caller: TunnelCaller) {
    checkHost(engine.targets, plan.to.host, plan.to.port);
    const policy = context.policy ?? engine.policies.current;
    super(engine, context, policy, 'CONNECT', plan.origin);
    this.to = plan.to;
    this.quietMs = plan.quietMs;
    this.#plan = plan;
    this.#caller = caller;
    this.#flight = new FirstFlightHold(plan.replay);
    plan.signal?.addEventListener('abort', this.#onAbort);
  }

  override get proxyId(): string | undefined {
    return this.respondedBy ?? super.proxyId;
  }

  get finished(): boolean {
    return this.#finished;
  }

  get sentBytes(): number {
    return this.#flight.sentBytes;
  }

  /** Once what was written may not be sent again, `attemptTimeoutMs` bounds the wait, as for a request. */
  get firstByteMs(): number {
    const { replay, firstByteMs } = this.#plan;
    if (firstByteMs === undefined || (replay !== undefined && !this.#flight.harmless)) {
      return this.policy.attemptTimeoutMs;
    }
    return firstByteMs;
  }

  get greetingMs(): number {
    return this.#finished ? 0 : (this.#plan.replay?.greetingMs ?? 0);
  }

  plausible(first: Buffer): boolean {
    return this.#flight.plausible(first);
  }

  start(): void {
    this.announce();
    this.attemptFirst();
  }

  protected override get shareable(): boolean {
    return this.#flight.repeatable && !this.#quiet;
  }

  protected override get repeatable(): boolean {
    return this.#flight.repeatable;
  }

  protected override get replayable(): boolean {
    return true;
  }

  protected override attemptThrough(
    admission: Admission,
    number: number,
    delayMs: number,
    hedge: boolean,
  ): TunnelAttempt {
    return new TunnelAttempt(this, admission, number, delayMs, hedge);
  }

  /** An outage that this tunnel has found by itself does not end it: its other proxies may show that it is none. */
  protected override get braked(): boolean {
    const { downAt } = this.target.outage;
    return super.braked && downAt !== undefined && downAt < this.startedAt;
  }

  /** While the tunnel is open and nothing was written, no time runs out. */
  protected override expire(): void {
    if (!this.#quiet) super.expire();
  }

  protected override failed(error: Error): void {
    if (this.#handle === undefined) {
      this.#unwatchSignal();
      this.#caller?.onError(error);
    } else this.#handle.shut(this.#closerOf(error), error);
  }

  protected override letGo(): void {
    this.#flight.clear();
  }

  opened(attempt: TunnelAttempt): void {
    const opens = this.#handle === undefined;
    if (opens) this.#openHandle(attempt.proxyId);
    // A listener may have ended it.
    if (this.ended) return;
    if (this.to.secure) {
      this.#establish(attempt, undefined);
      return;
    }
    // Whatever is written was so just now, or will be.
    if (opens) return;
    const others = this.#open().filter((other) => other !== attempt);
    if (this.#quiet) {
      // The first one that is open is as good, unless it was given up for being quiet.
      if (attempt.hedge && others.length > 0) this.#retire(attempt);
      else for (const other of others) this.#retire(other);
    } else if (others.length > 0 && !this.#flight.repeatable) {
      this.#retire(attempt);
      return;
    } else {
      if (this.#flight.sent) this.#replays++;
      if (!this.#flight.empty) attempt.send(this.#flight.send());
      if (this.#finished) attempt.finish();
    }
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined && this.write(waiting)) this.#handle?.drained();
  }

  spoke(attempt: TunnelAttempt, first: Buffer): void {
    if (first.length === 0) this.#establish(attempt, undefined);
    else if (this.#flight.plausible(first)) this.#establish(attempt, first);
    else attempt.fail('what came cannot be a response of the target', 'protocol');
  }

  quiet(attempt: TunnelAttempt): void {
    if (this.ended || !this.#quiet || this.live.length !== 1) return;
    const error = new Error('neither side has spoken');
    const failure = { outcome: 'aborted', phase: 'headers', reason: 'timeout', error } as const;
    this.renew(attempt, { ...failure, blame: 'caller' });
  }

  /** What it has sent may not go out once more: connections that are still being opened are of no use then. */
  override attemptFailed(attempt: TunnelAttempt, failure: Failure): void {
    if (attempt.sent && !this.#flight.repeatable && this.live.includes(attempt)) {
      for (const other of this.live) if (other !== attempt) this.#retire(other);
    }
    super.attemptFailed(attempt, failure);
  }

  write(chunk: Buffer): boolean {
    // Without a byte the tunnel stays as quiet as it was.
    if (chunk.length === 0) return true;
    const [leading, ...others] = this.#open();
    if (leading === undefined) {
      const fits = this.#flight.fits(chunk);
      if (fits) this.#flight.add(chunk);
      else this.#waiting = chunk;
      return fits;
    }
    const first = this.#flight.empty;
    this.#flight.add(chunk);
    const shared = others.length > 0 && this.#flight.repeatable;
    const room = leading.send(chunk);
    for (const other of others) {
      if (shared) other.send(chunk);
      else this.#retire(other);
    }
    this.#flight.passed();
    if (first) this.hedgeLater();
    if (!room) leading.drained(() => this.#handle?.drained());
    return room;
  }

  endWrites(): void {
    this.#finished = true;
    for (const attempt of this.#open()) attempt.finish();
  }

  accept(): void {
    const [leading] = this.#open();
    if (leading !== undefined) this.#establish(leading, undefined);
  }

  refuse(reason: string): void {
    this.#open()[0]?.fail(reason);
  }

  /** The connection was taken out: until it closes nothing is kept that only its beginning needed. */
  taken(): void {
    this.#unwatchSignal();
    this.#plan = noPlan;
    this.#flight = noFlight;
    this.#caller = undefined;
  }

  closed(closedBy: ClosedBy, bytesUp: number, bytesDown: number): TunnelEnd {
    this.#unwatchSignal();
    if (!this.ended) this.end('aborted', new Error('the tunnel was closed by its caller'));
    this.#attempt?.closed();
    const { bus, now, inFlight } = this.engine;
    inFlight.closed(this.#handle as TunnelHandle);
    const at = now();
    const event: TunnelEnd = {
      requestId: this.id,
      proxyId: this.proxyId as string,
      origin: this.origin,
      bytesUp,
      bytesDown,
      durationMs: at - this.#openedAt,
      closedBy,
      replays: this.#replays,
      at,
    };
    if (bus.has('tunnel:end')) bus.emit('tunnel:end', event);
    return event;
  }

  /** It is open, and nothing was written. */
  get #quiet(): boolean {
    return this.#flight.empty && !this.#finished && this.#open().length > 0;
  }

  /** The attempts whose way to the target is open, the first one first. */
  #open(): TunnelAttempt[] {
    const open: TunnelAttempt[] = [];
    for (const attempt of this.live) if (attempt.open) open.push(attempt);
    return open;
  }

  #openHandle(proxyId: string): void {
    const { bus, now, inFlight } = this.engine;
    const caller = this.#caller as TunnelCaller;
    this.#handle = caller.handleFor(this);
    inFlight.opened(this.#handle);
    this.#openedAt = now();
    if (bus.has('tunnel:open')) {
      const { id: requestId, origin } = this;
      bus.emit('tunnel:open', { requestId, proxyId, origin, at: this.#openedAt });
    }
    caller.onOpen();
  }

  /** That attempt has the verdict: from now on its connection is the tunnel's. */
  #establish(attempt: TunnelAttempt, first: Buffer | undefined): void {
    this.#attempt = attempt;
    this.won(attempt, undefined);
    const socket = attempt.succeed();
    // A listener may have ended it.
    if (!this.ended) this.finish('success', undefined);
    this.#handle?.establish(socket, first, attempt.before);
  }

  /** Neutral: another connection is preferred to it. */
  #retire(attempt: TunnelAttempt): void {
    this.drop(attempt);
    attempt.kill(new Error('another connection is preferred'), 'aborted');
  }

  #unwatchSignal(): void {
    this.#plan.signal?.removeEventListener('abort', this.#onAbort);
  }

  #closerOf(error: Error): ClosedBy {
    if (error instanceof ClosedError) return 'close';
    return this.#plan.signal?.aborted === true ? 'client' : 'target';
  }

  readonly #onAbort = (): void => {
    const { reason } = this.#plan.signal as AbortSignal;
    const error = reason instanceof Error ? reason : new Error(String(reason));
    if (this.ended) this.#handle?.shut('client', error);
    else this.end('aborted', error);
  };
}

/** Of a tunnel whose connection was taken out. */
const noPlan: TunnelPlan = {
  to: { host: '', port: 0, secure: false },
  origin: '',
  signal: undefined,
  firstByteMs: undefined,
  quietMs: undefined,
  replay: undefined,
};
const noFlight = new FirstFlightHold(undefined);
