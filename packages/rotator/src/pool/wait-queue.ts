import type { Admission } from './member.ts';
import type { Ask } from './proxy-query.ts';

interface Waiting {
  readonly ask: Ask;
  /** What it asks for, as a key: requests with the same key are refused together. */
  readonly wants: string;
  readonly served: (admission: Admission | undefined, error?: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/** Pin, tags and region of an ask; empty for one that takes any proxy. */
function wantsOf({ proxyId, tags, region, strictRegion }: Ask): string {
  const wants = [proxyId, tags, region, strictRegion];
  return wants.every((each) => each === undefined) ? '' : JSON.stringify(wants);
}

/**
 * Requests that wait for a place at a proxy that is at its `maxConcurrent`: first come, first served, but one
 * that no proxy can serve lets those pass that want something else.
 */
export class WaitQueue {
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
   * Returns a function that leaves the queue.
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
    const waiting: Waiting = { ask, wants: wantsOf(ask), served, timer };
    this.#waiting.add(waiting);
    return leave;
  }

  /** A place became free. Asked again from a microtask, never inside the call that freed it. */
  wake(): void {
    if (this.#woken || this.#waiting.size === 0) return;
    this.#woken = true;
    queueMicrotask(() => {
      this.#woken = false;
      const refused = new Set<string>();
      for (const waiting of [...this.#waiting]) {
        const { ask, wants } = waiting;
        // Where one that takes any proxy was refused only a pin can be served: it asks no selection.
        if (refused.has('') && ask.proxyId === undefined) continue;
        if (refused.has(wants) || !this.#waiting.has(waiting)) continue;
        let admission: Admission | undefined;
        let error: unknown;
        try {
          admission = this.#admit(ask);
        } catch (thrown) {
          error = thrown;
        }
        if (admission !== undefined || error !== undefined) {
          clearTimeout(waiting.timer);
          this.#waiting.delete(waiting);
          waiting.served(admission, error);
        } else refused.add(wants);
      }
    });
  }
}
