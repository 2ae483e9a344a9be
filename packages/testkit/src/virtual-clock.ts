export interface VirtualClock {
  /** Epoch milliseconds. */
  now(): number;
  /** Lets time pass, firing what is due in order. */
  advance(ms: number): void;
  setTimeout(call: () => void, ms: number): number;
  clearTimeout(id: number): void;
}

/** A clock that stands still until it is told. */
export function createVirtualClock(startMs = 1_700_000_000_000): VirtualClock {
  let at = startMs;
  let ids = 0;
  const timers = new Map<number, { at: number; call: () => void }>();
  return {
    now: () => at,
    advance(ms) {
      const end = at + ms;
      for (;;) {
        let next: number | undefined;
        for (const [id, timer] of timers) {
          if (timer.at > end) continue;
          if (next === undefined || timer.at < (timers.get(next)?.at ?? Infinity)) next = id;
        }
        if (next === undefined) break;
        const timer = timers.get(next);
        timers.delete(next);
        at = Math.max(at, timer?.at ?? at);
        timer?.call();
      }
      at = end;
    },
    setTimeout(call, ms) {
      timers.set(++ids, { at: at + ms, call });
      return ids;
    },
    clearTimeout: (id) => void timers.delete(id),
  };
}
