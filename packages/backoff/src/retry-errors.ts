/** The whole of a retry did not end within `timeoutMs`. `cause` is the last failure, if there was one. */
export class RetryTimeoutError extends Error {
  override readonly name = 'RetryTimeoutError';
  readonly code = 'REQUEST_TIMEOUT';
  constructor(timeoutMs: number, cause: unknown) {
    super(`did not end within ${timeoutMs} ms`, { cause });
  }
}

/** One attempt did not end within `attemptTimeoutMs`. A failure like any other: it may be retried. */
export class AttemptTimeoutError extends Error {
  override readonly name = 'AttemptTimeoutError';
  readonly code = 'ATTEMPT_TIMEOUT';
  constructor(timeoutMs: number) {
    super(`did not end within ${timeoutMs} ms`);
  }
}
