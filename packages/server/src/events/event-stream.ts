import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { WhirlBus } from '@whirl/events';
import { EventRing } from './event-ring.ts';
import { eventToWire } from '../wire/event-wire.ts';

export interface EventStreamOptions {
  readonly bus: WhirlBus;
  /** What a client starts from when it cannot be told what it missed. */
  readonly snapshot: () => object;
  /** Events kept for clients that come back. Default 1,000. */
  readonly capacity?: number | undefined;
  /** Bytes that may wait for a client before it is dropped. Default 1 MiB. */
  readonly maxBufferedBytes?: number | undefined;
  /** Time to take in what came at once and is more: a snapshot, a bulk change. Default 10,000. */
  readonly drainMs?: number | undefined;
  /** Default 256. */
  readonly maxClients?: number | undefined;
  /** Default 15,000. */
  readonly heartbeatMs?: number | undefined;
  /** Events of this time travel in one write. Default 25. */
  readonly flushMs?: number | undefined;
  /** For how long newcomers share a snapshot, with what happened since after it. Default 1,000. */
  readonly snapshotMs?: number | undefined;
  /** Called when a slow client is dropped. */
  readonly onDrop?: ((bufferedBytes: number) => void) | undefined;
}

interface Client {
  readonly response: ServerResponse;
  /** Bytes that may wait on top of the bound, because they came at once. 0: none may. */
  allowance: number;
  /** When the allowance ends. */
  allowedUntil: number;
}

interface Recorded {
  readonly type: string;
  readonly event: object;
}

interface Snapshot {
  /** The last event that is in it. */
  readonly number: number;
  readonly bytes: Buffer;
}

/** Pending text of this length is written at once. */
const maxPendingLength = 256 * 1024;

/**
 * The bus as server-sent events. An event is written out once for all clients, and not at all when
 * there are none. A client that does not read is dropped; it comes back with Last-Event-ID and is
 * told what it missed, or gets a snapshot when that is no longer known.
 *
 * No client can read within one turn of the event loop. So which one is slow is decided once a turn, before
 * its first write, and what a turn brought beyond the bound may wait for a while.
 */
export class EventStream {
  readonly #snapshot: () => object;
  readonly #maxBufferedBytes: number;
  readonly #drainMs: number;
  readonly #snapshotMs: number;
  readonly #maxClients: number;
  readonly #heartbeatMs: number;
  readonly #flushMs: number;
  readonly #onDrop: ((bufferedBytes: number) => void) | undefined;
  readonly #ring: EventRing<Recorded>;
  readonly #clients = new Set<Client>();
  /** Tells the events of this process from those of the one before it. */
  readonly #era = randomBytes(4).toString('hex');
  readonly #off: () => void;
  #pending = '';
  #flushTimer: NodeJS.Timeout | undefined;
  #heartbeatTimer: NodeJS.Timeout | undefined;
  #held: Snapshot | undefined;
  #heldTimer: NodeJS.Timeout | undefined;
  /** Whether this turn of the event loop has written already. */
  #writing = false;
  #closed = false;

  constructor(options: EventStreamOptions) {
    this.#snapshot = options.snapshot;
    this.#maxBufferedBytes = options.maxBufferedBytes ?? 1024 * 1024;
    this.#drainMs = options.drainMs ?? 10_000;
    this.#snapshotMs = options.snapshotMs ?? 1000;
    this.#maxClients = options.maxClients ?? 256;
    this.#heartbeatMs = options.heartbeatMs ?? 15_000;
    this.#flushMs = options.flushMs ?? 25;
    this.#onDrop = options.onDrop;
    this.#ring = new EventRing(options.capacity ?? 1000);
    this.#off = options.bus.on('*', (type, event) => this.#record(type, event as object));
  }

  get clientCount(): number {
    return this.#clients.size;
  }

  get isFull(): boolean {
    return this.#clients.size >= this.#maxClients;
  }

