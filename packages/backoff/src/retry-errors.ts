/** The whole of a retry did not end within `timeoutMs`. `cause` is the last failure, if there was one. */
export class RetryTimeoutError extends Error {
  override readonly name = 'RetryTimeoutError';
  readonly code = 'REQUEST_TIMEOUT';
}

/** One attempt did not end within `attemptTimeoutMs`. A failure like any other: it may be retried. */
export class RetryAttemptTimeoutError extends Error {
  override readonly name = 'RetryAttemptTimeoutError';
  readonly code = 'ATTEMPT_TIMEOUT';
}

/**
 * Thrown by a task to end its retry, whatever the options say: `retry()` rejects with the cause itself.
 * It is known by its code, so that it may come from another copy of this package.
 */
export class AbortRetry extends Error {
  override readonly name = 'AbortRetry';
  readonly code = 'ABORT_RETRY';
  constructor(cause: unknown) {
    super('not worth another attempt', { cause });
  }
}
