import type { Blame, Outcome } from '@whirl/events';
import type { CandidatePool } from './candidate-pool.ts';
import type { TargetMemory } from './target-memory.ts';

/** A timeout says more than a failure, and was longer in coming. */
const timeoutWeight = 2;

/** Teaches what is known of candidates by the outcomes of their attempts. */
export class Lessons {
  readonly #pool: CandidatePool;
  readonly #targets: TargetMemory;

  constructor(pool: CandidatePool, targets: TargetMemory) {
    this.#pool = pool;
    this.#targets = targets;
  }

  /** An attempt through the candidate ended. Everything about it has been checked. */
  learn(
    slot: number,
    outcome: Outcome,
    latencyMs: number,
    target: string | undefined,
    blame: Blame,
  ): void {
    const lesson = lessonOf(outcome, blame);
    if (lesson === 'nothing') return;
    const { outcomes, table, now } = this.#pool;
    const success = lesson === 'success';
    if (lesson === 'route') outcomes.routeFailed(slot);
    else this.#pool.record(slot, success, outcome === 'timeout' ? timeoutWeight : 1, latencyMs);
    if (target === undefined) return;
    const id = table.id(slot);
    if (success) this.#targets.succeeded(target, id, now);
    else if (lesson === 'route') this.#targets.routeFailed(target, id, now);
    else this.#targets.failed(target, id, now, outcomes.successes(slot));
  }
}

/** What the end of an attempt teaches about its candidate. */
type Lesson = 'success' | 'failure' | 'route' | 'nothing';

/**
 * A candidate is judged by what it is to blame for. A failed route says nothing of the candidate elsewhere,
 * whatever the outcome: a response that only this candidate gets from a target is one as well. An outcome that
 * may be the target's or the caller's is no success either.
 */
function lessonOf(outcome: Outcome, blame: Blame): Lesson {
  if (outcome === 'aborted' || outcome === 'circuit_open') return 'nothing';
  switch (blame) {
    case 'none':
      return outcome === 'success' ? 'success' : 'nothing';
    case 'proxy':
      return outcome === 'success' ? 'success' : 'failure';
    case 'route':
      return 'route';
    default:
      return 'nothing';
  }
}
