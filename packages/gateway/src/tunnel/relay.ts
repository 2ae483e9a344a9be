import type net from 'node:net';
import { reset } from './reset.ts';

export interface RelayOptions {
  /** Silence of both sides after which the tunnel ends. */
  readonly idleMs: number;
  /** The same once one side has said its last. */
  readonly halfClosedMs: number;
}

/**
 * Passes bytes on in both directions until both sides have ended: FIN as FIN, RST as RST, no faster than the
 * slower side reads.
 */
export function relay(
  client: net.Socket,
  target: net.Socket,
  { idleMs, halfClosedMs }: RelayOptions,
): void {
  const tear = (other: net.Socket) => {
    if (!other.destroyed) reset(other);
  };
  const halfClosed = () => void client.setTimeout(halfClosedMs);
  client.on('error', () => tear(target)).on('end', halfClosed);
  target.on('error', () => tear(client)).on('end', halfClosed);
  client.on('timeout', () => {
    client.destroy();
    target.destroy();
  });
  // One that has ended in both directions was not torn, and its other end closes by itself.
  client.on('close', () => {
    if (!client.readableEnded || !client.writableFinished) tear(target);
  });
  target.on('close', () => {
    if (!target.readableEnded) tear(client);
  });
  client.setTimeout(idleMs);
  client.pipe(target);
  target.pipe(client);
}
