import { parseRetryAfter } from '@whirl/backoff';

/**
 * Milliseconds that a Retry-After asks for. The field should come once (RFC 9110, section 10.2.3);
 * of several the longest counts, because to ask too late is always allowed.
 */
export function retryAfterOf(
  fields: string | readonly string[] | undefined,
  wallNow: number,
): number | undefined {
  if (fields === undefined) return undefined;
  if (typeof fields === 'string') return parseRetryAfter(fields, wallNow);
  let longest: number | undefined;
  for (const field of fields) {
    const ms = parseRetryAfter(field, wallNow);
    if (ms !== undefined) longest = Math.max(longest ?? 0, ms);
  }
  return longest;
}
