import { IncomingMessage } from 'node:http';
import { PassThrough, Readable } from 'node:stream';
import { types } from 'node:util';
import { InvalidRequestError } from '../errors.ts';
import { shown } from '@whirl/check';

/** Something that gives a body once, from its start to its end. */
export interface BodySource {
  /** Bytes that it will give, where that is known before it is read. */
  readonly length: number | undefined;
  /** Chunks may be views of memory that the source uses again as soon as it is asked for the next one. */
  readonly lent: boolean;
  /** The next chunk. May throw, and reject with anything. Never called again before it has settled. */
  next(): Promise<IteratorResult<unknown>>;
  /** Frees what the source holds: no more chunks are asked for. Never throws. */
  stop(): void;
}

/** Reports an error that a source has by itself, whether or not it is being read. */
export type ReportError = (thrown: unknown) => void;

/** A stream of Node's, or of the older kind that has nothing but events. */
type NodeStream = Readable & { write?: unknown };

export function isNodeStream(given: unknown): given is NodeStream {
  if (typeof given !== 'object' || given === null) return false;
  const { pipe, on } = given as { pipe?: unknown; on?: unknown };
  return typeof pipe === 'function' && typeof on === 'function';
}

export function isIterable(given: object): boolean {
  return Symbol.asyncIterator in given || Symbol.iterator in given;
}

/**
 * A stream or an iterable as a source. Throws `InvalidRequestError` for one that was read, locked or destroyed
 * before, the error of a stream that has one, and what an iterable throws when it is asked for its iterator.
 */
export function sourceOf(given: object, report: ReportError): BodySource {
  if (isNodeStream(given)) return new NodeSource(given, report);
  if (typeof (given as ReadableStream).getReader === 'function') {
    return webSource(given as ReadableStream, report);
  }
  try {
    return iteratorSource(given);
  } catch (thrown) {
    throw asError(thrown);
  }
}

/** The error itself, or one that says what was thrown instead: promises that reject with null hide the failure. */
export function asError(thrown: unknown): Error {
  if (thrown instanceof Error || types.isNativeError(thrown)) return thrown;
  const what = `body: its source threw ${shown(thrown)}, which is not an Error`;
  return new InvalidRequestError(what, { cause: thrown });
}

const spent = new WeakSet<object>();

function iteratorSource(given: object): BodySource {
  if (spent.has(given)) {
    throw new InvalidRequestError(
      'body: this iterator was sent with another request; give a function that returns a fresh one',
    );
  }
  const { [Symbol.asyncIterator]: ofAsync, [Symbol.iterator]: ofSync } = given as Partial<
    AsyncIterable<unknown> & Iterable<unknown>
  >;
  // Typed as what `await` makes of either kind.
  const iterator = ((ofAsync ?? ofSync) as (() => unknown) | undefined)?.call(
    given,
  ) as AsyncIterator<unknown>;
  if (typeof iterator?.next !== 'function') {
    throw new InvalidRequestError(`body: its iterator has no method next, got ${shown(iterator)}`);
  }
  if (iterator === given) spent.add(given);
  return {
    length: undefined,
    lent: true,
    async next() {
      const result = await iterator.next();
      if (typeof result !== 'object' || result === null) {
        throw new InvalidRequestError(`body: next() must give an object, got ${shown(result)}`);
      }
      if (result.done === true || ofAsync !== undefined) return result;
      // As `for await` does with what a synchronous iterator gives.
      return { done: false, value: await result.value };
    },
    stop() {
      try {
        Promise.resolve(iterator.return?.()).catch(ignore);
      } catch {
        // The request does not depend on it any more.
      }
    },
  };
}

function webSource(stream: ReadableStream, report: ReportError): BodySource {
  if (stream.locked) {
    throw new InvalidRequestError('body: the ReadableStream is locked to another reader');
  }
  if (Readable.isDisturbed(stream as never)) {
    throw new InvalidRequestError('body: the ReadableStream was read before');
  }
  const reader = stream.getReader();
  reader.closed.then(ignore, report);
  return {
    length: undefined,
    lent: true,
    next: () => reader.read() as Promise<IteratorResult<unknown>>,
    stop: () => void reader.cancel().then(ignore, ignore),
  };
}

/** Listens for errors of the stream until it closes, and reads it only when a chunk is asked for. */
class NodeSource implements BodySource {
  readonly length: number | undefined;
  readonly lent = false;
  readonly #given: NodeStream;
  /** What is read: the stream itself, or what one of the older kind is piped to. */
  readonly #stream: Readable;
  #reading = false;
  #ended = false;
  #wanted: ((result: IteratorResult<unknown>) => void) | undefined;

  constructor(given: NodeStream, report: ReportError) {
    this.#given = given;
    // A stream that is refused may still emit its error.
    given.on('error', ignore);
    checkReadable(given);
    given.on('error', report);
    given.on('end', () => {
      this.#ended = true;
    });
    given.on('close', () => {
      if (!this.#ended)
        report(new InvalidRequestError('body: the stream was closed before its end'));
    });
    if (typeof given.read === 'function') {
      this.#stream = given;
      this.length = lengthOf(given);
    } else {
      this.#stream = new PassThrough();
      this.length = undefined;
    }
  }

  next(): Promise<IteratorResult<unknown>> {
    const next = new Promise<IteratorResult<unknown>>((resolve) => {
      this.#wanted = resolve;
    });
    if (this.#reading) this.#offer();
    else this.#begin();
    return next;
  }

  stop(): void {
    this.#stream.off('readable', this.#offer);
    if (this.#ended || this.#given.destroyed) return;
    // Destroying a request that a server received would take away the connection for the response to it.
    if (this.#given instanceof IncomingMessage) this.#given.resume();
    else this.#given.destroy?.();
  }

  #begin(): void {
    this.#reading = true;
    this.#stream.on('readable', this.#offer).on('end', this.#offer);
    if (this.#stream !== this.#given) this.#given.pipe(this.#stream as PassThrough);
    this.#offer();
  }

  readonly #offer = (): void => {
    const resolve = this.#wanted;
    if (resolve === undefined) return;
    const value: unknown = this.#stream.read();
    if (value === null && !this.#stream.readableEnded) return;
    this.#wanted = undefined;
    resolve(value === null ? { done: true, value } : { done: false, value });
  };
}

function checkReadable(stream: NodeStream): void {
  const { errored, destroyed, readableEnded, readable, write } = stream;
  if (errored) throw errored;
  if (destroyed) throw new InvalidRequestError('body: the stream was destroyed before');
  if (readableEnded) throw new InvalidRequestError('body: the stream was read to its end before');
  if (readable === false || (readable === undefined && typeof write === 'function')) {
    throw new InvalidRequestError('body: the stream cannot be read');
  }
}

/** The length of a stream that has its end in its buffer already. */
function lengthOf(stream: Readable): number | undefined {
  stream.read(0);
  const state = (stream as { _readableState?: { ended?: boolean } })._readableState;
  return state?.ended === true && !stream.readableObjectMode ? stream.readableLength : undefined;
}

function ignore(): void {}
