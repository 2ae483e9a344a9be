import type { Blame, FailureReason, Outcome, Phase } from '@whirl/events';
import {
  AttemptTimeoutError,
  ProxyAuthenticationError,
  ProxyConnectionError,
  TargetConnectionError,
  type WhirlError,
} from '../errors.ts';
import { localError } from './local-errors.ts';
import { isUsedUp } from './used-up.ts';

/** What an attempt's failure means: for the retry, for the proxy, and for the statistics. */
export interface Failure {
  readonly outcome: Outcome;
  readonly phase: Phase;
  readonly reason: FailureReason;
  /** With a `doubt`: `unknown` until the evidence has judged it. */
  readonly blame: Blame;
  /**
   * How the evidence has to judge it: a failure on the way to the target, the proxy's refusal to lead
   * there, or a network that this machine cannot reach. Absent: `blame` is certain.
   */
  readonly doubt?: 'failed' | 'refused' | 'network' | undefined;
  /**
   * A connection that had served before was lost before a byte of the response, and the request could
   * not be sent again. Blame is `none`; no circuit, statistic or evidence counts it.
   */
  readonly stale?: boolean | undefined;
  /** Set by the judgement: the target may be well all the same. */
  readonly contested?: boolean | undefined;
  readonly statusCode?: number | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly error: Error;
}

/** How an attempt ended, for its circuit: `undecided` counts while one target alone is asked for. */
export type CircuitOutcome = 'success' | 'failure' | 'neutral' | 'undecided';

/** A deadline that passed while the event loop was held up: neither proxy nor target had its time. */
export function lateHere(failure: Failure): Failure {
  return { ...failure, blame: 'caller', doubt: undefined };
}

/** Only a proxy that is to blame, or may be, has a failure in its circuit. */
export function circuitOutcome(failure: Failure | undefined): CircuitOutcome {
  if (failure === undefined) return 'success';
  if (failure.blame === 'proxy') return 'failure';
  return failure.blame === 'unknown' ? 'undecided' : 'neutral';
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
const brokenCodes = new Set(['UND_ERR_HEADERS_OVERFLOW', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH']);
const timeoutCodes = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

/** Before these phases end the proxy has said nothing: only it can be to blame. */
const proxyPhases = new Set<Phase>(['dns', 'tcp', 'tls_proxy']);

/** SOCKS5 replies (RFC 1928, section 6) that may speak of the target: failure, unreachable, refused, TTL. */
const uncertainReplies = new Set([1, 3, 4, 5, 6]);
const refusedReply = 2;

const reasonOfPhase: Partial<Record<Phase, FailureReason>> = {
  dns: 'dns',
  tcp: 'tcp',
  tls_proxy: 'tls_proxy',
  socks: 'socks',
  connect: 'connect',
  tls_target: 'tls_target',
  body: 'body',
};

/** What is known of an attempt when it fails. */
export interface Seen {
  readonly proxyId: string;
  /** Response bytes came through TLS with the target, so that only the target can have sent them. */
  readonly sealed: boolean;
  readonly headersSeen: boolean;
}

/** Gives an error from below its name, its phase, its reason, and what is certain of its blame. */
export function classify(error: Error, { proxyId, sealed, headersSeen }: Seen): Failure {
  const failure = { outcome: 'failure', blame: 'proxy', error } as const;
  const uncertain = { ...failure, blame: 'unknown', doubt: 'failed' } as const;
  if (error instanceof AttemptTimeoutError) {
    const { phase } = error;
    const timeout = { outcome: 'timeout', phase, reason: 'timeout' } as const;
    // In phase `select` it waited for one of our own connections: the proxy never had it.
    if (phase === 'select') return { ...failure, ...timeout, blame: 'caller' };
    return { ...(proxyPhases.has(phase) ? failure : uncertain), ...timeout };
  }
  if (error instanceof ProxyAuthenticationError) {
    const { phase, statusCode } = error;
    return { ...failure, phase, reason: 'proxy_auth', statusCode };
  }
  if (error instanceof ProxyConnectionError) {
    const { phase, statusCode, retryAfterMs } = error;
    const reason = error.reason ?? reasonOfPhase[phase] ?? 'reset';
    const local = localError(error.cause);
    if (local === 'local') return { ...failure, blame: 'caller', phase, reason };
    if (local === 'network') return { ...uncertain, doubt: 'network', phase, reason };
    // Inside TLS only the target can have sent it.
    if (error.reason === 'protocol' && phase === 'headers' && sealed) {
      return { ...failure, blame: 'target', phase, reason };
    }
    return { ...failure, ...certaintyOf(error), phase, reason, statusCode, retryAfterMs };
  }
  if (error instanceof TargetConnectionError) {
    const { phase } = error;
    // A name that this machine could not resolve says nothing of any proxy.
    if (phase !== 'dns') return { ...uncertain, phase, reason: 'tls_target' };
    const blame = localError(error.cause) === undefined ? 'target' : 'caller';
    return { ...failure, phase, reason: 'dns', blame };
  }
  const code = (error as WhirlError | NodeJS.ErrnoException).code ?? '';
  const broken =
    error.name === 'HTTPParserError' || brokenCodes.has(code) || isParserAssertion(error);
  const phase = headersSeen ? 'body' : 'headers';
  if (!broken && !networkCodes.has(code)) {
    // A bug in a hook, a body that threw, an argument that undici refuses: not the network.
    return { ...failure, blame: 'caller', phase, reason: 'aborted' };
  }
  const timeout = timeoutCodes.has(code);
  const where = headersSeen ? 'in the response body' : 'before the response headers';
  const what = broken ? 'a broken response' : timeout ? 'silence' : 'connection lost';
  return {
    ...(broken && sealed ? { ...failure, blame: 'target' } : uncertain),
    outcome: timeout ? 'timeout' : 'failure',
    phase,
    reason: broken ? 'protocol' : timeout ? 'timeout' : headersSeen ? 'body' : 'reset',
    error: new ProxyConnectionError(`${proxyId}: ${what} ${where} (${code || error.name})`, {
      phase,
      proxyId,
      cause: error,
    }),
  };
}

/** How certain it is that the proxy is to blame for what went wrong on the way to the target. */
function certaintyOf(error: ProxyConnectionError): Pick<Failure, 'blame' | 'doubt'> {
  const { phase, statusCode, socksReply, message, reason, cause } = error;
  const certain = { blame: 'proxy' } as const;
  const uncertain = { blame: 'unknown', doubt: 'failed' } as const;
  if (proxyPhases.has(phase) || (phase === 'connect' && reason === 'protocol')) return certain;
  if (phase === 'connect' && isUsedUp(error)) return certain;
  if (phase === 'connect' && statusCode !== undefined) {
    if (statusCode < 400 || statusCode === 511) return certain;
    return statusCode < 500 ? { blame: 'unknown', doubt: 'refused' } : uncertain;
  }
  // Bytes that are no HTTP, where HTTP was expected.
  if (phase === 'connect' && cause instanceof Error && !('code' in cause)) return certain;
  if (phase === 'socks' && /invalid socks/i.test(message)) return certain;
  if (phase === 'socks' && socksReply !== undefined) {
    if (socksReply === refusedReply) return { blame: 'unknown', doubt: 'refused' };
    return uncertainReplies.has(socksReply) ? uncertain : certain;
  }
  return uncertain;
}

/** An assertion of undici fails on malformed bytes: the sender is to blame, and not the caller. */
function isParserAssertion(error: Error): boolean {
  return error.name === 'AssertionError' && /[\\/]undici[\\/]/.test(error.stack ?? '');
}
