import type net from 'node:net';
import { Duplex } from 'node:stream';
import type { TunnelEnd } from '@whirl/events';
import type { AttemptRecord } from '../attempt-record.ts';
import { reset } from '../connection/reset.ts';
import { IdleClock } from './idle-clock.ts';
import type { BytesBefore, ClosedBy, TunnelHandle, TunnelOwner } from './tunnel-owner.ts';

/**
 * A connection to a target through a proxy of the pool. Until the first byte of the target comes, a proxy that
 * fails is replaced where `replay` allows it; from then on the bytes pass as they are. It ends with an error when
 * the connection is lost: a forwarder sends RST then. Emits `established` at the verdict, before the first
 * bytes can be read.
 */
export interface Tunnel extends Duplex {
  readonly requestId: string;
  /** The proxy that it leads through now; another one after a replay. */
  readonly proxyId: string;
  readonly attempts: readonly AttemptRecord[];
  /** Whether there is a verdict: the target has spoken, or the caller said so. */
  readonly isEstablished: boolean;
  /** Says that the tunnel works, for protocols in which the target says nothing. Nothing is replayed from now on. */
  established(): void;
  /** Says that it does not, before the verdict: the attempt has failed, and another one may follow. */
  failed(reason?: string): void;
  /**
   * Takes the connection out of the tunnel, once it is established: bytes pass without a stream in between. What
   * was not read is in it, and it is paused. The tunnel ends with it, and counts its bytes; `signal` aborts it no more.
   * Throws before the verdict, and twice.
   */
  handOver(): net.Socket;
  /** Ends it with RST. `closedBy` is what `tunnel:end` says. Default `client`. */
  reset(closedBy?: ClosedBy): void;
  /** Resolves when the tunnel has closed. Never rejects. */
  readonly ended: Promise<TunnelEnd>;
}

/** The stream of a tunnel, over the connection that it has at the moment. */
export class TunnelStream extends Duplex implements Tunnel, TunnelHandle {
  readonly #owner: TunnelOwner;
  /** Made when it is first asked for. */
  #ended: Promise<TunnelEnd> | undefined;
  #resolve: ((end: TunnelEnd) => void) | undefined;
  #end: TunnelEnd | undefined;
  /** From the verdict on. */
  #socket: net.Socket | undefined;
  #readBefore = 0;
  #writtenBefore = 0;
  #handedOver = false;
  #closedBy: ClosedBy | undefined;
  #reset = false;
  /** The callback of a write that waits until the connection takes more. */
  #pending: (() => void) | undefined;
  /** Waits for the next request, of a client that keeps connections: `close()` ends it at once. */
  idle = false;
  /** Made for the first `setTimeout()`. */
  #clock: IdleClock | undefined;
  #unreferenced = false;

  constructor(owner: TunnelOwner) {
    super({ allowHalfOpen: true });
    this.#owner = owner;
  }

  get ended(): Promise<TunnelEnd> {
    return (this.#ended ??= new Promise((resolve) => {
      if (this.#end === undefined) this.#resolve = resolve;
      else resolve(this.#end);
    }));
  }

  get requestId(): string {
    return this.#owner.id;
  }

  get proxyId(): string {
    return this.#owner.proxyId as string;
  }

  get attempts(): readonly AttemptRecord[] {
    return this.#owner.attempts;
  }

  get isEstablished(): boolean {
    return this.#socket !== undefined;
  }

  established(): void {
    this.#owner.accept();
  }

  failed(reason = 'the caller found that it does not work'): void {
    this.#owner.refuse(reason);
  }

