import { asError, sourceOf, type BodySource } from './body-source.ts';
import { InvalidRequestError } from '../errors.ts';
import type { Part } from './form-parts.ts';
import { Recording, type BodyReader } from './recording.ts';
import { contentFrom, contentOf, type BodyFunction, type Content } from './encode-body.ts';

/** What one attempt sends. */
export interface Upload {
  /** For undici, which reads nothing that the caller gave: a broken stream would take its client down. */
  readonly payload: null | Buffer | BodyReader;
  /** Bytes, where they are known. */
  readonly length: number | undefined;
  /** The content type that the kind of the body implies. */
  readonly contentType: string | undefined;
  /** Whether the connection waits for the source of the body. */
  readonly starved: boolean;
  /** The attempt is over. */
  stop(): void;
}

/** An attempt that waits for its body. */
export interface Uploader {
  /** `late`: not inside the call that asked for it. */
  send(upload: Upload, late: boolean): void;
}

/** A request's body, which is opened once for each attempt. */
export interface Body {
  /** One more attempt would send the same bytes, from their start. */
  readonly replayable: boolean;
  /** Two attempts may send it at the same time. */
  readonly shareable: boolean;
  /** Tells of an error of the body's source, whenever it comes. It ends the request. */
  watch(failed: (error: Error) => void): void;
  /** Calls `send` once, or reports an error to the watcher. */
  open(uploader: Uploader): void;
  /** The request is over: what was not read to its end is destroyed. */
  close(): void;
}

export interface BodyOptions {
  /** Whether a stream is recorded: the request may be sent twice. */
  readonly record: boolean;
  /** The request's content-length, in bytes. */
  readonly expected: number | undefined;
}

/** Throws `InvalidRequestError` for what is no body, or has another length than it should. */
export function bodyOf(given: unknown, options: BodyOptions): Body {
  if (typeof given === 'function') return new FunctionBody(given as BodyFunction, options);
  return ofContent(contentOf(given), options);
}

function ofContent(content: Content, options: BodyOptions): Body {
  if ('source' in content) return new StreamBody(content.source, options);
  const { expected } = options;
  const length = 'bytes' in content ? content.bytes.length : content.length;
  if (expected !== undefined && expected !== length) {
    throw new InvalidRequestError(
      `content-length is ${expected}, but the body has ${length} bytes`,
    );
  }
  const { contentType } = content;
  if ('bytes' in content) return new BytesBody(content.bytes, contentType);
  if (length === 0) return new BytesBody(undefined, contentType);
  return new PartsBody(content.parts, length, contentType);
}

/** A string or bytes: every attempt sends the same memory. */
class BytesBody implements Body, Upload {
  readonly replayable = true;
  readonly shareable = true;
  readonly payload: Buffer | null;
  /** undici counts them itself. */
  readonly length = undefined;
  readonly contentType: string | undefined;
  readonly starved = false;

  constructor(bytes: Buffer | undefined, contentType: string | undefined) {
    this.payload = bytes === undefined || bytes.length === 0 ? null : bytes;
    this.contentType = contentType;
  }

  watch(): void {}

  open(uploader: Uploader): void {
    uploader.send(this, false);
  }

  close(): void {}

  stop(): void {}
}

/** Shared by all requests that have none. */
export const noBody: Body & Upload = new BytesBody(undefined, undefined);

class StreamUpload implements Upload {
  readonly payload: BodyReader | null;
  readonly length: number | undefined;
  readonly contentType: string | undefined;
  readonly #reader: BodyReader;
  readonly #stop: () => void;

  constructor(
    recording: Recording,
    length: number | undefined,
    contentType: string | undefined,
    stop: (reader: BodyReader) => void,
  ) {
    const reader = recording.read();
    this.payload = length === 0 ? null : reader;
    this.length = length;
    this.contentType = contentType;
    this.#reader = reader;
    this.#stop = () => stop(reader);
  }

  get starved(): boolean {
    return this.#reader.waiting;
  }

  stop(): void {
    this.#stop();
  }
}

