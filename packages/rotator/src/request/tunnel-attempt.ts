import type net from 'node:net';
import type { Phase } from '@whirl/events';
import type { AttemptRecord } from '../attempt-record.ts';
import { classify, lateHere, type Failure } from '../blame/failure.ts';
import { reset } from '../connection/reset.ts';
import type { Destination } from '../connection/destination.ts';
import { Dial, type DialTimes } from '../connection/dial.ts';
import { AttemptTimeoutError, ProxyConnectionError } from '../errors.ts';
import type { Member } from '../pool/member.ts';
import { maxTimerMs } from '../timer.ts';
import { JudgedAttempt, type VerdictListener } from './judged-attempt.ts';

/** The tunnel that an attempt belongs to. */
export interface TunnelListener extends VerdictListener {
  readonly to: Destination;
  /** Milliseconds from the last write to the first byte. May differ after each write. */
  readonly firstByteMs: number;
  /** Undefined: a quiet tunnel stays as it is. */
  readonly quietMs: number | undefined;
  /** The caller will write nothing more. */
  readonly finished: boolean;
  /** Milliseconds for which bytes of a target that speaks first wait for the first write. */
  readonly greetingMs: number;
  /** Whether these can be the first bytes of the target. */
  plausible(first: Buffer): boolean;
  /** The way to the target is open; with `secure`, TLS with it too. */
  opened(attempt: TunnelAttempt): void;
  /** The first bytes came. */
  spoke(attempt: TunnelAttempt, first: Buffer): void;
  /** Neither side has spoken for `quietMs`. */
  quiet(attempt: TunnelAttempt): void;
  attemptFailed(attempt: TunnelAttempt, failure: Failure): void;
}

/**
 * One try of a tunnel through one proxy: a dial, and then the wait for the first byte of the target, which is its
 * verdict. After a good verdict it keeps its place at the proxy until the tunnel closes.
 */
export class TunnelAttempt extends JudgedAttempt<TunnelListener> {
  #dial: Dial | undefined;
  #socket: net.Socket | undefined;
  #openedAt = 0;
  /** When something was written first. */
  #writtenAt: number | undefined;
  /** The bound of the wait for the first byte. */
  #awaitedMs: number | undefined;
  #leaseTimer: NodeJS.Timeout | undefined;
  /** The target spoke before anything was written; that waits for the first write. */
  #greeted = false;
  /** The tunnel is to have the connection after the verdict. */
  #keeps = false;
  /** It has it, and with it the place at the proxy. */
  #kept = false;
  /** Waits until the connection takes more, or is gone. */
  #whenRoom: (() => void) | undefined;
  /** Bytes on the connection before it was open, both ways. */
  before = { read: 0, written: 0 };

  override get sent(): boolean {
    return this.#writtenAt !== undefined;
  }

  get open(): boolean {
    return this.#socket !== undefined && !this.settled;
  }

  get provisional(): AttemptRecord {
    return this.recordOf(undefined);
  }

