import type { CircuitState } from '@whirl/events';

/**
 * What `execute` rejects with when the circuit refuses the call. No stack is captured: a refusal is
 * an everyday answer, and a stack trace would cost more than all the rest of it.
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

  constructor(circuit: string, state: CircuitState, retryAfterMs?: number) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(`circuit ${circuit} is ${state}`);
    Error.stackTraceLimit = limit;
    this.circuit = circuit;
    this.state = state;
    this.retryAfterMs = retryAfterMs;
  }
}
