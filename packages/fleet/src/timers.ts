/** `setTimeout` and `clearTimeout`, or those of a virtual clock. */
export interface Timers {
  setTimeout(call: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

export const systemTimers: Timers = {
  setTimeout(call, ms) {
    const timer = setTimeout(call, ms);
    // A fleet keeps no process alive.
    timer.unref();
    return timer;
  },
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};
