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
  /**
   * A connection that had served before was lost before a byte of the response, and the request could
   * not be sent again: nobody's failure. Blame is `none`; no circuit, statistic or evidence counts it.
   */
  readonly stale?: boolean | undefined;
  /** The target is to blame, as far as is known; attempts that are still out may prove it well. */
  readonly contested?: boolean | undefined;
  readonly statusCode?: number | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly error: Error;
}

/** How undici and Node name what can go wrong on a connection that stands. */
const networkCodes = new Set([
  'UND_ERR_SOCKET',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
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
const brokenCodes = new Set([
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  // undici's own assertion on nonsense that its parser let through.
  'ERR_ASSERTION',
]);
const timeoutCodes = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

/** What CONNECT is answered when the proxy, as it says, did not reach the target. */
const gatewayStatuses = new Set([502, 503, 504]);

/** The same of SOCKS5: network or host unreachable, connection refused, TTL expired (RFC 1928). */
const unreachedReplies = new Set([3, 4, 5, 6]);

const reasonOfPhase: Partial<Record<Phase, FailureReason>> = {
  dns: 'dns',
  tcp: 'tcp',
  tls_proxy: 'tls_proxy',
  socks: 'socks',
  connect: 'connect',
  tls_target: 'tls_target',
  body: 'body',
};

interface Seen {
  readonly proxyId: string;
  /** The request went through a tunnel, so that only the target can have answered it. */
  readonly tunnel: boolean;
  readonly headersSeen: boolean;
}

/** Gives an error from below its name, its phase, its reason and whom to blame (behaviour C5). */
export function classify(error: Error, { proxyId, tunnel, headersSeen }: Seen): Failure {
  const base = { outcome: 'failure', blame: 'proxy', ambiguous: false, error } as const;
  if (error instanceof AttemptTimeoutError) {
    // In phase `select` it waited for one of our own connections: the proxy never had it.
    const blame = error.phase === 'select' ? 'caller' : 'proxy';
    return { ...base, blame, outcome: 'timeout', phase: error.phase, reason: 'timeout' };
  }
  if (error instanceof ProxyAuthenticationError) {
    const { phase, statusCode } = error;
    return { ...base, phase, reason: 'proxy_auth', statusCode };
  }
  if (error instanceof ProxyConnectionError) {
    const { phase, statusCode, retryAfterMs, socksReply, reason } = error;
    const unreached = gatewayStatuses.has(statusCode ?? 0) || unreachedReplies.has(socksReply ?? 0);
    return {
      ...base,
      phase,
      reason: reason ?? reasonOfPhase[phase] ?? 'reset',
      ambiguous: phase === 'tls_target' || unreached,
      statusCode,
      retryAfterMs,
    };
  }
  if (error instanceof TargetConnectionError) {
    const { phase } = error;
    // A name that this machine could not resolve says nothing of any proxy.
    if (phase === 'dns') return { ...base, phase, reason: 'dns', blame: 'target' };
    return { ...base, phase, reason: 'tls_target', ambiguous: true };
  }
  const code = (error as WhirlError | NodeJS.ErrnoException).code ?? '';
  const broken = error.name === 'HTTPParserError' || brokenCodes.has(code);
  const phase = headersSeen ? 'body' : 'headers';
  if (!broken && !networkCodes.has(code)) {
    // A bug in a hook, a body that threw, an argument that undici refuses: nobody's network.
    return { ...base, blame: 'caller', phase, reason: 'aborted' };
  }
  const timeout = timeoutCodes.has(code);
  const where = headersSeen ? 'in the response body' : 'before the response headers';
  const what = broken ? 'a broken answer' : timeout ? 'silence' : 'connection lost';
  return {
    ...base,
    outcome: timeout ? 'timeout' : 'failure',
    phase,
    reason: broken ? 'protocol' : timeout ? 'timeout' : headersSeen ? 'body' : 'reset',
    ambiguous: tunnel && !headersSeen && !broken,
    error: new ProxyConnectionError(`${proxyId}: ${what} ${where} (${code || error.name})`, {
      phase,
      proxyId,
      cause: error,
    }),
  };
}
