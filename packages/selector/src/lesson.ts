import type { Blame, Outcome } from '@whirl/events';

/** What the end of an attempt teaches about its candidate. */
export type Lesson = 'success' | 'failure' | 'route' | 'nothing';

/**
 * A candidate is judged by what it is to blame for. A failed route says nothing of the candidate elsewhere,
 * whatever the outcome: a response that only this candidate gets from a target is one as well. An outcome that
 * may be the target's or the caller's is no success either.
 */
export function lessonOf(outcome: Outcome, blame: Blame): Lesson {
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
