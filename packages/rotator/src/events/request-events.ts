import type { Outcome, RetryRefusalReason, RetryScheduled, WhirlBus } from '@whirl/events';

/** The request that is spoken of. */
interface ToldRequest {
  readonly id: string;
  readonly method: string;
  readonly origin: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
}

/** The same at its end. */
interface EndedRequest extends ToldRequest {
  readonly policy: { readonly name?: string | undefined };
  readonly attemptCount: number;
}

/** Where it is told, and by which clock. */
interface Told {
  readonly bus: WhirlBus;
  readonly now: () => number;
}

/** A request begins. */
export function tellStart({ bus }: Told, request: ToldRequest): void {
  if (!bus.has('request:start')) return;
  const { id: requestId, method, origin, startedAt: at } = request;
  bus.emit('request:start', { requestId, method, origin, at });
}

/** Another attempt follows, `delayMs` from now. */
export function tellRetry(
  { bus, now }: Told,
  { id: requestId }: ToldRequest,
  retry: Pick<RetryScheduled, 'attempt' | 'failedProxyId' | 'delayMs' | 'reason'>,
): void {
  if (bus.has('retry:scheduled')) bus.emit('retry:scheduled', { requestId, ...retry, at: now() });
}

/** No attempt follows one that failed. */
export function tellRefusal(
  { bus, now }: Told,
  { id: requestId }: ToldRequest,
  attempt: number,
  reason: RetryRefusalReason,
): void {
  if (bus.has('retry:refused'))
    bus.emit('retry:refused', { requestId, attempt, reason, at: now() });
}

/** It has ended, at an instant in epoch milliseconds. */
export function tellEnd(
  { bus }: Told,
  { id: requestId, method, origin, startedAt, attemptCount, policy }: EndedRequest,
  outcome: Outcome,
  statusCode: number | undefined,
  error: Error | undefined,
  at: number,
): void {
  if (!bus.has('request:end')) return;
  bus.emit('request:end', {
    requestId,
    method,
    origin,
    outcome,
    attemptCount,
    statusCode,
    errorCode: codeOf(error),
    durationMs: at - startedAt,
    policyName: policy.name,
    at,
  });
}

/** An error's code, if it is a text: DOMException's is a number. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
