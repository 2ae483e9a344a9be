import type net from 'node:net';

/** What a connection of a client is for at the moment: it hears what the client does. */
export interface Stage {
  data(chunk: Buffer): void;
  /** The client has said its last. */
  ended(): void;
  /** The connection is gone. */
  closed?(): void;
  /** It broke; `closed` follows. */
  failed?(): void;
  /** The client takes more. */
  drained?(): void;
  /** Neither side has spoken for the timeout of the socket. */
  timedOut?(): void;
}

/** What goes through stages. */
export interface Staged {
  readonly stage: Stage;
  /** The connection is gone, and its stage has heard of it. */
  gone(): void;
}

/** Under which a socket has what goes through stages: the listeners are the same functions for all sockets. */
const stagedKey: unique symbol = Symbol('whirl.staged');

interface StagedSocket extends net.Socket {
  [stagedKey]?: Staged;
}

/** Tells the stage of the moment what the socket does. A new stage costs no listener. */
export function listenFor(staged: Staged, socket: net.Socket): void {
  (socket as StagedSocket)[stagedKey] = staged;
  socket.on('data', onData).on('end', onEnd).on('error', onError);
  socket.on('drain', onDrain).on('timeout', onTimeout).on('close', onClose);
}

/** Of a connection that only waits to be closed. */
export const over: Stage = { data: ignore, ended: ignore };

function onData(this: StagedSocket, chunk: Buffer): void {
  this[stagedKey]?.stage.data(chunk);
}

function onEnd(this: StagedSocket): void {
  this[stagedKey]?.stage.ended();
}

function onError(this: StagedSocket): void {
  this[stagedKey]?.stage.failed?.();
}

function onDrain(this: StagedSocket): void {
  this[stagedKey]?.stage.drained?.();
}

function onTimeout(this: StagedSocket): void {
  this[stagedKey]?.stage.timedOut?.();
}

function onClose(this: StagedSocket): void {
  this[stagedKey]?.stage.closed?.();
  this[stagedKey]?.gone();
}

function ignore(): void {}
