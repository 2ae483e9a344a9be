import type { ProxyRotator, RetryPolicyOptions, RotatorView } from '@whirl/rotator';

/** The shortest wait that a policy can have: the client waits too, and the next attempt goes elsewhere. */
const leastDelayMs = 100;

/**
 * The rotator with the policy of tunnels: that of the gateway, or the rotator's own without waits between proxies
 * and with failover from those that respond 407. A policy is understood once and not for each tunnel.
 */
export class TunnelViews {
  readonly #rotator: ProxyRotator;
  readonly #given: RetryPolicyOptions | undefined;
  readonly #idleMs: number;
  /** The rotator's policy from which the views were made. */
  #from: unknown;
  /** By the number of retries that a client asks for. */
  readonly #views = new Map<number | undefined, RotatorView>();

  /**
   * `idleMs`: how long a response to bytes that are not sent twice is waited for, where the policy does not say it.
   * Throws `InvalidPolicyError`.
   */
  constructor(rotator: ProxyRotator, given: RetryPolicyOptions | undefined, idleMs: number) {
    this.#rotator = rotator;
    this.#given = given;
    this.#idleMs = idleMs;
    this.get(undefined);
  }

  /** `retries`: how many attempts after the first, where the client says so. */
  get(retries: number | undefined): RotatorView {
    const { retryPolicy } = this.#rotator;
    if (this.#from !== retryPolicy) {
      this.#from = retryPolicy;
      this.#views.clear();
    }
    let view = this.#views.get(retries);
    if (view === undefined) {
      const policy: RetryPolicyOptions =
        this.#given === undefined
          ? {
              ...(retryPolicy ?? { maxAttempts: 1 }),
              attemptTimeoutMs: this.#idleMs,
              backoffStrategy: 'fixed',
              baseDelayMs: leastDelayMs,
              failoverDelay: 'none',
              failoverOnProxyAuth: true,
            }
          : { attemptTimeoutMs: this.#idleMs, ...this.#given };
      view = this.#rotator.with({
        retryPolicy: retries === undefined ? policy : { ...policy, maxAttempts: retries + 1 },
      });
      this.#views.set(retries, view);
    }
    return view;
  }
}
