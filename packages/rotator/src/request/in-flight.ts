import type { Outcome } from '@whirl/events';
import { LinkedList, type Linked } from '../linked-list.ts';

/** A request that has not ended. */
export interface RunningRequest extends Linked<RunningRequest> {
  readonly id: string;
  readonly method: string;
  readonly origin: string;
  /** The number of the attempt begun last, 0 before the first. */
  readonly attempt: number;
  /** Of the attempt begun last. */
  readonly proxyId: string | undefined;
  /** Epoch ms at which the next attempt begins, while one is waited for. */
  readonly nextRetryAt: number | undefined;
  /** Ends it from outside. */
  end(outcome: Extract<Outcome, 'aborted' | 'timeout' | 'failure'>, error: Error): void;
}

/** The requests that have not ended, in the order of their start. */
export class InFlight extends LinkedList<RunningRequest> {}
