import { InvalidRequestError } from '../errors.ts';
import { shown } from '@whirl/check';

const standard = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']);
/** A token of RFC 9110, section 5.6.2. */
const token = /^[!#$%&'*+.^_`|~\da-z-]+$/i;

/**
 * The method as it is sent. Methods are case-sensitive (RFC 9110, section 9.1), but `post` never means another
 * one than `POST`: the well-known ones are written in capitals, as fetch does for most of them.
 * Throws `InvalidRequestError` for what is no method, and for CONNECT.
 */
export function methodOf(given: unknown): string {
  if (standard.has(given as string)) return given as string;
  if (typeof given !== 'string' || !token.test(given)) {
    throw new InvalidRequestError(`method must be an HTTP token such as GET, got ${shown(given)}`);
  }
  const capitals = given.toUpperCase();
  if (capitals === 'CONNECT') {
    throw new InvalidRequestError('CONNECT cannot be sent as a request: connect() opens a tunnel');
  }
  return standard.has(capitals) ? capitals : given;
}
