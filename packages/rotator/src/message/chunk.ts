import { types } from 'node:util';
import { InvalidRequestError } from '../errors.ts';
import { shown } from '@whirl/check';

/**
 * The bytes of a chunk. A view of the same memory where there is one: copy it if its producer may use that memory
 * again. Throws `InvalidRequestError` for what is neither a string nor bytes.
 */
export function bytesOf(chunk: unknown): Buffer {
  if (typeof chunk === 'string') return Buffer.from(chunk);
  if (Buffer.isBuffer(chunk)) return chunk;
  if (ArrayBuffer.isView(chunk)) {
    return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  if (types.isAnyArrayBuffer(chunk)) return Buffer.from(chunk);
  throw new InvalidRequestError(`body: a chunk must be a string or bytes, got ${shown(chunk)}`);
}

/** The same for a whole body. Memory that is shared with other threads is copied. */
export function wholeBytesOf(body: unknown): Buffer {
  const bytes = bytesOf(body);
  return types.isSharedArrayBuffer(bytes.buffer) ? Buffer.from(bytes) : bytes;
}
