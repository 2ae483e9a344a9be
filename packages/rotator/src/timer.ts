/** The longest delay that a timer takes; beyond it would fire at once. */
export const maxTimerMs = 2 ** 31 - 1;
