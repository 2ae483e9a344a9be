import type net from 'node:net';
import type { ForwardedTunnel } from '@whirl/rotator';
import type { Counters } from '../counters.ts';
import type { ByteCount } from './byte-count.ts';
import { Relay, type RelayOptions } from './relay.ts';

/** What a connection and the gateway want of a tunnel, open or being opened. */
export interface ClientTunnel {
  /** Bytes from the client, and to it. */
  readonly bytes: { readonly up: number; readonly down: number };
  /** Tears it. */
  cut(): void;
}

/** A tunnel whose target has spoken. There are many of them for a long time, so it holds no more than it needs. */
export class EstablishedTunnel extends Relay implements ClientTunnel {
  readonly bytes: ByteCount;
  readonly #upstream: ForwardedTunnel;
  readonly #counters: Counters;

  constructor(
    upstream: ForwardedTunnel,
    target: net.Socket,
    options: RelayOptions,
    bytes: ByteCount,
    counters: Counters,
  ) {
    super(bytes.client, target, options);
    this.bytes = bytes;
    this.#upstream = upstream;
    this.#counters = counters;
  }

  override cut(): void {
    this.#upstream.reset('close');
    super.cut();
  }

  override timedOut(): void {
    this.#upstream.reset('idle');
    super.cut();
  }

  override closed(): void {
    this.bytes.addTo(this.#counters);
    super.closed();
  }
}
