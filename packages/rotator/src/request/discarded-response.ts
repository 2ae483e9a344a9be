import { Deadline, type Deadlines, type Expiring } from './deadlines.ts';

/** It is read up to here and no longer, which keeps its connection. */
const drainBytes = 131_072;
const drainMs = 1000;

/** The rest of a response that is not wanted: it is read for a while, to keep the connection. */
export class DiscardedResponse implements Expiring {
  readonly #deadline = new Deadline(this);
  readonly #giveUp: (error: Error) => void;
  #bytes = 0;

  constructor(deadlines: Deadlines, giveUp: (error: Error) => void) {
    this.#giveUp = giveUp;
    deadlines.start(this.#deadline, drainMs);
  }

  chunk(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > drainBytes) this.expired();
  }

  /** Nothing more comes. */
  end(): void {
    this.#deadline.stop();
  }

  expired(): void {
    this.end();
    this.#giveUp(new Error('a discarded response is too large to drain'));
  }
}
