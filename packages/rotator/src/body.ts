/** What a recorded body may hold and still be sent again. */
const maxRecordedBytes = 1_048_576;

/**
 * A body that can be asked for once per attempt. Texts, buffers, forms and blobs are sent again as
 * they are; an async generator (the shape in which the built-in fetch hands over every body) is
 * recorded while it is sent, up to 1 MiB; any other stream is sent once.
 */
export class ReplayableBody {
  readonly #source: unknown;
  readonly #iterator: AsyncIterator<unknown> | undefined;
  readonly #once: boolean;
  #chunks: unknown[] | undefined = [];
  #size = 0;
  #ended = false;
  #pending: Promise<void> | undefined;
  #touched = false;

  constructor(source: unknown, record: boolean) {
    this.#source = source;
    const object = typeof source === 'object' && source !== null ? source : undefined;
    const plain =
      object === undefined ||
      ArrayBuffer.isView(object) ||
      object instanceof ArrayBuffer ||
      object instanceof FormData ||
      object instanceof Blob ||
      object instanceof URLSearchParams;
    const generator =
      !plain && Object.prototype.toString.call(object) === '[object AsyncGenerator]';
    if (record && generator) {
      this.#iterator = (object as unknown as AsyncIterable<unknown>)[Symbol.asyncIterator]();
    }
    this.#once = !plain && this.#iterator === undefined;
  }

  /** Whether one more attempt could send the same bytes. */
  get replayable(): boolean {
    return this.#touched ? !this.#once && this.#chunks !== undefined : true;
  }

  /** Marks that an attempt began to send. Until then even a stream is untouched. */
  touch(): void {
    this.#touched = true;
  }

  /** The body for one attempt. */
  open(): unknown {
    return this.#iterator === undefined ? this.#source : this.#replay();
  }

  async *#replay(): AsyncGenerator<unknown> {
    this.#touched = true;
    const chunks = this.#chunks ?? [];
    for (let i = 0; ; i++) {
      while (i >= chunks.length && !this.#ended) await (this.#pending ??= this.#pull(chunks));
      if (i >= chunks.length) return;
      yield chunks[i];
      // Past the cap nothing is kept: what was yielded is let go.
      if (this.#chunks === undefined) chunks[i] = undefined;
    }
  }

  async #pull(chunks: unknown[]): Promise<void> {
    try {
      const { done, value } = await (this.#iterator as AsyncIterator<unknown>).next();
      if (done === true) {
        this.#ended = true;
        return;
      }
      this.#size += (value as { length?: number }).length ?? 0;
      if (this.#size > maxRecordedBytes) this.#chunks = undefined;
      chunks.push(value);
    } finally {
      this.#pending = undefined;
    }
  }
}
