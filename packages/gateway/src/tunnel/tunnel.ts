import type net from 'node:net';
import type { ForwardedTunnel, ForwardListener } from '@whirl/rotator';
import type { Counters } from '../counters.ts';
import { firstFlight } from '../flight/first-flight.ts';
import { firstSpeakerOn } from '../flight/first-speaker.ts';
import type { ReplayMode } from '../flight/flight-reader.ts';
import type { Authority } from '../head/authority.ts';
import { routed, type Route } from '../routing/route.ts';
import type { Sessions } from '../routing/sessions.ts';
import type { ParsedUsername } from '../routing/username.ts';
import { ByteCount } from './byte-count.ts';
import { EstablishedTunnel, type ClientTunnel } from './established-tunnel.ts';
import type { RelayOptions } from './relay.ts';
import { reset } from './reset.ts';
import type { Stage } from './stage.ts';
import { toldFailure, type ToldFailure } from './tunnel-error.ts';
import type { TunnelViews } from './tunnel-views.ts';

/** The options of a gateway that a tunnel reads. */
export interface TunnelOptions extends RelayOptions {
  readonly replay: ReplayMode;
  readonly firstByteMs: number;
  readonly quietMs: number;
}

/** What the tunnels of a gateway share. */
export interface TunnelContext {
  /** The rotator under the policy of tunnels. */
  readonly views: TunnelViews;
  readonly options: TunnelOptions;
  readonly sessions: Sessions;
  readonly counters: Counters;
}

/** How a tunnel responds to its client. */
export interface TunnelResponses {
  /** An upstream has opened it. */
  grant(): void;
  /** None has. */
  refuse(told: ToldFailure): void;
  /** The target has spoken: from now on the two sockets are all that there is. */
  established(tunnel: EstablishedTunnel): void;
}

const serverFirstQuietMs = 2000;
/** Bytes that are kept for a tunnel that is being opened. */
const maxEarlyBytes = 65_536;
const handshakeRecord = 22;

/** A client's tunnel to a target, until the target's first byte, through whichever proxy brings that. */
export class Tunnel implements ClientTunnel, Stage, ForwardListener {
  readonly #client: net.Socket;
  readonly #context: TunnelContext;
  readonly #to: Authority;
  readonly #retries: number | undefined;
  readonly #route: Route;
  readonly #responses: TunnelResponses;
  /** What the client has sent while no proxy had opened the tunnel. */
  #early: Buffer[] | undefined;
  #earlyBytes = 0;
  #isTls = false;
  #upstream: ForwardedTunnel | undefined;
  /** From when the tunnel was granted. */
  #count: ByteCount | undefined;
  #readBefore = 0;

  constructor(
    client: net.Socket,
    context: TunnelContext,
    asked: ParsedUsername,
    to: Authority,
    responses: TunnelResponses,
  ) {
    this.#client = client;
    this.#context = context;
    this.#to = to;
    this.#retries = asked.wishes.retries;
    this.#route = routed(context, asked);
    this.#responses = responses;
  }

  get bytes(): { readonly up: number; readonly down: number } {
    return this.#count ?? { up: 0, down: 0 };
  }

  /** `rest`: bytes of the tunnel that came with the client's request. */
  start(rest: Buffer): void {
    const { views, options } = this.#context;
    const { replay, firstByteMs, quietMs, idleMs } = options;
    const { host, port } = this.#to;
    this.#readBefore = this.#client.bytesRead - rest.length;
    if (rest.length > 0) this.data(rest);
    const speaker = firstSpeakerOn(port);
    const flight = firstFlight(replay, speaker);
    const patience = speaker === 'server' ? Math.min(quietMs, serverFirstQuietMs) : quietMs;
    const to = {
      host,
      port,
      firstByteMs: flight === undefined ? idleMs : firstByteMs,
      quietMs: flight === undefined ? undefined : patience,
      replay: flight,
    };
    try {
      this.#upstream = views.get(this.#retries).forward(to, this.#route.options, this);
    } catch (error) {
      this.refused(error as Error);
    }
  }

  cut(): void {
    this.#upstream?.reset('close');
    reset(this.#client);
  }

  opened(): void {
    const { counters, options } = this.#context;
    const client = this.#client;
    counters.tunnels++;
    client.setTimeout(options.idleMs);
    this.#responses.grant();
    this.#count = new ByteCount(client, this.#readBefore, client.bytesWritten);
    const early = this.#early;
    this.#early = undefined;
    client.resume();
    if (early !== undefined)
      this.#send(early.length === 1 ? (early[0] as Buffer) : Buffer.concat(early));
  }

  refused(error: Error): void {
    this.#context.counters.failed++;
    this.#responses.refuse(toldFailure(error));
  }

  /** The target has spoken: nothing is held or judged from here on. */
  established(target: net.Socket, first: Buffer | undefined): void {
    const upstream = this.#upstream as ForwardedTunnel;
    const { counters, options } = this.#context;
    counters.established(upstream.attemptCount - 1);
    this.#route.keep(upstream.proxyId as string);
    const count = this.#count as ByteCount;
    const tunnel = new EstablishedTunnel(upstream, target, options, count, counters);
    this.#responses.established(tunnel);
    tunnel.start(first);
  }

  /** It broke after it was granted, before the first byte of the target: never with FIN, which would be a lie. */
  lost(): void {
    const { counters } = this.#context;
    this.#count?.addTo(counters);
    this.#count = undefined;
    if (this.#client.destroyed) return;
    counters.lost++;
    reset(this.#client);
  }

  takesMore(): void {
    this.#client.resume();
  }

  data(chunk: Buffer): void {
    if (this.#earlyBytes === 0) this.#isTls = chunk[0] === handshakeRecord;
    this.#earlyBytes += chunk.length;
    if (this.#count !== undefined) {
      this.#send(chunk);
      return;
    }
    (this.#early ??= []).push(chunk);
    if (this.#earlyBytes >= maxEarlyBytes) this.#client.pause();
  }

  /** No client of TLS says its last before it has heard the server: it has left, as one that still waits. */
  ended(): void {
    if (this.#count === undefined || this.#isTls) this.#client.destroy();
    else this.#upstream?.end();
  }

  closed(): void {
    this.#count?.addTo(this.#context.counters);
    this.#upstream?.reset('client');
  }

  timedOut(): void {
    this.#upstream?.reset('idle');
    reset(this.#client);
  }

  #send(chunk: Buffer): void {
    if (this.#upstream?.write(chunk) === false) this.#client.pause();
  }
}
