import { Deadline, type Deadlines, type Expiring } from './deadlines.ts';

/** At most so much of it is read, so that its connection can be kept. */
const drainBytes = 131_072;
const drainMs = 1000;

/** The rest of a discarded response. It is read for a while, so that its connection can be kept. */
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
