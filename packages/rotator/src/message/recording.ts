import { asError, type BodySource, type ReportError } from './body-source.ts';
import { bytesOf } from './chunk.ts';
import { InvalidRequestError } from '../errors.ts';

/** Bytes of a stream or iterator that are kept, so that it can be sent again. */
export const maxRecordedBytes = 1_048_576;

/** What is not kept is copied in pieces, so that a chunk of any size costs little memory. */
const pieceBytes = 65_536;

const over = new Error('the attempt is over');

export interface RecordingOptions {
  /** Keep up to 1 MiB of it. */
  readonly record: boolean;
  /** Bytes that it must have: the request's content-length. */
  readonly expected: number | undefined;
}

/**
 * A source that can be read by one attempt after another. All bytes are kept until a reader asks for more
 * than `maxRecordedBytes`; from then on nothing is kept, and that reader is the last one. So as long as
 * `replayable` is true, the next reader gets the body from its start. Nothing is pulled unless a reader waits.
 */
export class Recording {
  readonly #source: BodySource;
  readonly #expected: number | undefined;
  #chunks: Buffer[] = [];
  #kept: boolean;
  /** The rest of a chunk that is not kept: no reader has got it yet. */
  #rest: { bytes: Buffer; readonly lent: boolean } | undefined;
  #size = 0;
  #touched = false;
  #pulling = false;
  #ended = false;
  #closed = false;
  #error: Error | undefined;
  #watcher: ((error: Error) => void) | undefined;
  readonly #waiting = new Set<BodyReader>();

  /** Throws what `open` throws. */
  constructor(open: (report: ReportError) => BodySource, { record, expected }: RecordingOptions) {
    this.#kept = record;
    this.#expected = expected;
    this.#source = open((thrown) => this.#fail(thrown));
  }

  /** The next reader gets the same bytes from their start. */
  get replayable(): boolean {
    return this.#error === undefined && (this.#kept || !this.#touched);
  }

  /** Two readers may read it at the same time: all of it is kept. */
  get complete(): boolean {
    return this.#kept && this.#ended;
  }

  /** Bytes in all, where that is known. */
  get length(): number | undefined {
    return this.#ended ? this.#size : this.#source.length;
  }

  /** Tells of the source's error, at once if there is one already. */
  watch(watcher: (error: Error) => void): void {
    this.#watcher = watcher;
    if (this.#error !== undefined) watcher(this.#error);
  }

  read(): BodyReader {
    return new BodyReader(this);
  }

  /** Stops reading: a source that is not at its end is closed. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#chunks = [];
    this.#kept = false;
    this.#rest = undefined;
    if (!this.#ended && this.#error === undefined) this.#source.stop();
  }

  /** @internal A reader wants its next chunk. */
  serve(reader: BodyReader): void {
    if (this.#error !== undefined) {
      reader.reject(this.#error);
      return;
    }
    const chunk = this.#kept ? this.#chunks[reader.at] : this.#piece();
    if (chunk !== undefined) {
      reader.at++;
      reader.resolve({ done: false, value: chunk });
    } else if (this.#ended) reader.resolve({ done: true, value: undefined });
    else if (this.#closed) reader.reject(over);
    else {
      this.#waiting.add(reader);
      this.#pull();
    }
  }

  /** @internal This reader waits for the source. */
  owes(reader: BodyReader): boolean {
    return this.#waiting.has(reader);
  }

  /** @internal The attempt is over. */
  leave(reader: BodyReader): void {
    if (this.#waiting.delete(reader)) reader.reject(over);
  }

  #piece(): Buffer | undefined {
    if (this.#rest === undefined) return undefined;
    const { bytes, lent } = this.#rest;
    const piece = bytes.subarray(0, pieceBytes);
    if (bytes.length > pieceBytes) this.#rest.bytes = bytes.subarray(pieceBytes);
    else this.#rest = undefined;
    return lent ? Buffer.from(piece) : piece;
  }

  #pull(): void {
    if (this.#pulling) return;
    this.#pulling = this.#touched = true;
    // The caller's code runs, and its errors are told, never inside a callback of undici's client.
    queueMicrotask(() => void this.#ask());
  }

  async #ask(): Promise<void> {
    if (this.#closed) return;
    try {
      const { done, value } = await this.#source.next();
      this.#pulling = false;
      if (this.#closed || this.#error !== undefined) return;
      if (done === true) this.#end();
      else this.#arrive(bytesOf(value), this.#source.lent && typeof value !== 'string');
    } catch (thrown) {
      this.#fail(thrown);
      return;
    }
    for (const reader of [...this.#waiting]) {
      this.#waiting.delete(reader);
      this.serve(reader);
    }
  }

  #end(): void {
    if (this.#expected !== undefined && this.#size < this.#expected) {
      throw new InvalidRequestError(
        `body: it ended after ${this.#size} bytes, content-length is ${this.#expected}`,
      );
    }
    this.#ended = true;
  }

  #arrive(bytes: Buffer, lent: boolean): void {
    if (bytes.length === 0) return;
    this.#size += bytes.length;
    if (this.#expected !== undefined && this.#size > this.#expected) {
      throw new InvalidRequestError(
        `body: it has more bytes than its content-length, ${this.#expected}`,
      );
    }
    // A chunk that no reader waits for is kept whatever its size: a retry may have been promised by now.
    if (this.#kept && (this.#size <= maxRecordedBytes || this.#waiting.size === 0)) {
      this.#chunks.push(Buffer.from(bytes));
      return;
    }
    this.#kept = false;
    this.#chunks = [];
    this.#rest = { bytes, lent };
  }

  #fail(thrown: unknown): void {
    if (this.#error !== undefined || this.#ended || this.#closed) return;
    const error = asError(thrown);
    this.#error = error;
    this.#chunks = [];
    this.#rest = undefined;
    this.#source.stop();
    this.#watcher?.(error);
    for (const reader of this.#waiting) reader.reject(error);
    this.#waiting.clear();
  }
}

/** Reads a recording for one attempt: what undici sends. It never ends before the body does. */
export class BodyReader implements AsyncIterableIterator<Buffer> {
  /** The number of the next chunk. */
  at = 0;
  readonly #recording: Recording;
  #stopped = false;
  #resolve: ((result: IteratorResult<Buffer>) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;

  constructor(recording: Recording) {
    this.#recording = recording;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Buffer>> {
    if (this.#stopped) return Promise.reject(over);
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#recording.serve(this);
    });
  }

  return(): Promise<IteratorResult<Buffer>> {
    this.stop();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Whether the chunk that undici asked for last has not come from the source yet. */
  get waiting(): boolean {
    return this.#recording.owes(this);
  }

  /** Ends it with the attempt: no chunk is pulled for it any more, and a pending read fails. */
  stop(): void {
    this.#stopped = true;
    this.#recording.leave(this);
  }

  /** @internal */
  resolve(result: IteratorResult<Buffer>): void {
    this.#resolve?.(result);
  }

  /** @internal */
  reject(error: Error): void {
    this.#reject?.(error);
  }
}