/** A Blob, a form or an array: every attempt reads its parts again. */
class PartsBody implements Body {
  readonly replayable = true;
  readonly shareable = true;
  readonly #parts: readonly Part[];
  readonly #length: number;
  readonly #contentType: string | undefined;
  #failed: (error: Error) => void = ignore;

  constructor(parts: readonly Part[], length: number, contentType: string | undefined) {
    this.#parts = parts;
    this.#length = length;
    this.#contentType = contentType;
  }

  watch(failed: (error: Error) => void): void {
    this.#failed = failed;
  }

  open(uploader: Uploader): void {
    const options = { record: false, expected: this.#length };
    const recording = new Recording(() => sourceOfParts(this.#parts), options);
    recording.watch(this.#failed);
    const stop = () => recording.close();
    uploader.send(new StreamUpload(recording, this.#length, this.#contentType, stop), false);
  }

  close(): void {}
}

async function* chunksOf(parts: readonly Part[]): AsyncGenerator<unknown> {
  for (const part of parts) {
    if ('size' in part) yield* part.stream() as unknown as AsyncIterable<Uint8Array>;
    else yield part;
  }
}

function sourceOfParts(parts: readonly Part[]): BodySource {
  return { ...sourceOf(chunksOf(parts), ignore), lent: false };
}

/** A stream or an iterator: read once, and recorded for the attempts that follow. */
class StreamBody implements Body {
  readonly #recording: Recording;

  constructor(source: object, options: BodyOptions) {
    this.#recording = new Recording((report) => sourceOf(source, report), options);
    const { length } = this.#recording;
    const { expected } = options;
    if (expected !== undefined && length !== undefined && expected !== length) {
      this.#recording.close();
      throw new InvalidRequestError(
        `content-length is ${expected}, but the body has ${length} bytes`,
      );
    }
  }

  get replayable(): boolean {
    return this.#recording.replayable;
  }

  get shareable(): boolean {
    return this.#recording.complete;
  }

  watch(failed: (error: Error) => void): void {
    this.#recording.watch(failed);
  }

  open(uploader: Uploader): void {
    const recording = this.#recording;
    const stop = (reader: BodyReader) => reader.stop();
    uploader.send(new StreamUpload(recording, recording.length, undefined, stop), false);
  }

  close(): void {
    this.#recording.close();
  }
}

/** `() => body`: each attempt opens one of its own, and closes it. */
class FunctionBody implements Body {
  readonly replayable = true;
  readonly shareable = true;
  readonly #make: BodyFunction;
  readonly #options: BodyOptions;
  #failed: (error: Error) => void = ignore;

  constructor(make: BodyFunction, { expected }: BodyOptions) {
    this.#make = make;
    this.#options = { record: false, expected };
  }

  watch(failed: (error: Error) => void): void {
    this.#failed = failed;
  }

  open(uploader: Uploader): void {
    try {
      const made: unknown = this.#make();
      if (typeof (made as PromiseLike<unknown> | undefined)?.then !== 'function') {
        this.#send(made, uploader, false);
        return;
      }
      Promise.resolve(made)
        .then((content) => this.#send(content, uploader, true))
        .catch((thrown: unknown) => this.#failed(asError(thrown)));
    } catch (thrown) {
      this.#failed(asError(thrown));
    }
  }

  close(): void {}

  #send(made: unknown, uploader: Uploader, late: boolean): void {
    const body = ofContent(contentFrom(made), this.#options);
    body.watch(this.#failed);
    body.open({ send: (upload) => uploader.send(new OwnUpload(upload, body), late) });
  }
}

/** An upload whose body is its own: both end together. */
class OwnUpload implements Upload {
  readonly payload: Upload['payload'];
  readonly length: number | undefined;
  readonly contentType: string | undefined;
  readonly #upload: Upload;
  readonly #body: Body;

  constructor(upload: Upload, body: Body) {
    this.payload = upload.payload;
    this.length = upload.length;
    this.contentType = upload.contentType;
    this.#upload = upload;
    this.#body = body;
  }

  get starved(): boolean {
    return this.#upload.starved;
  }

  stop(): void {
    this.#upload.stop();
    this.#body.close();
  }
}

function ignore(): void {}
