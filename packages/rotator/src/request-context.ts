import type { AttemptRecord } from './errors.ts';
import type { RetryPolicyOptions } from './policy.ts';

/** What a request, or a view of the rotator, asks of the pool. */
export interface PoolOptions {
  /** Overrides the global policy whole; `null` makes one attempt only. */
  readonly retryPolicy?: RetryPolicyOptions | null | undefined;
  /** Proxies of this region are preferred. */
  readonly region?: string | undefined;
  /** Requests of one session go through one proxy under the `sticky()` strategy. */
  readonly sessionId?: string | undefined;
  /** Only proxies that have all of these. */
  readonly tags?: readonly string[] | undefined;
  /** Pins the request, its retries included, to this proxy. */
  readonly proxyId?: string | undefined;
}

/** How a verb talks to the engine through a dispatcher's options. */
export interface RequestContext extends PoolOptions {
  /** Filled in by the engine. */
  attempts: readonly AttemptRecord[];
  /** Filled in by the engine: the proxy that answered. */
  answeredBy: string;
}

export const contextKey: unique symbol = Symbol('whirl.context');
