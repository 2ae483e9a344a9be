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
  /** The caller's, when nothing else can cut the attempt short; an aborted one, when it was cut first. */
  #signal: AbortSignal | undefined;
  #controller: AbortController | undefined;

  constructor(attempt: number, signal: AbortSignal | undefined) {
    this.attempt = attempt;
    this.#signal = signal;
  }

  get signal(): AbortSignal {
    return this.#signal ?? (this.#controller ??= new AbortController()).signal;
  }

  /** Tells the task that its result is no longer wanted. */
  cut(reason: unknown): void {
    if (this.#controller) this.#controller.abort(reason);
    else this.#signal ??= AbortSignal.abort(reason);
  }
}
