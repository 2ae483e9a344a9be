import { types } from 'node:util';
import type { Dispatcher } from 'undici';
import { isIterable, isNodeStream } from './body-source.ts';
import { bytesOf, wholeBytesOf } from './chunk.ts';
import { InvalidRequestError } from '../errors.ts';
import { formParts, type Part } from './form-parts.ts';
import { shown } from '@whirl/check';

/** A body as it is given. Streams and iterators can be read once, all others again and again. */
export type BodyContent =
  | Dispatcher.RequestOptions['body']
  | URLSearchParams
  | ArrayBufferView
  | ArrayBuffer
  | Blob
  | FormData
  | ReadableStream
  | Iterable<string | ArrayBufferView | ArrayBuffer>
  | AsyncIterable<string | ArrayBufferView | ArrayBuffer>;

/** Gives each attempt a body of its own: a file that is opened again, for example. */
export type BodyFunction = () => NonNullable<BodyContent> | Promise<NonNullable<BodyContent>>;

/** What a verb takes as a body. */
export type RequestBody = BodyContent | BodyFunction;

/** A body by what can be done with it. */
export type Content =
  | { readonly bytes: Buffer; readonly contentType?: string }
  | {
      readonly parts: readonly Part[];
      readonly length: number;
      readonly contentType?: string | undefined;
    }
  | { readonly source: object };

const choices = 'a string, bytes, a form, a Blob, a stream or an iterable';

/** Sorts a body by its kind. Throws `InvalidRequestError` for what is no body, or an array of what are no chunks. */
export function contentOf(given: unknown): Content {
  if (typeof given === 'string') return { bytes: Buffer.from(given) };
  if (typeof given === 'object' && given !== null) {
    if (ArrayBuffer.isView(given) || types.isAnyArrayBuffer(given)) {
      return { bytes: wholeBytesOf(given) };
    }
    if (isNodeStream(given)) return { source: given };
    if (given instanceof URLSearchParams) {
      const contentType = 'application/x-www-form-urlencoded;charset=UTF-8';
      return { bytes: Buffer.from(given.toString()), contentType };
    }
    if (isForm(given)) {
      const { parts, contentType } = formParts(given);
      return { parts, length: lengthOf(parts), contentType };
    }
    if (isBlob(given)) {
      return { parts: [given], length: given.size, contentType: given.type || undefined };
    }
    if (Array.isArray(given)) {
      const parts = given.map((chunk) => bytesOf(chunk));
      return { parts, length: lengthOf(parts) };
    }
    if ('getReader' in given || isIterable(given)) return { source: given };
  }
  throw new InvalidRequestError(
    `body must be ${choices}, or a function that returns one, got ${shown(given)}`,
  );
}

/** What a body function returned. Throws `InvalidRequestError` as `contentOf` does. */
export function contentFrom(returned: unknown): Content {
  const type = typeof returned;
  if (type === 'function' || (type !== 'object' && type !== 'string') || returned === null) {
    throw new InvalidRequestError(
      `the body function must return ${choices}, got ${shown(returned)}`,
    );
  }
  return contentOf(returned);
}

function lengthOf(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + ('size' in part ? part.size : part.byteLength), 0);
}

/** Of this realm or another one, or of a library. */
function isForm(given: object): given is FormData {
  const { [Symbol.toStringTag]: tag, getAll } = given as Partial<FormData> & {
    [Symbol.toStringTag]?: string;
  };
  return tag === 'FormData' && typeof getAll === 'function' && Symbol.iterator in given;
}

function isBlob(given: object): given is Blob {
  if (given instanceof Blob) return true;
  const {
    [Symbol.toStringTag]: tag,
    size,
    stream,
  } = given as Partial<Blob> & {
    [Symbol.toStringTag]?: string;
  };
  return (
    (tag === 'Blob' || tag === 'File') && typeof size === 'number' && typeof stream === 'function'
  );
}
