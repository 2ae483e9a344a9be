import type net from 'node:net';
import type { Counters } from '../counters.ts';

/** The bytes of one tunnel, on the socket of its client, without those of the request for it and of its response. */
export class ByteCount {
  readonly client: net.Socket;
  readonly #readBefore: number;
  readonly #writtenBefore: number;

  constructor(client: net.Socket, readBefore: number, writtenBefore: number) {
    this.client = client;
    this.#readBefore = readBefore;
    this.#writtenBefore = writtenBefore;
  }

  get up(): number {
    return this.client.bytesRead - this.#readBefore;
  }

  get down(): number {
    return this.client.bytesWritten - this.#writtenBefore;
  }

  addTo(counters: Counters): void {
    counters.bytesUp += this.up;
    counters.bytesDown += this.down;
  }
}
