import type { AttemptEnd, FailureReason } from '@whirl/events';

/**
 * Why an attempt failed, `undefined` after a success. The emitter's own word where it gave one;
 * otherwise the nearest that outcome and phase allow, so that failures by reason always add up to
 * the failed attempts.
 */
export function failureReason(event: AttemptEnd): FailureReason | undefined {
  const { outcome, reason, phase } = event;
  if (outcome === 'success') return undefined;
  if (reason !== undefined) return reason;
  if (outcome === 'timeout') return 'timeout';
  if (outcome === 'aborted') return 'aborted';
  if (phase === 'headers') return event.statusCode === undefined ? 'reset' : 'status';
  if (phase === 'body') return event.statusCode === undefined ? 'body' : 'status';
  if (phase === 'select') return 'banned';
  return phase;
}
