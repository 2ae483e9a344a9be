import type { ProxyRotator } from '@whirl/rotator';

/** How long an answer holds that only a look at every circuit could give. */
const lookMs = 1000;

/**
 * Whether a proxy is available, for probes that need no token and come as often as they like. Counts the
 * circuits by what the bus tells: while one is closed, the others are not looked at. Whether one that
 * is not may be tested now, only the circuits know; they are asked at most once a second.
 */
export class Readiness {
  readonly #rotator: ProxyRotator;
  readonly #now: () => number;
  readonly #off: readonly (() => void)[];
  #size: number;
  /** Proxies whose circuit refuses requests, or tests whether it should. */
  readonly #shut: Set<string>;
  #lookedAt = -Infinity;
  #admits = false;

  /** `now`: milliseconds of a clock that does not step. */
  constructor(rotator: ProxyRotator, now = () => performance.now()) {
    this.#rotator = rotator;
    this.#now = now;
    const proxies = rotator.proxies();
    this.#size = proxies.length;
    this.#shut = new Set(
      proxies.filter(({ state }) => state !== 'closed' && state !== 'disabled').map(({ id }) => id),
    );
    const { bus } = rotator;
    this.#off = [
      bus.on('proxy:added', () => {
        this.#size++;
      }),
      bus.on('proxy:removed', ({ proxyId }) => {
        this.#size--;
        this.#shut.delete(proxyId);
      }),
      bus.on('circuit:transition', ({ name, to }) => {
        if (to === 'closed' || to === 'disabled') this.#shut.delete(name);
        else this.#shut.add(name);
      }),
    ];
  }

  get isReady(): boolean {
    if (this.#size === 0) return false;
    if (this.#shut.size < this.#size) return true;
    const now = this.#now();
    if (now - this.#lookedAt >= lookMs) {
      this.#lookedAt = now;
      this.#admits = [...this.#rotator.getCircuitBreakerStates().values()].some(
        ({ canAttempt }) => canAttempt,
      );
    }
    return this.#admits;
  }

  close(): void {
    for (const off of this.#off) off();
  }
}
