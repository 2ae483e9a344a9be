import type net from 'node:net';
import type { Tunnel as Upstream } from '@whirl/rotator';
import type { Counters } from '../counters.ts';
import { firstFlight } from '../flight/first-flight.ts';
import type { ReplayMode } from '../flight/flight-reader.ts';
import type { Authority } from '../head/authority.ts';
import { routed, type Route } from '../routing/route.ts';
import type { Sessions } from '../routing/sessions.ts';
import type { ParsedUsername } from '../routing/username.ts';
import { ByteCount } from './byte-count.ts';
import { EstablishedTunnel, type ClientTunnel } from './established-tunnel.ts';
import type { RelayOptions } from './relay.ts';
import { reset } from './reset.ts';
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

/** How a tunnel answers its client. */
export interface TunnelAnswers {
  /** An upstream has opened it. */
  grant(): void;
  /** None has. */
  refuse(told: ToldFailure): void;
  /** The target has spoken: from now on the two sockets are all that there is. */
  established(tunnel: EstablishedTunnel): void;
}

/** Ports whose servers speak first: FTP, SSH, Telnet, SMTP, POP3, IMAP, MySQL, VNC, IRC. */
const serverFirstPorts = new Set([21, 22, 23, 110, 143, 587, 2525, 3306, 5900, 6667]);
const serverFirstQuietMs = 2000;
/** Bytes that are kept for a tunnel that is being opened. */
const maxEarlyBytes = 65_536;
const handshakeRecord = 22;

/** A client's tunnel to a target, until the target's first byte, through whichever proxy brings that. */
export class Tunnel implements ClientTunnel {
  readonly #client: net.Socket;
  readonly #context: TunnelContext;
  readonly #to: Authority;
  readonly #retries: number | undefined;
  readonly #route: Route;
  readonly #answers: TunnelAnswers;
  readonly #opening = new AbortController();
  /** What the client has sent while no proxy had opened the tunnel. */
  #early: Buffer[] = [];
  #earlyBytes = 0;
  #isTls = false;
  #upstream: Upstream | undefined;
  /** It takes no more for now, and the client is not read. */
  #full = false;
  /** From when the tunnel was granted. */
  #count: ByteCount | undefined;
  #readBefore = 0;

  constructor(
    client: net.Socket,
    context: TunnelContext,
    asked: ParsedUsername,
    to: Authority,
    answers: TunnelAnswers,
  ) {
    this.#client = client;
    this.#context = context;
    this.#to = to;
    this.#retries = asked.wishes.retries;
    this.#route = routed(context, asked);
    this.#answers = answers;
  }

  get bytes(): { readonly up: number; readonly down: number } {
    return this.#count ?? { up: 0, down: 0 };
  }

  /** `rest`: bytes of the tunnel that came with the client's request. */
  start(rest: Buffer): void {
    const { views, options } = this.#context;
    const { replay, firstByteMs, quietMs, idleMs } = options;
    const { host, port } = this.#to;
    const client = this.#client;
    this.#readBefore = client.bytesRead - rest.length;
    client.on('data', this.#onEarly).on('end', this.#onFin).on('close', this.#onClose).resume();
    if (rest.length > 0) this.#onEarly(rest);
    const serverFirst = serverFirstPorts.has(port);
    views
      .get(this.#retries)
      .connect({
        host,
        port,
        ...this.#route.options,
        signal: this.#opening.signal,
        ...(replay === 'none'
          ? { firstByteMs: idleMs }
          : {
              replay: firstFlight(replay, serverFirst),
              firstByteMs,
              quietMs: serverFirst ? Math.min(quietMs, serverFirstQuietMs) : quietMs,
            }),
      })
      .then(this.#opened, this.#refused);
  }

  cut(): void {
    this.#opening.abort();
    this.#upstream?.reset('close');
    reset(this.#client);
  }

  readonly #opened = (upstream: Upstream): void => {
    const { counters, options } = this.#context;
    const client = this.#client;
    upstream.on('error', ignore);
    if (this.#opening.signal.aborted || client.destroyed) {
      upstream.reset('client');
      return;
    }
    this.#upstream = upstream;
    counters.tunnels++;
    client.setTimeout(options.idleMs, this.#onIdle);
    this.#answers.grant();
    this.#count = new ByteCount(client, this.#readBefore, client.bytesWritten);
    client.off('data', this.#onEarly);
    for (const chunk of this.#early) this.#send(chunk);
    this.#early = [];
    // A server that speaks first may have spoken already.
    if (upstream.isEstablished) {
      this.#onEstablished();
      return;
    }
    upstream.once('established', this.#onEstablished).once('close', this.#onLost);
    client.on('data', this.#onFlight);
    if (!this.#full) client.resume();
  };

  readonly #refused = (error: unknown): void => {
    if (this.#opening.signal.aborted) return;
    this.#context.counters.failed++;
    this.#unlisten();
    this.#answers.refuse(toldFailure(error));
  };

  /** The target has spoken: nothing is held or judged from here on. */
  readonly #onEstablished = (): void => {
    const upstream = this.#upstream as Upstream;
    const { counters, options } = this.#context;
    const client = this.#client;
    counters.established(upstream.attempts.length - 1);
    this.#route.keep(upstream.proxyId);
    upstream.off('close', this.#onLost).off('drain', this.#onDrain);
    this.#unlisten();
    client.off('timeout', this.#onIdle);
    this.#answers.established(
      new EstablishedTunnel(client, upstream, options, this.#count as ByteCount, counters),
    );
  };

  /** It broke after it was granted, before the first byte of the target: never with FIN, which would be a lie. */
  readonly #onLost = (): void => {
    this.#unlisten();
    this.#count?.addTo(this.#context.counters);
    if (this.#client.destroyed) return;
    this.#context.counters.lost++;
    reset(this.#client);
  };

  readonly #onEarly = (chunk: Buffer): void => {
    if (this.#earlyBytes === 0) this.#isTls = chunk[0] === handshakeRecord;
    this.#early.push(chunk);
    this.#earlyBytes += chunk.length;
    if (this.#earlyBytes >= maxEarlyBytes) this.#client.pause();
  };

  readonly #onFlight = (chunk: Buffer): void => {
    if (this.#earlyBytes === 0) this.#isTls = chunk[0] === handshakeRecord;
    this.#earlyBytes += chunk.length;
    this.#send(chunk);
  };

  readonly #onDrain = (): void => {
    this.#full = false;
    this.#client.resume();
  };

  #send(chunk: Buffer): void {
    const upstream = this.#upstream as Upstream;
    if (upstream.write(chunk) || this.#full) return;
    this.#full = true;
    this.#client.pause();
    upstream.once('drain', this.#onDrain);
  }

  /** No client of TLS says its last before it has heard the server: it has left, as one that still waits. */
  readonly #onFin = (): void => {
    if (this.#count === undefined || this.#isTls) this.#client.destroy();
    else this.#upstream?.end();
  };

  readonly #onClose = (): void => {
    this.#unlisten();
    this.#opening.abort();
    this.#upstream?.reset('client');
  };

  readonly #onIdle = (): void => {
    this.#upstream?.reset('idle');
    reset(this.#client);
  };

  #unlisten(): void {
    const client = this.#client;
    client.off('data', this.#onEarly).off('data', this.#onFlight);
    client.off('end', this.#onFin).off('close', this.#onClose);
  }
}

function ignore(): void {}
