/**
 * How a delay is spread, with d the capped delay (source: AWS Architecture Blog, "Exponential
 * Backoff And Jitter"): `none` d · `full` U[0, d] · `equal` U[d/2, d] · `proportional`
 * U[d/2, min(1.5d, cap)] · `decorrelated` min(cap, U[base, max(base, 3·previous)]).
 */
export type Jitter = 'none' | 'proportional' | 'full' | 'equal' | 'decorrelated';

export interface Spread {
  readonly jitter: Jitter;
  readonly baseMs: number;
  readonly maxMs: number;
  readonly random: () => number;
}

/** Applies a jitter to an already capped delay. The result is never above the cap. */
export function spread(
  delayMs: number,
  { jitter, baseMs, maxMs, random }: Spread,
  previousMs = baseMs,
): number {
  switch (jitter) {
    case 'none':
      return delayMs;
    case 'full':
      return random() * delayMs;
    case 'equal':
      return delayMs / 2 + (random() * delayMs) / 2;
    case 'proportional': {
      const low = delayMs / 2;
      return low + random() * (Math.min(1.5 * delayMs, maxMs) - low);
    }
    case 'decorrelated': {
      const high = Math.max(baseMs, 3 * previousMs);
      return Math.min(maxMs, baseMs + random() * (high - baseMs));
    }
  }
}
