import { waitFor } from './event-stream.ts';

/** Milliseconds until the next round, after one that took so long. */
export type Pace = (tookMs: number) => number;

/**
 * Ten times as long as the answers took, between 2 s and 30 s: a page that watches a large pool
 * keeps its server busy for a tenth of the time at most.
 */
export const gentlePace: Pace = (tookMs) => Math.min(30_000, Math.max(2000, 10 * tookMs));

export interface Polling {
  /** Begins the next round now, or right after the running one. */
  wake(): void;
  stop(): void;
}

export interface PollingOptions {
  /** One round; its failures are its own. */
  readonly round: () => Promise<void>;
  /** Whether a round is worth making now; a skipped one is asked about again. */
  readonly wanted: () => boolean;
  readonly pace?: Pace;
  readonly now?: () => number;
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Makes rounds one after the other, never two at a time. */
export function startPolling(options: PollingOptions): Polling {
  const { round, wanted, pace = gentlePace, wait = waitFor } = options;
  const now = options.now ?? (() => performance.now());
  const stopping = new AbortController();
  let waking = new AbortController();

  const run = async () => {
    while (!stopping.signal.aborted) {
      waking = new AbortController();
      const startedAt = now();
      if (wanted()) await round();
      const delay = pace(now() - startedAt);
      await wait(delay, AbortSignal.any([stopping.signal, waking.signal]));
    }
  };
  void run();
  return { wake: () => waking.abort(), stop: () => stopping.abort() };
}
