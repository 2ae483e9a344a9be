import type net from 'node:net';
import type { AttemptRecord } from '../attempt-record.ts';
import { reset } from '../connection/reset.ts';
import type {
  BytesBefore,
  ClosedBy,
  TunnelCaller,
  TunnelHandle,
  TunnelOwner,
} from './tunnel-owner.ts';

/** What a forwarder hears of a tunnel that it has asked for. */
export interface ForwardListener {
  /** A proxy has opened the way. From now on it can be written to. */
  opened(): void;
  /** No proxy has opened the way. May be called before `forward()` returns. */
  refused(error: Error): void;
  /** It takes more, after a `write()` that returned false. */
  takesMore(): void;
  /**
   * The target has spoken: the connection is the forwarder's, with no listener on it. `first` was read from it.
   * The caller listens to it at once, and resumes it. The tunnel ends with it, and counts its bytes.
   */
  established(socket: net.Socket, first: Buffer | undefined): void;
  /** It broke after it was open, before the target had spoken. */
  lost(error: Error | undefined): void;
}

/** A tunnel of a forwarder, which has sockets of its own and needs no stream: what `connect()` gives, and no more. */
export interface ForwardedTunnel {
  /** The proxy that it leads through now; another one after a replay. Undefined before the first attempt. */
  readonly proxyId: string | undefined;
  readonly attempts: readonly AttemptRecord[];
  /** How many attempts have ended. */
  readonly attemptCount: number;
  /** Sends bytes, between `opened()` and `established()`. False: it takes no more until `takesMore()`. */
  write(chunk: Buffer): boolean;
  /** Nothing more will be written. Between `opened()` and `established()`. */
  end(): void;
  /** Ends it with RST, at any time. The listener is not called after that. `closedBy` is what `tunnel:end` says. */
  reset(closedBy: ClosedBy): void;
}

/** Under which a socket has its tunnel: so the listeners are the same functions for all. */
const tunnelKey: unique symbol = Symbol('whirl.forwarded');

interface Forwarded extends net.Socket {
  [tunnelKey]?: Forwarding;
}

/** The request of a forwarded tunnel. */
export interface ForwardedRequest extends TunnelOwner {
  readonly attemptCount: number;
  start(): void;
  end(outcome: 'aborted', error: Error): void;
}

/** A forwarded tunnel: between its request and its forwarder until the verdict, and beside its connection from then on. */
export class Forwarding implements ForwardedTunnel, TunnelHandle, TunnelCaller {
  readonly idle = false;
  /** Until the verdict. */
  #listener: ForwardListener | undefined;
  #request: ForwardedRequest | undefined;
  #open = false;
  #over = false;
  /** From the verdict on. */
  #socket: net.Socket | undefined;
  #readBefore = 0;
  #writtenBefore = 0;
  #closedBy: ClosedBy | undefined;

  constructor(listener: ForwardListener) {
    this.#listener = listener;
  }

  get proxyId(): string | undefined {
    return this.#request?.proxyId;
  }

  get attempts(): readonly AttemptRecord[] {
    return this.#request?.attempts ?? [];
  }

  get attemptCount(): number {
    return this.#request?.attemptCount ?? 0;
  }

  begin(request: ForwardedRequest): void {
    this.#request = request;
    request.start();
  }

  write(chunk: Buffer): boolean {
    return this.#request?.write(chunk) ?? false;
  }

  end(): void {
    this.#request?.endWrites();
  }

  reset(closedBy: ClosedBy): void {
    if (this.#over) return;
    if (this.#open) this.#close(closedBy);
    else {
      this.#over = true;
      this.#request?.end('aborted', new Error('the client has left'));
    }
  }

  handleFor(): this {
    this.#open = true;
    return this;
  }

  onOpen(): void {
    if (!this.#over) this.#listener?.opened();
  }

  onError(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#listener?.refused(error);
  }

  drained(): void {
    if (!this.#over && this.#socket === undefined) this.#listener?.takesMore();
  }

  establish(socket: net.Socket, first: Buffer | undefined, { read, written }: BytesBefore): void {
    if (this.#over) {
      reset(socket.on('error', ignore));
      return;
    }
    this.#socket = socket;
    this.#readBefore = read;
    this.#writtenBefore = written;
    (socket as Forwarded)[tunnelKey] = this;
    socket.on('end', onEnd).on('finish', onFinish).on('close', onClose);
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.established(socket, first);
    this.#request?.taken();
  }

  shut(closedBy: ClosedBy, error?: Error): void {
    if (this.#over) return;
    const told = this.#socket === undefined;
    this.#close(closedBy);
    // Of a connection that it has the forwarder hears itself.
    if (told) this.#listener?.lost(error);
  }

  /** Notes what ended the tunnel; the first reason counts. */
  ends(by: ClosedBy): void {
    this.#closedBy ??= by;
  }

  /** Its connection has closed. */
  closed(): void {
    if (!this.#over) this.#close(this.#socket?.errored instanceof Error ? 'target' : 'client');
  }

  #close(by: ClosedBy): void {
    this.#over = true;
    const socket = this.#socket;
    if (socket !== undefined && !socket.destroyed) reset(socket);
    const up =
      socket === undefined
        ? (this.#request?.sentBytes ?? 0)
        : Math.max(0, socket.bytesWritten - this.#writtenBefore);
    const down = socket === undefined ? 0 : Math.max(0, socket.bytesRead - this.#readBefore);
    this.#request?.closed((this.#closedBy ??= by), up, down);
  }
}

function onEnd(this: Forwarded): void {
  this[tunnelKey]?.ends('target');
}

function onFinish(this: Forwarded): void {
  this[tunnelKey]?.ends('client');
}

function onClose(this: Forwarded): void {
  this[tunnelKey]?.closed();
}

function ignore(): void {}
