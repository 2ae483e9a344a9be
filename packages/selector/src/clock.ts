/**
 * Epoch milliseconds at which the process started. Read once, as a number: the fake timers of test
 * runners put a function in its place. Where they came first, it is computed.
 */
const timeOrigin = /* @__PURE__ */ (() =>
  +performance.timeOrigin || Date.now() - performance.now())();

/** Epoch milliseconds that never step back. */
export const defaultNow = (): number => timeOrigin + performance.now();
