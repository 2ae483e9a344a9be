import type { RetryScheduled } from '@whirl/events';
import { failureReasonIndex } from './label-sets.ts';

/** Scheduled retries remembered at most; beyond it the oldest is forgotten. */
const maxPending = 10_000;
const maxIdLength = 64;

/**
 * Why the retries were scheduled that have not ended yet. A scheduled retry becomes a retry when it
 * is attempted, and only then is its reason counted.
 */
export class PendingRetries {
  /** Attempt and reason in one number. */
  readonly #scheduled = new Map<string, number>();

  schedule({ requestId, attempt, reason }: RetryScheduled): void {
    if (requestId.length > maxIdLength) return;
    if (this.#scheduled.size >= maxPending && !this.#scheduled.has(requestId)) {
      for (const oldest of this.#scheduled.keys()) {
        this.#scheduled.delete(oldest);
        break;
      }
    }
    this.#scheduled.set(requestId, attempt * 16 + failureReasonIndex[reason]);
  }

  /** The number of the reason for which this attempt was scheduled, and forgets it. */
  take(requestId: string, attempt: number): number | undefined {
    const scheduled = this.#scheduled.get(requestId);
    if (scheduled === undefined || Math.floor(scheduled / 16) !== attempt) return undefined;
    this.#scheduled.delete(requestId);
    return scheduled % 16;
  }

  /** The request ended: what was scheduled for it never began. */
  forget(requestId: string): void {
    if (this.#scheduled.size > 0) this.#scheduled.delete(requestId);
  }
}
