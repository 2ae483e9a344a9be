import type { ProxyRotator } from '@whirl/rotator';

/** How long the result of a look at every circuit is kept. */
const lookMs = 1000;

/**
 * Whether a proxy is available, for probes that need no token and come as often as they like. While one circuit is
 * closed the others are not looked at; whether one that is not may be tested now is asked at most once a second.
 */
export class Readiness {
  readonly #rotator: ProxyRotator;
  readonly #now: () => number;
  #lookedAt = -Infinity;
  #admits = false;

  /** `now`: milliseconds of a clock that does not step. */
  constructor(rotator: ProxyRotator, now = () => performance.now()) {
    this.#rotator = rotator;
    this.#now = now;
  }

  get isReady(): boolean {
    if (this.#rotator.size === 0) return false;
    const { closed, disabled } = this.#rotator.circuitCounts();
    if (closed + disabled > 0) return true;
    const now = this.#now();
    if (now - this.#lookedAt >= lookMs) {
      this.#lookedAt = now;
      this.#admits = this.#rotator.isAvailable;
    }
    return this.#admits;
  }
}
