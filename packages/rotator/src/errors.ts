import type { Phase } from '@whirl/events';
import type { AttemptRecord } from './attempt-record.ts';
import { reasonsOf } from './failure-words.ts';

export type WhirlErrorCode =
  | 'PROXY_CONNECTION'
  | 'PROXY_AUTHENTICATION'
  | 'TARGET_CONNECTION'
  | 'ATTEMPT_TIMEOUT'
  | 'REQUEST_TIMEOUT'
  | 'ALL_PROXIES_UNAVAILABLE'
  | 'NO_PROXIES'
  | 'PROXIES_BUSY'
  | 'RETRIES_EXHAUSTED'
  | 'INVALID_PROXY'
  | 'INVALID_POLICY'
  | 'INVALID_REQUEST'
  | 'FETCH_BYPASSED'
  | 'CLOSED';

/** The base of every error that this package makes. `code` is stable. */
export class WhirlError extends Error {
  readonly code: WhirlErrorCode;
  /** The attempts made so far, when the error ended a request. */
  attempts: readonly AttemptRecord[] = [];

  constructor(code: WhirlErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.name = new.target.name;
  }
}

/** Adds to an error's message, and to its stack, why no attempt followed. */
export function withReason(error: WhirlError, reason: string): WhirlError {
  const { message, stack } = error;
  error.message = `${message}; ${reason}`;
  if (stack !== undefined) error.stack = stack.replace(message, () => error.message);
  return error;
}

export interface ConnectionFailure {
  readonly phase: Phase;
  readonly proxyId: string;
  /** Of the proxy's response to CONNECT. */
  readonly statusCode?: number | undefined;
  readonly retryAfterMs?: number | undefined;
  /** The code in a SOCKS5 proxy's refusal, 1 to 8 (RFC 1928, section 6). */
  readonly socksReply?: number | undefined;
  /** The fields of the response that refused a CONNECT. */
  readonly connectHeaders?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** The beginning of its body. */
  readonly connectBody?: string | undefined;
  /** The authentication schemes that the proxy asks for. */
  readonly schemes?: readonly string[] | undefined;
  /** `protocol`: the proxy did not keep to HTTP. */
  readonly reason?: 'protocol' | undefined;
  readonly cause?: unknown;
}

/** The way to the target through this proxy failed: see `phase`. */
export class ProxyConnectionError extends WhirlError {
  readonly phase: Phase;
  readonly proxyId: string;
  readonly statusCode: number | undefined;
  readonly retryAfterMs: number | undefined;
  /** The code in a SOCKS5 proxy's refusal, 1 to 8 (RFC 1928, section 6). */
  readonly socksReply: number | undefined;
  /** The fields of the response to CONNECT by which the proxy refused, at most 16 KiB, without secrets. */
  readonly connectHeaders: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** The first 4 KiB of its body, as text, without secrets: providers say there why. */
  readonly connectBody: string | undefined;
  /** `protocol`: the proxy did not keep to HTTP. Otherwise the phase says what failed. */
  readonly reason: 'protocol' | undefined;

  constructor(message: string, failure: ConnectionFailure) {
    super('PROXY_CONNECTION', message, failure);
    this.phase = failure.phase;
    this.proxyId = failure.proxyId;
    this.statusCode = failure.statusCode;
    this.retryAfterMs = failure.retryAfterMs;
    this.socksReply = failure.socksReply;
    this.connectHeaders = failure.connectHeaders;
    this.connectBody = failure.connectBody;
    this.reason = failure.reason;
  }
}

/** The proxy wants other credentials: 407, 401 to CONNECT, or a refusal in the SOCKS handshake. */
export class ProxyAuthenticationError extends WhirlError {
  readonly phase: Phase;
  readonly proxyId: string;
  readonly statusCode: number | undefined;
  /** The schemes that it asks for, as it writes them (`Basic`, `Digest`, …); empty when it names none. */
  readonly schemes: readonly string[];
  /** The fields of the response to CONNECT by which the proxy refused, at most 16 KiB, without secrets. */
  readonly connectHeaders: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** The first 4 KiB of its body, as text, without secrets: providers say there why. */
  readonly connectBody: string | undefined;

  constructor(message: string, failure: ConnectionFailure) {
    super('PROXY_AUTHENTICATION', message, failure);
    this.phase = failure.phase;
    this.proxyId = failure.proxyId;
    this.statusCode = failure.statusCode;
    this.schemes = failure.schemes ?? [];
    this.connectHeaders = failure.connectHeaders;
    this.connectBody = failure.connectBody;
  }
}

/** The tunnel was good, but the TLS handshake with the target was not. */
export class TargetConnectionError extends WhirlError {
  readonly phase: Phase;
  readonly proxyId: string;

