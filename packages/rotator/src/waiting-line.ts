import type { Admission } from './member.ts';
import type { Ask } from './pool.ts';

interface Waiting {
  readonly ask: Ask;
  readonly served: (admission: Admission | undefined, fault?: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/** Requests that wait for a place at a proxy that is at its `maxConcurrent`: first come, first served. */
export class WaitingLine {
  readonly #waiting = new Set<Waiting>();
  readonly #admit: (ask: Ask) => Admission | undefined;
  #woken = false;

  constructor(admit: (ask: Ask) => Admission | undefined) {
    this.#admit = admit;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Calls `served` once: with a place, with undefined after `timeoutMs`, or with what a strategy threw.
   * Returns the way to leave.
   */
  join(ask: Ask, timeoutMs: number, served: Waiting['served']): () => void {
    const leave = () => {
      clearTimeout(waiting.timer);
      this.#waiting.delete(waiting);
    };
    const timer = setTimeout(
      () => {
        leave();
        served(undefined);
      },
      Math.min(timeoutMs, 2 ** 31 - 1),
    );
    const waiting: Waiting = { ask, served, timer };
    this.#waiting.add(waiting);
    return leave;
  }

  /** A place became free. Asked again from a microtask, never inside the call that freed it. */
  wake(): void {
    if (this.#woken || this.#waiting.size === 0) return;
    this.#woken = true;
    queueMicrotask(() => {
      this.#woken = false;
      for (const waiting of [...this.#waiting]) {
        if (!this.#waiting.has(waiting)) continue;
        const { ask } = waiting;
        let admission: Admission | undefined;
        let fault: unknown;
        try {
          admission = this.#admit(ask);
        } catch (thrown) {
          fault = thrown;
        }
        if (admission !== undefined || fault !== undefined) {
          clearTimeout(waiting.timer);
          this.#waiting.delete(waiting);
          waiting.served(admission, fault);
        } else if (ask.proxyId === undefined && ask.tags === undefined) {
          // There was nothing for one that takes any proxy: there is nothing for the rest.
          return;
        }
      }
    });
  }
}
