import type { CircuitState } from '@whirl/events';

function setStackTraceLimit(limit: number): void {
  try {
    Error.stackTraceLimit = limit;
  } catch {
    // Read-only, as frozen intrinsics are.
  }
}

/**
 * What `execute` rejects with when the circuit refuses the call. No stack is captured: refusals
 * are frequent, and a stack trace would cost more than all the rest of one. `cause` is the
 * failure that opened the circuit, if it was one of a call that `execute` made.
 */
export class CircuitOpenError extends Error {
  readonly code = 'CIRCUIT_OPEN';
  /** The breaker's name. */
  declare readonly circuit: string;
  declare readonly state: CircuitState;
  /** Milliseconds until a test may be admitted; undefined when no time lifts it (`forced_open`). */
  declare readonly retryAfterMs: number | undefined;

  override get name(): string {
    return 'CircuitOpenError';
  }

  constructor(circuit: string, state: CircuitState, retryAfterMs?: number, cause?: unknown) {
    const limit = Error.stackTraceLimit;
    setStackTraceLimit(0);
    super(`circuit ${circuit} is ${state}`, cause === undefined ? cause : { cause });
    setStackTraceLimit(limit);
    this.circuit = circuit;
    this.state = state;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What `execute` rejects with when a call takes longer than its `timeoutMs`. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
  readonly code = 'ATTEMPT_TIMEOUT';
}
