import type { FailureReason, Outcome, RetryRefusalReason, WhirlBus } from '@whirl/events';

/** Says on the bus what becomes of one request. */
export class RequestFacts {
  readonly #bus: WhirlBus;
  readonly #now: () => number;
  readonly #common: {
    readonly requestId: string;
    readonly method: string;
    readonly origin: string;
  };
  readonly #startedAt: number;

  constructor(
    { bus, now }: { readonly bus: WhirlBus; readonly now: () => number },
    common: { readonly requestId: string; readonly method: string; readonly origin: string },
    startedAt: number,
  ) {
    this.#bus = bus;
    this.#now = now;
    this.#common = common;
    this.#startedAt = startedAt;
  }

  start(): void {
    if (this.#bus.has('request:start')) {
      const { requestId, method, origin } = this.#common;
      this.#bus.emit('request:start', { requestId, method, origin, at: this.#startedAt });
    }
  }

  retryScheduled(
    attempt: number,
    failedProxyId: string,
    delayMs: number,
    reason: FailureReason,
  ): void {
    if (!this.#bus.has('retry:scheduled')) return;
    const { requestId } = this.#common;
    const at = this.#now();
    this.#bus.emit('retry:scheduled', { requestId, attempt, failedProxyId, delayMs, reason, at });
  }

  retryRefused(attempt: number, reason: RetryRefusalReason): void {
    if (!this.#bus.has('retry:refused')) return;
    const { requestId } = this.#common;
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
    const { requestId, method, origin } = this.#common;
    this.#bus.emit('request:end', {
      requestId,
      method,
      origin,
      outcome,
      attemptCount,
      statusCode,
      errorCode: codeOf(error),
      durationMs: at - this.#startedAt,
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
