/** How long to wait before each retry: immutable, stateless, O(1). Write your own by this shape. */
export interface Backoff {
  /**
   * Milliseconds to wait before a retry.
   *
   * @param retry Which retry, from 0. A RangeError unless it is a whole number of at least 0.
   * @param previousMs The delay before the retry before. Only `decorrelated` jitter reads it; left
   *   out, it is `baseMs`.
   */
  delay(retry: number, previousMs?: number): number;
}

/** 2^31 − 1 ms, 24.8 days: above it `setTimeout` fires at once. No delay is longer. */
export const longestDelayMs = 2 ** 31 - 1;
