import { InvalidRequestError } from '../errors.ts';

/** These give a request without content no content-length, and what it says is not sent. */
const unexpected = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'DELETE']);

/**
 * What the headers say of the body's length. Throws `InvalidRequestError` for what is no number, and for a number
 * of bytes where there is no body.
 */
export function contentLengthOf(
  headers: readonly string[],
  method: string,
  hasBody: boolean,
): number | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    const [name = '', value = ''] = [headers[i], headers[i + 1]];
    if (name.length !== 14 || name.toLowerCase() !== 'content-length') continue;
    const length = Number(value);
    if (!/^\d+$/.test(value) || !Number.isSafeInteger(length)) {
      throw new InvalidRequestError(
        `the header "content-length" must be a number of bytes, got ${JSON.stringify(value)}`,
      );
    }
    if (!hasBody && length > 0 && !unexpected.has(method)) {
      throw new InvalidRequestError(`content-length is ${length}, but there is no body`);
    }
    return length;
  }
  return undefined;
}
