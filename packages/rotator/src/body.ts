import { InvalidRequestError } from './errors.ts';
import { shown } from './shown.ts';

/** What a recorded body may hold and still be sent again. */
const maxRecordedBytes = 1_048_576;

function sizeOf(chunk: unknown): number {
  if (typeof chunk === 'string') return Buffer.byteLength(chunk);
  return (chunk as { byteLength?: number }).byteLength ?? 0;
}

/** What can be sent again as it is. */
function isPlain(source: unknown): boolean {
  return (
    typeof source !== 'object' ||
    source === null ||
    ArrayBuffer.isView(source) ||
    source instanceof ArrayBuffer ||
    source instanceof Blob ||
    ['FormData', 'Blob', 'File'].includes(
      (source as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] ?? '',
    )
  );
}

/** Throws `InvalidRequestError` for what undici would refuse, which it does in the middle of an attempt. */
export function checkBody(source: unknown): void {
  if (source === undefined || source === null || typeof source === 'string') return;
  if (typeof source === 'object') {
    const { pipe, on } = source as { pipe?: unknown; on?: unknown };
    if (typeof pipe === 'function' && typeof on === 'function') return;
    if (isPlain(source) || Symbol.asyncIterator in source || Symbol.iterator in source) return;
  }
  throw new InvalidRequestError(
    `body must be a text, bytes, a form, a Blob, a stream or an iterable, got ${shown(source)}`,
  );
}

/**
 * A body that can be asked for once per attempt. Texts, buffers, forms and blobs are sent again as
 * they are; an async generator (the shape in which the built-in fetch hands over every body) is
 * recorded while it is sent, up to 1 MiB; any other stream is sent once.
 */
export class ReplayableBody {
  readonly #source: unknown;
  readonly #iterator: AsyncIterator<unknown> | undefined;
  readonly #plain: boolean;
  #chunks: unknown[] | undefined = [];
  #size = 0;
  #ended = false;
  #pending: Promise<void> | undefined;
  #touched = false;

  /** `record`: the request may be sent twice, so a generator is worth keeping. */
  constructor(source: unknown, record: boolean) {
    this.#source = source;
    this.#plain = isPlain(source);
    if (record && Object.prototype.toString.call(source) === '[object AsyncGenerator]') {
      this.#iterator = (source as AsyncIterable<unknown>)[Symbol.asyncIterator]();
    }
  }

  /** Whether one more attempt could send the same bytes. */
  get replayable(): boolean {
    if (this.#plain || !this.#touched) return true;
    return this.#iterator !== undefined && this.#chunks !== undefined;
  }

  /** Whether two attempts could send it at the same time. */
  get shareable(): boolean {
    return this.#plain || (this.#ended && this.#chunks !== undefined);
  }

  /** Marks that an attempt began to send. Until then even a stream is untouched. */
  touch(): void {
    this.#touched = true;
  }

  /** The body for one attempt. */
  open(): unknown {
    return this.#iterator === undefined ? this.#source : this.#replay();
  }

  /** The request is over: a generator that was not read to its end may clean up. */
  close(): void {
    if (this.#iterator === undefined || this.#ended) return;
    this.#ended = true;
    void this.#iterator.return?.().catch(() => {});
  }

  async *#replay(): AsyncGenerator<unknown> {
    this.#touched = true;
    const chunks = this.#chunks ?? [];
    for (let i = 0; ; i++) {
      while (i >= chunks.length && !this.#ended) await (this.#pending ??= this.#pull(chunks));
      if (i >= chunks.length) return;
      yield chunks[i];
      // Past the cap nothing is kept: what was sent is let go.
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
      this.#size += sizeOf(value);
      if (this.#size > maxRecordedBytes) this.#chunks = undefined;
      chunks.push(value);
    } finally {
      this.#pending = undefined;
    }
  }
}
