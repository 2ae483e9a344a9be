import type { Blame, Outcome } from '@whirl/events';

/** How one attempt of a request ended. */
export interface AttemptRecord {
  /** 0 for the first try. */
  readonly attempt: number;
  readonly proxyId: string;
  readonly outcome: Outcome;
  /** What is to blame for a failure; `none` for a success. */
  readonly blame: Blame;
  /** Why it failed. */
  readonly message?: string | undefined;
  readonly statusCode?: number | undefined;
  readonly errorCode?: string | undefined;
  /** Milliseconds to the response headers, or to the failure. */
  readonly latencyMs: number;
  /** Milliseconds waited before this attempt. */
  readonly delayBeforeMs: number;
}
