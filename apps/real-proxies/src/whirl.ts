import {
  AttemptTimeoutError,
  ProxyAuthenticationError,
  ProxyConnectionError,
  RetriesExhaustedError,
  TargetConnectionError,
  type RotatorResponse,
} from '@whirl/rotator';
import { bodyOf, endToEnd, withoutErrorPage, type Outcome } from './outcome.ts';

/** What a whirl request came to, in curl's terms. Rejects when it ended in an error that has none. */
export async function outcomeOf(
  pending: Promise<RotatorResponse>,
  onError: (error: unknown) => void = () => {},
): Promise<Outcome> {
  let response: RotatorResponse;
  try {
    response = await pending;
  } catch (error) {
    onError(error);
    return outcomeOfError(error);
  }
  const body = Buffer.from(await response.body.arrayBuffer());
  return withoutErrorPage({
    status: response.statusCode,
    headers: endToEnd(response.headers),
    body: bodyOf(body),
  });
}

/** The error of the one attempt that was made. */
export function attemptError(error: unknown): unknown {
  return error instanceof RetriesExhaustedError ? error.cause : error;
}

/** The same of an error alone. */
export function outcomeOfError(given: unknown): Outcome {
  const error = attemptError(given);
  if (error instanceof ProxyAuthenticationError) {
    const { statusCode } = error;
    const refusedBy = 'authentication';
    return statusCode === undefined ? { refusedBy } : { refusedBy, status: statusCode };
  }
  if (error instanceof ProxyConnectionError) {
    const { phase, statusCode, socksReply } = error;
    if (phase === 'connect' && statusCode !== undefined) {
      return { refusedBy: 'connect', status: statusCode };
    }
    if (phase === 'socks') return { refusedBy: 'socks', reply: socksReply };
    return { failed: phase };
  }
  if (error instanceof TargetConnectionError) return { failed: error.phase };
  if (error instanceof AttemptTimeoutError) return { failed: `timeout ${error.phase}` };
  throw given;
}
