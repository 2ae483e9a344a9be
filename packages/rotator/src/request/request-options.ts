import type { AttemptRecord } from '../attempt-record.ts';
import type { RetryPolicy, RetryPolicyOptions } from '../policy/retry-policy.ts';

/** What a request, or a view of the rotator, asks of the pool. */
export interface RoutingOptions {
  /** Overrides the global policy whole; `null` makes one attempt only. */
  readonly retryPolicy?: RetryPolicyOptions | null | undefined;
  /** Proxies of this region are preferred. */
  readonly region?: string | undefined;
  /** Only proxies of `region`. Default false. */
  readonly strictRegion?: boolean | undefined;
  /** The id of the proxy for the first attempt, under every strategy, while it is available. */
  readonly prefer?: string | undefined;
  /** Requests of one session go through one proxy under the `sticky()` strategy. */
  readonly sessionId?: string | undefined;
  /** Only proxies that have all of these. */
  readonly tags?: readonly string[] | undefined;
  /** Pins the request, its retries included, to this proxy. */
  readonly proxyId?: string | undefined;
}

/** Their names: what `fetch` takes out of its init, and all that a view or a verb knows. */
export const routingOptionNames = [
  'retryPolicy',
  'region',
  'strictRegion',
  'prefer',
  'sessionId',
  'tags',
  'proxyId',
] as const;

/** How a request went so far. */
export interface Progress {
  readonly attempts: readonly AttemptRecord[];
  /** The proxy whose response the caller got. */
  readonly answeredBy: string | undefined;
}

/** The same, understood once: how a verb or a view talks to the engine. */
export interface RequestContext {
  /** Undefined: the global policy of the moment. */
  readonly policy: RetryPolicy | undefined;
  readonly region: string | undefined;
  readonly strictRegion: boolean | undefined;
  readonly prefer: string | undefined;
  readonly sessionId: string | undefined;
  readonly tags: readonly string[] | undefined;
  readonly proxyId: string | undefined;
  /** Filled in by the engine, for who wants to see the attempts. */
  progress: Progress | undefined;
}

/** For one request: the engine writes into it. A literal, which costs a tenth of a spread. */
export function copyOf(base: Readonly<RequestContext>): RequestContext {
  const { policy, region, strictRegion, prefer, sessionId, tags, proxyId } = base;
  const progress = undefined;
  return { policy, region, strictRegion, prefer, sessionId, tags, proxyId, progress };
}

/** Under which a verb's context travels through a dispatcher's options. */
export const contextKey: unique symbol = Symbol('whirl.context');