  protected override get phase(): Phase {
    if (this.#socket !== undefined) return 'headers';
    return this.#dial?.phase ?? 'select';
  }

  /** No response is due while nothing was written. */
  protected override get starved(): boolean {
    return this.#socket !== undefined && !this.sent;
  }

  protected override showsWay(): boolean {
    return false;
  }

  start(): void {
    this.begin(performance.now());
    // A listener may have ended the request.
    if (this.settled) return;
    const { attemptTimeoutMs, connectTimeoutMs } = this.operation.policy;
    this.#wait(attemptTimeoutMs, 'no connection');
    const { proxy } = this.admission.member;
    const timeoutMs = Math.min(connectTimeoutMs, maxTimerMs);
    const { to } = this.operation;
    const dial = new Dial(proxy, to, this.engine.connector, timeoutMs, (error, socket) => {
      if (socket === null) this.#lost(error as Error);
      else this.#opened(socket, dial.times);
      this.#dial = undefined;
    });
    this.#dial = dial;
  }

  /** Sends bytes of the first flight. False: the connection is full, see `drained`. */
  send(bytes: Buffer): boolean {
    const socket = this.#socket as net.Socket;
    if (this.#writtenAt === undefined) {
      this.#writtenAt = this.turnAt = this.engine.now();
      this.lagBeforeMs = this.engine.lag.totalMs;
      socket.on('drain', this.#onDrain);
    }
    const { firstByteMs } = this.operation;
    if (firstByteMs === this.#awaitedMs) this.timer?.refresh();
    else {
      this.#awaitedMs = firstByteMs;
      clearTimeout(this.timer);
      this.#wait(firstByteMs, 'no first byte');
    }
    if (this.#greeted) queueMicrotask(() => this.#readGreeting());
    return socket.write(bytes);
  }

  /** Calls once the connection takes more, or is gone. */
  drained(then: () => void): void {
    if (this.#whenRoom === undefined) this.#socket?.on('close', this.#onRoom);
    this.#whenRoom = then;
  }

  /** The caller will write nothing more. */
  finish(): void {
    this.#socket?.end();
  }

  /** The target has spoken, or the caller declares that the tunnel works. Returns the connection, without listeners. */
  succeed(): net.Socket {
    const { now, hedging } = this.engine;
    const waitMs = this.#openedAt - this.startedAt;
    const { secure } = this.operation.to;
    const responseMs = secure || !this.sent ? 0 : now() - (this.#writtenAt as number);
    this.latencyMs = waitMs + responseMs;
    this.#keeps = true;
    this.#unwatch();
    // The tunnel hears of a drain itself.
    this.#socket?.off('close', this.#onRoom);
    this.responded({ tunnel: true, ruled: true });
    hedging?.record(this.latencyMs);
    this.settle(undefined);
    return this.#socket as net.Socket;
  }

  /** The way was open, and the target did not respond through it. */
  fail(why: string, reason?: 'protocol'): void {
    if (this.settled) return;
    const { proxyId } = this;
    const from = { phase: 'headers', proxyId, reason } as const;
    this.#failed(new ProxyConnectionError(`${proxyId}: ${why}`, from));
  }

  /** The tunnel has closed: the place at the proxy is free. */
  closed(): void {
    this.#keeps = false;
    if (!this.#kept) return;
    this.#kept = false;
    this.engine.pool.release(this.admission.member);
  }

  protected override stop(): void {
    clearTimeout(this.#leaseTimer);
  }

  protected override leave(member: Member): void {
    if (!this.#keeps) {
      super.leave(member);
      return;
    }
    this.#kept = true;
    this.engine.pool.started(member);
  }

  protected override cut(): void {
    this.#dial?.cancel();
    this.#dial = undefined;
    this.#unwatch();
    if (this.#socket !== undefined) reset(this.#socket.on('error', ignore));
  }

  #opened(socket: net.Socket, times: DialTimes): void {
    clearTimeout(this.timer);
    const { member } = this.admission;
    this.#openedAt = member.tookAt = this.engine.now();
    member.tookFor = member.proxy;
    socket.allowHalfOpen = true;
    const { bytesRead, readableLength, bytesWritten } = socket;
    this.before = { read: bytesRead - readableLength, written: bytesWritten };
    this.#socket = socket;
    if (!this.operation.to.secure) this.#watch(socket, member);
    const { bus } = this.engine;
    if (bus.has('connection:open')) {
      const { proxyId, operation } = this;
      const at = this.#openedAt;
      bus.emit('connection:open', { proxyId, origin: operation.origin, ...times, at });
    }
    // A listener may have ended it.
    if (!this.settled) this.operation.opened(this);
  }

  #watch(socket: net.Socket, member: Member): void {
    socket.on('data', this.#onData).on('error', this.#onError);
    socket.on('end', this.#onEnd).on('close', this.#onEnd).resume();
    // A test occupies its circuit no longer than its lease, whatever the caller does with the tunnel.
    const { probeLeaseMs } = member.circuits?.options ?? {};
    if (this.admission.probe && probeLeaseMs !== undefined) {
      const leftMs = Math.min(this.startedAt + probeLeaseMs - this.#openedAt, maxTimerMs);
      this.#leaseTimer = setTimeout(() => this.#unproved(), leftMs);
    }
    const { quietMs } = this.operation;
    if (quietMs !== undefined) this.timer = setTimeout(() => this.operation.quiet(this), quietMs);
  }

  #unwatch(): void {
    this.#socket
      ?.off('data', this.#onData)
      .off('drain', this.#onDrain)
      .off('error', this.#onError)
      .off('end', this.#onEnd)
      .off('close', this.#onEnd);
  }

  readonly #onData = (chunk: Buffer): void => {
    const { greetingMs } = this.operation;
    if (this.sent || greetingMs === 0 || !this.operation.plausible(chunk)) {
      this.operation.spoke(this, chunk);
      return;
    }
    this.#greeted = true;
    // Put back, because a connection that has ended cannot be read any more once its last byte was.
    this.#socket?.pause().unshift(chunk);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#readGreeting(), Math.min(greetingMs, maxTimerMs));
  };

  /** The first bytes of the target have waited for `greetingMs`. */
  #readGreeting(): void {
    if (!this.#greeted || this.settled) return;
    this.#greeted = false;
    const greeting = this.#socket?.off('data', this.#onData).read() as Buffer | null | undefined;
    if (greeting instanceof Buffer) this.operation.spoke(this, greeting);
  }

  readonly #onDrain = (): void => {
    this.timer?.refresh();
    this.#onRoom();
  };

  readonly #onRoom = (): void => {
    const then = this.#whenRoom;
    if (then === undefined) return;
    this.#whenRoom = undefined;
    this.#socket?.off('close', this.#onRoom);
    then();
  };

  readonly #onError = (error: Error): void => this.#lost(error);

  readonly #onEnd = (): void => {
    // The caller had ended its side: that the target says nothing is its response.
    if (this.operation.finished) this.operation.spoke(this, nothing);
    else this.fail('the connection was closed before the first byte of the target');
  };

  /** The circuit hears nothing of this attempt any more. */
  #unproved(): void {
    this.leaveOutage();
    const error = new Error('nothing came within the lease of the test');
    const neutral = { outcome: 'aborted', phase: 'headers', reason: 'aborted', error } as const;
    this.tellCircuit({ ...neutral, blame: 'caller' });
    this.engine.pool.offer(this.admission.member);
  }

  #wait(timeoutMs: number, awaited: 'no connection' | 'no first byte'): void {
    const expired = (late: boolean) => {
      if (this.settled) return;
      const { phase, proxyId } = this;
      const error = new AttemptTimeoutError(timeoutMs, phase, proxyId, awaited);
      this.#failed(error, late);
    };
    const onTime = () => {
      // The first byte may lie unread in a socket: those get a turn before anything is judged.
      if (this.loopWasLate()) setImmediate(expired, true);
      else expired(false);
    };
    this.timer = setTimeout(onTime, Math.min(timeoutMs, maxTimerMs));
  }

  #lost(error: Error): void {
    if (this.settled) return;
    this.#failed(error, error instanceof AttemptTimeoutError && this.loopWasLate());
  }

  #failed(error: Error, late = false): void {
    const seen = { proxyId: this.proxyId, sealed: false, headersSeen: false };
    const failure = classify(error, seen);
    const settled = this.judged(late ? lateHere(failure) : failure);
    this.settle(settled);
    this.cut();
    // Never synchronously inside a callback of the connection.
    queueMicrotask(() => this.operation.attemptFailed(this, settled));
  }
}

const nothing = Buffer.alloc(0);

function ignore(): void {}
