import type net from 'node:net';
import { reset } from './reset.ts';
import type { Stage } from './stage.ts';

export interface RelayOptions {
  /** Silence of both sides after which the tunnel ends. */
  readonly idleMs: number;
  /** The same once one side has said its last. */
  readonly halfClosedMs: number;
}

/** Under which the target's socket has its relay: the listeners are the same functions for all. */
const relayKey: unique symbol = Symbol('whirl.relay');

interface Relayed extends net.Socket {
  [relayKey]?: Relay;
}

/**
 * Passes bytes on in both directions until both sides have ended: FIN as FIN, RST as RST, no faster than the
 * slower side reads. It is the stage of the client's connection, and listens to the target's itself.
 */
export class Relay implements Stage {
  readonly client: net.Socket;
  readonly target: net.Socket;
  readonly #halfClosedMs: number;

  constructor(client: net.Socket, target: net.Socket, { idleMs, halfClosedMs }: RelayOptions) {
    this.client = client;
    this.target = target;
    this.#halfClosedMs = halfClosedMs;
    (target as Relayed)[relayKey] = this;
    target.on('data', onData).on('end', onEnd).on('error', onError);
    target.on('drain', onDrain).on('close', onClose);
    if (client.timeout !== idleMs) client.setTimeout(idleMs);
  }

  /** From now on it is the stage of the client. `first`: what was read from the target already. */
  start(first?: Buffer): void {
    const { client, target } = this;
    if (first === undefined || client.write(first)) target.resume();
    else target.pause();
    if (target.readableEnded) this.targetEnded();
    if (client.readableEnded) this.ended();
    else client.resume();
  }

  data(chunk: Buffer): void {
    if (!this.target.write(chunk)) this.client.pause();
  }

  fromTarget(chunk: Buffer): void {
    if (!this.client.write(chunk)) this.target.pause();
  }

  drained(): void {
    this.target.resume();
  }

  ended(): void {
    this.#halfClosed();
    this.target.end();
  }

  targetEnded(): void {
    this.#halfClosed();
    this.client.end();
  }

  timedOut(): void {
    this.cut();
  }

  /** Ends both sides with RST. */
  cut(): void {
    tear(this.target);
    tear(this.client);
  }

  failed(): void {
    tear(this.target);
  }

  closed(): void {
    const { client, target } = this;
    if (!hasEnded(client)) tear(target);
    // What the client said last may still wait for it, and nothing else watches it now.
    else if (!target.destroyed) target.setTimeout(this.#halfClosedMs, onTimeout);
  }

  #halfClosed(): void {
    this.client.setTimeout(this.#halfClosedMs);
  }
}

/** One that has ended in both directions was not torn, and its other end closes by itself. */
function hasEnded({ readableEnded, writableFinished }: net.Socket): boolean {
  return readableEnded && writableFinished;
}

/** The other side of a connection that broke. */
function tear(socket: net.Socket): void {
  if (!socket.destroyed) reset(socket);
}

function onData(this: Relayed, chunk: Buffer): void {
  this[relayKey]?.fromTarget(chunk);
}

function onEnd(this: Relayed): void {
  this[relayKey]?.targetEnded();
}

function onDrain(this: Relayed): void {
  this[relayKey]?.client.resume();
}

function onError(this: Relayed): void {
  const client = this[relayKey]?.client;
  if (client !== undefined) tear(client);
}

function onTimeout(this: Relayed): void {
  tear(this);
}

function onClose(this: Relayed): void {
  const client = this[relayKey]?.client;
  if (client !== undefined && !hasEnded(this)) tear(client);
}
