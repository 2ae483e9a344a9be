import type net from 'node:net';
import { reset } from './reset.ts';

export interface RelayOptions {
  /** Silence of both sides after which the tunnel ends. */
  readonly idleMs: number;
  /** The same once one side has said its last. */
  readonly halfClosedMs: number;
}

/** Under which a socket has its relay: so the listeners are the same functions for all, and none is made for each. */
const relayKey: unique symbol = Symbol('whirl.relay');

interface Relayed extends net.Socket {
  [relayKey]?: Relay;
}

/**
 * Passes bytes on in both directions until both sides have ended: FIN as FIN, RST as RST, no faster than the
 * slower side reads.
 */
export class Relay {
  readonly client: net.Socket;
  readonly target: net.Socket;
  readonly #halfClosedMs: number;

  constructor(client: net.Socket, target: net.Socket, { idleMs, halfClosedMs }: RelayOptions) {
    this.client = client;
    this.target = target;
    this.#halfClosedMs = halfClosedMs;
    (client as Relayed)[relayKey] = (target as Relayed)[relayKey] = this;
    client
      .on('error', onError)
      .on('end', onEnd)
      .on('timeout', onTimeout)
      .on('close', onClientClosed);
    target.on('error', onError).on('end', onEnd).on('close', onTargetClosed);
    client.setTimeout(idleMs);
    client.pipe(target);
    target.pipe(client);
  }

  /** One side has said its last. */
  halfClosed(): void {
    this.client.setTimeout(this.#halfClosedMs);
  }

  /** The other side of a connection that broke. */
  tearBeside(socket: net.Socket): void {
    const other = socket === this.client ? this.target : this.client;
    if (!other.destroyed) reset(other);
  }

  clientClosed(): void {
    // One that has ended in both directions was not torn, and its other end closes by itself.
    if (!this.client.readableEnded || !this.client.writableFinished) this.tearBeside(this.client);
  }
}

function onError(this: Relayed): void {
  this[relayKey]?.tearBeside(this);
}

function onEnd(this: Relayed): void {
  this[relayKey]?.halfClosed();
}

function onTimeout(this: Relayed): void {
  this.destroy();
  this[relayKey]?.target.destroy();
}

function onClientClosed(this: Relayed): void {
  this[relayKey]?.clientClosed();
}

function onTargetClosed(this: Relayed): void {
  if (!this.readableEnded) this[relayKey]?.tearBeside(this);
}
