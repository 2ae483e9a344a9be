/** How long to wait before each retry: immutable, stateless, O(1). Write your own by this shape. */
export interface Backoff {
  /**
   * Milliseconds to wait before a retry.
   *
   * @param retry Which retry, from 0: a whole number. A RangeError if it is negative or not finite,
   *   a TypeError if it is no number.
   * @param previousMs The delay before the retry before. Only `decorrelated` jitter reads it; left
   *   out, it is `baseMs`; one above the cap counts as the cap.
   */
  delay(retry: number, previousMs?: number): number;
}

/** 2^31 − 1 ms, 24.8 days: above it `setTimeout` fires at once. No delay is longer. */
export const longestDelayMs = 2 ** 31 - 1;
