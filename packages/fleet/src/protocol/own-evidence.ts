import { bucketOf, buckets, type EvidenceRow, type SyncRequest } from '../store.ts';
import type { SharedPrior } from '../shared-pool.ts';

/** A newcomer reads so many parts at a time, until it has read them all. */
const bucketsAtOnce = 16;
/** Then one a second, in turn; sooner where the parts would end before their turn comes again. */
const readEveryMs = 1000;
/** Rows told in one sync. */
const maxRows = 500;

interface Sums {
  successes: number;
  failures: number;
  totalMs: number;
  run: number;
}

/** Outcomes of this process since they were last told, by the part of the evidence that they belong to. */
export class OwnEvidence {
  readonly #sums: Map<string, Sums>[] = Array.from({ length: buckets }, () => new Map());
  readonly #perSync: number;
  readonly #readEveryMs: number;
  #writeTurn = 0;
  #readTurn = 0;
  /** Parts that are still to be read before the turns begin. */
  #unread = buckets;
  #readAt = -Infinity;

  constructor({
    intervalMs,
    evidenceIntervalMs,
    keyTtlMs,
  }: {
    intervalMs: number;
    evidenceIntervalMs: number;
    keyTtlMs: number;
  }) {
    this.#readEveryMs = Math.min(readEveryMs, keyTtlMs / (2 * buckets));
    this.#perSync = Math.ceil((buckets * intervalMs) / evidenceIntervalMs);
  }

  /** Whether there is more to read at once. */
  get isNew(): boolean {
    return this.#unread > 0;
  }

  /** `id` as the store knows it. */
  ended(id: string, success: boolean, latencyMs: number): void {
    const part = this.#sums[bucketOf(id)] as Map<string, Sums>;
    const sums = part.get(id) ?? { successes: 0, failures: 0, totalMs: 0, run: 0 };
    if (success) {
      sums.successes++;
      sums.totalMs += latencyMs;
      sums.run = Math.min(Math.max(sums.run, 0) + 1, 100);
    } else {
      sums.failures++;
      sums.run = Math.max(Math.min(sums.run, 0) - 1, -100);
    }
    part.set(id, sums);
  }

  /** Failures may be this process's own: they are not told. */
  withdraw(): void {
    for (const part of this.#sums) part.clear();
  }

  take(now: number): Pick<SyncRequest, 'evidence' | 'buckets'> {
    const evidence: (EvidenceRow & { bucket: number })[] = [];
    for (let i = 0; i < this.#perSync && evidence.length < maxRows; i++) {
      const bucket = this.#writeTurn++ % buckets;
      const part = this.#sums[bucket] as Map<string, Sums>;
      for (const [id, { successes, failures, totalMs, run }] of part) {
        const successMs = successes && Math.round(totalMs / successes);
        part.delete(id);
        // The rest of a part waits for its next turn: a script takes a few thousand values at once, and no more.
        if (evidence.push({ bucket, id, successes, failures, successMs, run }) >= maxRows) break;
      }
    }
    return { evidence, buckets: this.#toRead(now) };
  }

  /** These were not read: a newcomer reads them after all. */
  unread({ length }: readonly number[]): void {
    if (length < 2) return;
    this.#unread += length;
    this.#readTurn -= length;
  }

  #toRead(now: number): number[] {
    const due = Math.floor((now - this.#readAt) / this.#readEveryMs);
    const count = Math.min(bucketsAtOnce, this.#unread || due);
    if (count > 0) this.#readAt = now;
    this.#unread = Math.max(0, this.#unread - count);
    return Array.from({ length: count }, () => this.#readTurn++ % buckets);
  }
}

/** Whether these are numbers of attempts: others may write there. */
export function isEvidence({ successes, failures, successMs }: EvidenceRow): boolean {
  return [successes, failures, successMs].every((value) => value >= 0 && value <= 1e12);
}

/** What the store has of a proxy, as a prior: one that failed twice in a row at the end is no good one any more. */
export function priorOf(
  id: string,
  { successes, failures, successMs, run }: EvidenceRow,
): SharedPrior {
  const weight = successes + failures;
  return {
    id,
    successRate: run < -1 ? 1 / (1 - run) : weight > 0 ? successes / weight : 0,
    successMs: successes > 0 ? successMs : undefined,
    weight,
  };
}
