import type { Blame, FailureReason, Outcome, Phase } from '@whirl/events';
import {
  AttemptTimeoutError,
  ProxyAuthenticationError,
  ProxyConnectionError,
  TargetConnectionError,
  type WhirlError,
} from './errors.ts';

/** What an attempt's failure means: for the retry, for the proxy, and for the books. */
export interface Failure {
  readonly outcome: Outcome;
  readonly phase: Phase;
  readonly reason: FailureReason;
  readonly blame: Blame;
  /** The proxy or the target may be to blame: another proxy's fate tells. */
  readonly ambiguous: boolean;
  readonly statusCode?: number | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly error: Error;
}

const networkCodes = new Set([
  'UND_ERR_SOCKET',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_CONNECT_TIMEOUT',
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EPROTO',
]);

interface Seen {
  readonly proxyId: string;
  readonly tunnel: boolean;
  readonly headersSeen: boolean;
}

/** Gives an error from below its name, its phase, its reason and whom to blame (behaviour C5). */
export function classify(error: Error, { proxyId, tunnel, headersSeen }: Seen): Failure {
  const base = { outcome: 'failure', blame: 'proxy', ambiguous: false, error } as const;
  if (error instanceof AttemptTimeoutError) {
    return { ...base, outcome: 'timeout', phase: error.phase, reason: 'timeout' };
  }
  if (error instanceof ProxyAuthenticationError) {
    const { phase, statusCode } = error;
    return { ...base, phase, reason: 'proxy_auth', statusCode };
  }
  if (error instanceof ProxyConnectionError) {
    const { phase, statusCode, retryAfterMs } = error;
    const gateway = statusCode === 502 || statusCode === 503 || statusCode === 504;
    return {
      ...base,
      phase,
      reason: phase as FailureReason,
      ambiguous: gateway || phase === 'tls_target',
      statusCode,
      retryAfterMs,
    };
  }
  if (error instanceof TargetConnectionError) {
    return { ...base, phase: 'tls_target', reason: 'tls_target', ambiguous: true };
  }
  const code = (error as WhirlError | NodeJS.ErrnoException).code;
  const broken = error.name === 'HTTPParserError' || code === 'UND_ERR_HEADERS_OVERFLOW';
  if (!broken && !networkCodes.has(code ?? '')) {
    // A bug in a hook, a body that threw, an argument that undici refuses: nobody's network.
    return { ...base, blame: 'caller', phase: headersSeen ? 'body' : 'headers', reason: 'aborted' };
  }
  const phase = headersSeen ? 'body' : 'headers';
  const where = headersSeen ? 'in the response body' : 'before the response headers';
  return {
    ...base,
    phase,
    reason: broken ? 'protocol' : headersSeen ? 'body' : 'reset',
    ambiguous: tunnel && !headersSeen && !broken,
    error: new ProxyConnectionError(
      `${proxyId}: ${broken ? 'a broken answer' : 'connection lost'} ${where} (${code ?? error.name})`,
      { phase, proxyId, cause: error },
    ),
  };
}