  constructor(message: string, failure: ConnectionFailure) {
    super('TARGET_CONNECTION', message, failure);
    this.phase = failure.phase;
    this.proxyId = failure.proxyId;
  }
}

/** What an attempt waited for in vain. */
export type Awaited =
  | 'no connection'
  | 'no first byte'
  | 'no more of the request body'
  | 'no response headers'
  | 'no more of the response body';

/**
 * One attempt had no connection within `connectTimeoutMs`, no response headers within
 * `attemptTimeoutMs`, no more of the body within `bodyTimeoutMs`, or (of a tunnel) no first byte within
 * `firstByteMs`: see `phase` and the message.
 */
export class AttemptTimeoutError extends WhirlError {
  readonly phase: Phase;
  readonly proxyId: string;

  /** `awaited`: what did not come in time. `unread`: connections that unread bodies hold. */
  constructor(
    timeoutMs: number,
    phase: Phase,
    proxyId: string,
    awaited: Awaited = 'no response headers',
    unread = 0,
  ) {
    super(
      'ATTEMPT_TIMEOUT',
      unread === 0
        ? `${awaited} through ${proxyId} within ${timeoutMs} ms (${phase})`
        : `no connection through ${proxyId} became free within ${timeoutMs} ms (${phase}): ` +
            `${unread} of them are held by responses whose bodies were not read to the end`,
    );
    this.phase = phase;
    this.proxyId = proxyId;
  }
}

/** The whole request did not end within `timeoutMs`. */
export class RequestTimeoutError extends WhirlError {
  constructor(timeoutMs: number, attempts: readonly AttemptRecord[], cause?: unknown) {
    const what = `the request did not end within ${timeoutMs} ms`;
    super('REQUEST_TIMEOUT', what + reasonsOf(attempts), { cause });
    this.attempts = attempts;
  }
}

/** No proxy may be used now. `code` tells why: circuits, an empty pool, or all of them busy. */
export class AllProxiesUnavailableError extends WhirlError {
  readonly statusCode = 503;
  /** Milliseconds until the first circuit is due for a test; undefined when none will be. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: 'ALL_PROXIES_UNAVAILABLE' | 'NO_PROXIES' | 'PROXIES_BUSY',
    message: string,
    retryAfterMs?: number,
  ) {
    super(code, message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** The last attempt that the policy allows failed. `cause` is that attempt's error. */
export class RetriesExhaustedError extends WhirlError {
  constructor(attempts: readonly AttemptRecord[], cause: unknown) {
    const n = attempts.length;
    const what = `gave up after ${n} attempt${n === 1 ? '' : 's'}`;
    super('RETRIES_EXHAUSTED', what + reasonsOf(attempts), { cause });
    this.attempts = attempts;
  }
}

/** An entry of a list that is not a proxy. */
export interface ProxyIssue {
  /** The line of a text, from 1; of a list in memory and of JSON on one line the number of the entry. */
  readonly line: number;
  /** At most 299 characters. Never holds a password. */
  readonly reason: string;
}

/** A proxy, or a list of them, that cannot be used as given. The message never holds a password. */
export class InvalidProxyError extends WhirlError {
  /** Of a list: the first 20 entries that are not proxies, in their order. */
  readonly issues: readonly ProxyIssue[];
  /** Of a list: how many there are. */
  readonly issueCount: number;

  constructor(
    message: string,
    {
      issues = [],
      issueCount = issues.length,
    }: { issues?: readonly ProxyIssue[]; issueCount?: number } = {},
  ) {
    super('INVALID_PROXY', message);
    this.issues = issues;
    this.issueCount = issueCount;
  }
}

/** A retry policy out of its bounds; `issues` names each field. */
export class InvalidPolicyError extends WhirlError {
  readonly issues: readonly { readonly field: string; readonly message: string }[];

  constructor(issues: readonly { field: string; message: string }[]) {
    super(
      'INVALID_POLICY',
      `invalid retry policy: ${issues.map((i) => `${i.field}: ${i.message}`).join('; ')}`,
    );
    this.issues = issues;
  }
}

/** A request that can never be sent, or a body that is not what it has to be. */
export class InvalidRequestError extends WhirlError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('INVALID_REQUEST', message, options);
  }
}

/**
 * The global fetch was replaced by one that did not send this request through the rotator: it has an
 * response of its own (a mock, a cache), or went to the target by itself. The response was thrown away.
 */
export class FetchBypassedError extends WhirlError {
  constructor() {
    super(
      'FETCH_BYPASSED',
      'the global fetch was replaced, and the replacement did not send this request through the rotator',
    );
  }
}

/** The rotator was closed. */
export class ClosedError extends WhirlError {
  constructor() {
    super('CLOSED', 'the rotator is closed');
  }
}
