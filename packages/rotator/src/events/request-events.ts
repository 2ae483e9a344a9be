import type { FailureReason, Outcome, RetryRefusalReason, WhirlBus } from '@whirl/events';

/** The request that is spoken of. */
interface ToldRequest {
  readonly id: string;
  readonly method: string;
  readonly origin: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
}

/** Says on the bus what becomes of one request. */
export class RequestEvents {
  readonly #bus: WhirlBus;
  readonly #now: () => number;
  readonly #request: ToldRequest;

  constructor(
    { bus, now }: { readonly bus: WhirlBus; readonly now: () => number },
    request: ToldRequest,
  ) {
    this.#bus = bus;
    this.#now = now;
    this.#request = request;
  }

  start(): void {
    if (this.#bus.has('request:start')) {
      const { id: requestId, method, origin, startedAt: at } = this.#request;
      this.#bus.emit('request:start', { requestId, method, origin, at });
    }
  }

  retryScheduled(
    attempt: number,
    failedProxyId: string,
    delayMs: number,
    reason: FailureReason,
  ): void {
    if (!this.#bus.has('retry:scheduled')) return;
    const { id: requestId } = this.#request;
    const at = this.#now();
    this.#bus.emit('retry:scheduled', { requestId, attempt, failedProxyId, delayMs, reason, at });
  }

  retryRefused(attempt: number, reason: RetryRefusalReason): void {
    if (!this.#bus.has('retry:refused')) return;
    const { id: requestId } = this.#request;
    this.#bus.emit('retry:refused', { requestId, attempt, reason, at: this.#now() });
  }

  end(
    outcome: Outcome,
    attemptCount: number,
    statusCode: number | undefined,
    error: Error | undefined,
    policyName: string | undefined,
  ): void {
    if (!this.#bus.has('request:end')) return;
    const at = this.#now();
    const { id: requestId, method, origin, startedAt } = this.#request;
    this.#bus.emit('request:end', {
      requestId,
      method,
      origin,
      outcome,
      attemptCount,
      statusCode,
      errorCode: codeOf(error),
      durationMs: at - startedAt,
      policyName,
      at,
    });
  }
}

/** An error's code, if it is a text: DOMException's is a number. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
