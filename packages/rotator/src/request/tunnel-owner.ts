import type net from 'node:net';
import type { TunnelEnd } from '@whirl/events';
import type { AttemptRecord } from '../attempt-record.ts';
import type { RunningTunnel } from './in-flight.ts';

/** What ended a tunnel. */
export type ClosedBy = TunnelEnd['closedBy'];

/** Bytes on a connection before it was a tunnel: those of the way to the target. */
export interface BytesBefore {
  readonly read: number;
  readonly written: number;
}

/** What a tunnel wants of its request. */
export interface TunnelOwner {
  readonly id: string;
  readonly proxyId: string | undefined;
  readonly attempts: readonly AttemptRecord[];
  /** Before the verdict. False: it takes no more until it calls `drained()`. */
  write(chunk: Buffer): boolean;
  /** Before the verdict: the caller will write nothing more. */
  endWrites(): void;
  /** After the verdict: the caller has the connection itself. */
  taken(): void;
  /** The caller says that the tunnel works. */
  accept(): void;
  /** The caller says that it does not. */
  refuse(reason: string): void;
  /** The tunnel was closed. */
  closed(closedBy: ClosedBy, bytesUp: number, bytesDown: number): TunnelEnd;
}

/** What the caller of a tunnel holds, from when the way to the target is open. */
export interface TunnelHandle extends RunningTunnel {
  /** It takes more, after a write that it did not. */
  drained(): void;
  /** That connection has the verdict. `first`: the first bytes of the target, which are not in it any more. */
  establish(socket: net.Socket, first: Buffer | undefined, before: BytesBefore): void;
  /** Ends it for a reason of the rotator's. */
  shut(closedBy: ClosedBy, error?: Error): void;
}

/** The one that asked for a tunnel. */
export interface TunnelCaller {
  /** The way to the target is open. Once, unless there is an error. */
  handleFor(owner: TunnelOwner): TunnelHandle;
  /** It was told on the bus. */
  onOpen(): void;
  onError(error: Error): void;
}