  /**
   * Takes over a response. `lastEventId` is the last event that the client has seen; without it, or when some
   * events after it are forgotten, the stream begins with a snapshot, or with the next event.
   */
  connect(
    response: ServerResponse,
    { lastEventId, snapshot = true }: { lastEventId?: string | undefined; snapshot?: boolean } = {},
  ): void {
    if (this.#closed) {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end();
      return;
    }
    // Connected clients get what is pending; the new one starts after it.
    this.#flush();
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    const client: Client = {
      response,
      allowance: 0,
      allowedUntil: performance.now() + this.#drainMs,
    };
    response.on('drain', () => (client.allowance = 0));
    response.on('error', () => this.#forget(client));
    response.on('close', () => this.#forget(client));
    response.write('retry: 2000\n\n');
    for (const bytes of this.#startFor(lastEventId, snapshot)) {
      client.allowance += bytes.length;
      response.write(bytes);
    }
    this.#clients.add(client);
    this.#heartbeatTimer ??= setInterval(
      () => this.#send(Buffer.from(': heartbeat\n\n')),
      this.#heartbeatMs,
    ).unref();
  }

  /** Ends every stream, and all listening. */
  close(): void {
    this.#closed = true;
    this.#off();
    this.#flush();
    for (const { response } of this.#clients) response.end();
    this.#stopTimers();
    clearTimeout(this.#heldTimer);
    this.#held = undefined;
  }

  #record(type: string, event: object): void {
    const number = this.#ring.push({ type, event });
    if (this.#clients.size === 0) return;
    this.#pending += this.#frame(number, type, eventToWire(type, event));
    if (this.#pending.length >= maxPendingLength) this.#flush();
    else this.#flushTimer ??= setTimeout(() => this.#flush(), this.#flushMs).unref();
  }

  #frame(number: number, type: string, wire: object): string {
    return `id: ${this.#era}-${number}\nevent: ${type}\ndata: ${JSON.stringify(wire)}\n\n`;
  }

  #startFor(lastEventId: string | undefined, snapshot: boolean): Buffer[] {
    const [era, number] = lastEventId?.split('-') ?? [];
    const missed = era === this.#era ? this.#after(Number(number)) : undefined;
    if (missed !== undefined) return [missed];
    if (!snapshot) return [];
    const since = this.#held && this.#after(this.#held.number);
    if (this.#held !== undefined && since !== undefined) return [this.#held.bytes, since];
    return [this.#takeSnapshot().bytes];
  }

  /** What came after an event; undefined when some of it is forgotten. */
  #after(number: number): Buffer | undefined {
    const frames = this.#ring
      .after(number)
      ?.map(({ number: at, event: { type, event } }) =>
        this.#frame(at, type, eventToWire(type, event)),
      );
    return frames && Buffer.from(frames.join(''));
  }

  /** One for all clients that come soon: of a large pool it takes megabytes, and long to make. */
  #takeSnapshot(): Snapshot {
    const number = this.#ring.last;
    const bytes = Buffer.from(this.#frame(number, 'snapshot', this.#snapshot()));
    clearTimeout(this.#heldTimer);
    this.#heldTimer = setTimeout(() => (this.#held = undefined), this.#snapshotMs).unref();
    return (this.#held = { number, bytes });
  }

  #flush(): void {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    if (this.#pending === '') return;
    const bytes = Buffer.from(this.#pending);
    this.#pending = '';
    this.#send(bytes);
  }

  #send(bytes: Buffer): void {
    if (!this.#writing) {
      this.#writing = true;
      this.#dropSlow();
      setImmediate(() => this.#endTurn()).unref();
    }
    for (const { response } of this.#clients) response.write(bytes);
  }

  #dropSlow(): void {
    const now = performance.now();
    for (const client of this.#clients) {
      const waiting = client.response.writableLength;
      if (waiting <= this.#maxBufferedBytes) client.allowance = 0;
      else if (waiting > this.#maxBufferedBytes + client.allowance || now > client.allowedUntil) {
        this.#forget(client);
        client.response.destroy();
        this.#onDrop?.(waiting);
      }
    }
  }

  /** What this turn brought beyond the bound may wait; a client that has an allowance gets no other. */
  #endTurn(): void {
    this.#writing = false;
    for (const client of this.#clients) {
      const beyond = client.response.writableLength - this.#maxBufferedBytes;
      if (beyond <= 0 || client.allowance > 0) continue;
      client.allowance = beyond;
      client.allowedUntil = performance.now() + this.#drainMs;
    }
  }

  #forget(client: Client): void {
    this.#clients.delete(client);
    if (this.#clients.size === 0) this.#stopTimers();
  }

  #stopTimers(): void {
    clearInterval(this.#heartbeatTimer);
    this.#heartbeatTimer = undefined;
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    this.#pending = '';
  }
}
