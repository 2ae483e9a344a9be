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

/** What a tunnel asks of its request. */
export interface TunnelOwner {
  readonly id: string;
  readonly proxyId: string | undefined;
  readonly attempts: readonly AttemptRecord[];
  /** Bytes of the caller that were sent before the verdict, those that were sent again counted once. */
  readonly sentBytes: number;
  /** Sends bytes, before the verdict. False: it takes no more until it calls `drained()`. */
  write(chunk: Buffer): boolean;
  /** The caller will write nothing more. Before the verdict. */
  endWrites(): void;
  /** The caller has taken the connection itself. After the verdict. */
  taken(): void;
  /** The caller declares that the tunnel works. */
  accept(): void;
  /** The caller declares that it does not work. */
  refuse(reason: string): void;
  /** The tunnel was closed. */
  closed(closedBy: ClosedBy, bytesUp: number, bytesDown: number): TunnelEnd;
}

/** The tunnel as its caller has it, from when the way to the target is open. */
export interface TunnelHandle extends RunningTunnel {
  /** It takes more, after a write that it did not. */
  drained(): void;
  /** The tunnel has that connection from now on. `first`: the first bytes of the target, which were read from it. */
  establish(socket: net.Socket, first: Buffer | undefined, before: BytesBefore): void;
  /** Ends it for the rotator, as `close()` does. */
  shut(closedBy: ClosedBy, error?: Error): void;
}

/** The code that asked for a tunnel. */
export interface TunnelCaller {
  /** The way to the target is open. Called once, unless there is an error. */
  handleFor(owner: TunnelOwner): TunnelHandle;
  /** It was told on the bus. */
  onOpen(): void;
  onError(error: Error): void;
}
