import { AllProxiesUnavailableError, WhirlError, type AttemptRecord } from '@whirl/rotator';
import { socksReply } from '../socks/socks-reply.ts';

/** How a failure to open a tunnel is told to a client. */
export interface ToldFailure {
  /** Of an HTTP response. */
  readonly statusCode: 400 | 502 | 503 | 504;
  /** Of a SOCKS5 reply. */
  readonly reply: number;
  /** A type of RFC 9209, section 2.3. */
  readonly proxyError: string;
  readonly message: string;
  readonly retryAfterMs: number | undefined;
  readonly attempts: number;
}

/** Translates an error of `rotator.connect()` or of a request. Never shows a password, because its message does not. */
export function toldFailure(error: unknown, earlier = 0): ToldFailure {
  const { code, message, attempts = [] } = error as Partial<WhirlError>;
  const last = attempts.at(-1);
  const told = {
    message: message ?? 'the tunnel could not be opened',
    retryAfterMs: undefined,
    attempts: earlier + attempts.length,
  };
  if (error instanceof AllProxiesUnavailableError || code === 'CLOSED') {
    const retryAfterMs =
      error instanceof AllProxiesUnavailableError ? error.retryAfterMs : undefined;
    return {
      ...told,
      statusCode: 503,
      reply: socksReply.generalFailure,
      proxyError: 'destination_unavailable',
      retryAfterMs,
    };
  }
  if (code === 'REQUEST_TIMEOUT') {
    return {
      ...told,
      statusCode: 504,
      reply: socksReply.ttlExpired,
      proxyError: 'connection_timeout',
    };
  }
  if (code === 'INVALID_REQUEST') {
    return {
      ...told,
      statusCode: 400,
      reply: socksReply.generalFailure,
      proxyError: 'http_request_error',
    };
  }
  return { ...told, statusCode: 502, ...reasonOf(last, error) };
}

/** What the last attempt says of the target, where it says something. */
function reasonOf(
  last: AttemptRecord | undefined,
  error: unknown,
): Pick<ToldFailure, 'reply' | 'proxyError'> {
  const { socksReply: code, phase } = deepest(error);
  if (last?.outcome === 'timeout') {
    return { reply: socksReply.ttlExpired, proxyError: 'connection_timeout' };
  }
  if (code === socksReply.connectionRefused) {
    return { reply: code, proxyError: 'connection_refused' };
  }
  if (code === socksReply.hostUnreachable || last?.blame === 'target') {
    return { reply: socksReply.hostUnreachable, proxyError: 'destination_unavailable' };
  }
  if (phase === 'dns') return { reply: socksReply.hostUnreachable, proxyError: 'dns_error' };
  return { reply: socksReply.generalFailure, proxyError: 'connection_terminated' };
}

/** The error of the attempt, which may be the cause of the one at hand. */
function deepest(error: unknown): { socksReply?: number; phase?: string } {
  let found = {};
  for (let each = error; each instanceof Error; each = each.cause) {
    if ('phase' in each) found = each;
  }
  return found;
}
