import type { Outcome } from '@whirl/events';
import type { Failure } from '../blame/failure.ts';
import type { RawHeaders, UpgradeSocket } from '../message/undici-handler.ts';
import type { SentRequest } from './sending-attempt.ts';

/** The request that an attempt belongs to, and what it does with a response. */
export interface AttemptListener<Attempt> extends SentRequest {
  /** The caller has paused the response. */
  readonly paused: boolean;
  /**
   * What to do once a response that counts as a failure has been discarded. Undefined: no other attempt can
   * take over, and the response is passed on.
   */
  successorOf(attempt: Attempt, failure: Failure): (() => void) | undefined;
  attemptFailed(attempt: Attempt, failure: Failure): void;
  forwardStart(attempt: Attempt, statusCode: number, headers: RawHeaders, statusText: string): void;
  forwardData(chunk: Buffer): void;
  /** `at`: epoch milliseconds. */
  forwardEnd(outcome: Outcome, trailers: RawHeaders, at: number): void;
  upgraded(attempt: Attempt, statusCode: number, headers: RawHeaders, socket: UpgradeSocket): void;
}
