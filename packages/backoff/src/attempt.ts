/** What a task is told. */
export interface TaskContext {
  /** 0 for the first try. */
  readonly attempt: number;
  /**
   * Aborted, with the reason, when the attempt is cut short: by its own timeout, by the total one or by
   * the caller. Pass it on to whatever can stop. It is the caller's own signal when there is no
   * timeout, and otherwise made when it is first read (an AbortController costs microseconds).
   */
  readonly signal: AbortSignal;
}

/** One call of a task. */
export class Attempt implements TaskContext {
  declare readonly attempt: number;
  /** The caller's, when nothing else can cut the attempt short. */
  readonly #signal: AbortSignal | undefined;
  #controller: AbortController | undefined;
  /** Why it was cut short. */
  #reason: unknown;

  constructor(attempt: number, signal: AbortSignal | undefined) {
    this.attempt = attempt;
    this.#signal = signal;
  }

  get signal(): AbortSignal {
    if (this.#signal) return this.#signal;
    const controller = (this.#controller ??= new AbortController());
    // The second abort of a signal does nothing.
    if (this.#reason !== undefined) controller.abort(this.#reason);
    return controller.signal;
  }

  /** Tells the task that its result is no longer wanted. */
  cut(reason: unknown): void {
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}