  /** @internal */
  establish(socket: net.Socket, first: Buffer | undefined, before: BytesBefore): void {
    this.#socket = socket;
    this.#readBefore = before.read;
    this.#writtenBefore = before.written;
    socket.on('error', this.#onError).on('close', this.#onClose).on('end', this.#onEnd);
    socket.on('drain', this.#onDrain);
    if (this.destroyed) {
      this.#cut(socket);
      return;
    }
    if (this.#unreferenced) socket.unref();
    this.#clock?.active();
    this.emit('established');
    if (this.#handedOver) {
      if (first !== undefined) socket.unshift(first);
      return;
    }
    socket.on('data', this.#onData);
    if (first !== undefined && !this.push(first)) socket.pause();
    else socket.resume();
    if (socket.readableEnded) this.push(null);
  }

  handOver(): net.Socket {
    const socket = this.#socket;
    if (socket === undefined) throw new Error('the tunnel is not established yet');
    if (this.#handedOver) throw new Error('the connection was taken before');
    this.#handedOver = true;
    socket.off('data', this.#onData).off('drain', this.#onDrain);
    // One that never flowed begins to when a listener comes.
    if (socket.readableFlowing !== null) socket.pause();
    this.#clock?.stop();
    socket.once('finish', this.#onFinish);
    this.#owner.taken();
    const unread = this.read() as Buffer | null;
    if (unread !== null) socket.unshift(unread);
    // What waits in this stream goes first.
    this.#taken();
    return socket;
  }

  /** As of `net.Socket`: emits `timeout` after that many milliseconds in which neither side spoke. 0: never. */
  setTimeout(timeoutMs: number, callback?: () => void): this {
    this.#clock ??= new IdleClock(() => this.emit('timeout'));
    this.#clock.set(timeoutMs);
    if (callback !== undefined) {
      if (timeoutMs === 0) this.off('timeout', callback);
      else this.once('timeout', callback);
    }
    return this;
  }

  /** The milliseconds that `setTimeout()` was given. */
  get timeout(): number {
    return this.#clock?.timeoutMs ?? 0;
  }

  /** Every connection of a tunnel is without delay and has keep-alive probes. */
  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    this.#unreferenced = false;
    this.#socket?.ref();
    return this;
  }

  /** It does not keep the process alive. */
  unref(): this {
    this.#unreferenced = true;
    this.#socket?.unref();
    return this;
  }

  reset(closedBy: ClosedBy = 'client'): void {
    this.#closedBy ??= closedBy;
    this.#reset = true;
    this.destroy();
  }

  /** @internal */
  drained(): void {
    this.#taken();
  }

  /** @internal */
  shut(closedBy: ClosedBy, error?: Error): void {
    this.#closedBy ??= closedBy;
    this.#reset = true;
    // Of a connection that was taken the one that took it hears.
    this.destroy(this.#handedOver ? undefined : error);
  }

  override _read(): void {
    if (!this.#handedOver) this.#socket?.resume();
  }

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    const socket = this.#socket;
    this.#clock?.active();
    const room = socket === undefined ? this.#owner.write(chunk) : socket.write(chunk);
    if (room || this.#handedOver) callback();
    else this.#pending = callback;
  }

  override _final(callback: () => void): void {
    this.#closedBy ??= 'client';
    const socket = this.#socket;
    if (socket === undefined) this.#owner.endWrites();
    else if (socket.writable) {
      socket.end(callback);
      return;
    }
    callback();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#closedBy ??= error === null ? 'client' : 'target';
    const socket = this.#socket;
    this.#pending = undefined;
    this.#clock?.stop();
    if (socket !== undefined) this.#cut(socket);
    const up =
      socket === undefined
        ? this.#owner.sentBytes
        : Math.max(0, socket.bytesWritten - this.#writtenBefore);
    const down = socket === undefined ? 0 : Math.max(0, socket.bytesRead - this.#readBefore);
    this.#end = this.#owner.closed(this.#closedBy, up, down);
    this.#resolve?.(this.#end);
    callback(error);
  }

  #cut(socket: net.Socket): void {
    if (socket.destroyed) return;
    if (this.#reset) reset(socket);
    else socket.destroy();
  }

  #taken(): void {
    const callback = this.#pending;
    this.#pending = undefined;
    callback?.();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#clock?.active();
    if (!this.push(chunk)) this.#socket?.pause();
  };

  readonly #onDrain = (): void => this.#taken();

  readonly #onFinish = (): void => {
    this.#closedBy ??= 'client';
  };

  readonly #onEnd = (): void => {
    this.#closedBy ??= 'target';
    if (!this.#handedOver) this.push(null);
  };

  readonly #onError = (error: Error): void => {
    this.#closedBy ??= 'target';
    this.destroy(this.#handedOver ? undefined : error);
  };

  readonly #onClose = (): void => {
    // Ended on both sides, it closes by itself once all of it was read.
    const ends = this.#socket?.readableEnded === true && this.writableFinished;
    if (this.#handedOver || !ends) this.destroy(this.#lost());
  };

  #lost(): Error | undefined {
    const socket = this.#socket as net.Socket;
    if (this.#handedOver || socket.readableEnded) return undefined;
    const error: NodeJS.ErrnoException = new Error('the tunnel was closed');
    error.code = 'ECONNRESET';
    return error;
  }
}
