import { longestDelayMs } from './backoff.ts';

/**
 * Waits for what `begin` promises. After `ms` it rejects with what `late` returns, or resolves if there
 * is none; when the signal is aborted, it rejects with the reason itself. Whichever is first, no timer
 * and no listener is left. Infinite `ms` makes no timer.
 */
export async function wait<T>(
  ms: number,
  signal: AbortSignal | undefined,
  begin?: () => Promise<T>,
  late?: () => Error,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let onAbort!: () => void;
  try {
    return await new Promise<T>((resolve, reject) => {
      onAbort = () => reject(signal?.reason as Error);
      // Both stand before anything is begun: that may abort, or block for long, before it returns.
      signal?.addEventListener('abort', onAbort);
      if (ms < Infinity) {
        timer = setTimeout(
          () => (late ? reject(late()) : (resolve as () => void)()),
          Math.min(ms, longestDelayMs),
        );
      }
      begin?.().then(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}
