import type { AttemptRecord } from '../attempt-record.ts';
import { shown, unknownOption } from '@whirl/check';
import { InvalidRequestError } from '../errors.ts';
import type { Policies } from '../policy/policies.ts';
import {
  policyFieldNames,
  type RetryPolicy,
  type RetryPolicyOptions,
} from '../policy/retry-policy.ts';

/**
 * Which proxies a request, or all requests of a view, may go through, and how often. An option that is unknown or of
 * a wrong type is refused with an `InvalidRequestError`.
 */
export interface RoutingOptions {
  /** Takes the place of the whole global policy; `null` makes one attempt only. Default: the global policy. */
  readonly retryPolicy?: RetryPolicyOptions | null | undefined;
  /** Proxies of this region are preferred. Default: no preference. */
  readonly region?: string | undefined;
  /** Only proxies of `region` are used; needs a `region`. Default false. */
  readonly strictRegion?: boolean | undefined;
  /** The id of the proxy for the first attempt, under every strategy, while it is available. Default: none. */
  readonly prefer?: string | undefined;
  /** Requests of one session go through one proxy under `sticky()` and `consistent()`. Default: no session. */
  readonly sessionId?: string | undefined;
  /** Only proxies that have all of these tags are used. Default: all proxies. */
  readonly tags?: readonly string[] | undefined;
  /** Pins the request, its retries included, to the proxy with this id. Default: not pinned. */
  readonly proxyId?: string | undefined;
}

/** The names of these options, which `fetch` takes out of its init. */
export const routingOptionNames = [
  'retryPolicy',
  'region',
  'strictRegion',
  'prefer',
  'sessionId',
  'tags',
  'proxyId',
] as const;

/** All options of a request, for messages. */
const requestOptionNames = [...routingOptionNames, 'method', 'headers', 'body', 'signal'];
const policyOptionNames = policyFieldNames.map((name) => `retryPolicy.${name}`);

/** The attempts of a request so far. */
export interface Progress {
  readonly attempts: readonly AttemptRecord[];
  /** Whether it has ended: no attempt will be added, or change. */
  readonly ended: boolean;
  /** The proxy whose response the caller got. */
  readonly respondedBy: string | undefined;
}

/** `RoutingOptions` once checked. Many requests share one. */
export interface RequestContext {
  /** Undefined: the global policy at the time of the request. */
  readonly policy: RetryPolicy | undefined;
  readonly region: string | undefined;
  readonly strictRegion: boolean | undefined;
  readonly prefer: string | undefined;
  readonly sessionId: string | undefined;
  readonly tags: readonly string[] | undefined;
  readonly proxyId: string | undefined;
}

/** A request of a verb: its routing and, once it is sent, its progress. */
export interface VerbCall {
  readonly context: RequestContext;
  progress: Progress | undefined;
}

/** Checks options and merges them over a base. Throws an `InvalidRequestError` that names a bad one. */
export function contextOf(
  asked: RoutingOptions,
  base: RequestContext | undefined,
  policies: Policies,
): RequestContext {
  const names = Object.keys(asked);
  if (names.length === 0 && base !== undefined) return base;
  for (const name of names) {
    if (!routingOptionNames.includes(name as keyof RoutingOptions)) {
      throw new InvalidRequestError(unknownOption('', name, requestOptionNames, policyOptionNames));
    }
  }
  const { retryPolicy, region = base?.region, sessionId = base?.sessionId } = asked;
  const { tags = base?.tags, proxyId = base?.proxyId, prefer = base?.prefer } = asked;
  const { strictRegion = base?.strictRegion } = asked;
  for (const [name, value] of Object.entries({ region, prefer, sessionId, proxyId })) {
    if (value !== undefined && typeof value !== 'string') {
      throw new InvalidRequestError(`${name} must be a string, got ${shown(value)}`);
    }
  }
  if (strictRegion !== undefined && typeof strictRegion !== 'boolean') {
    throw new InvalidRequestError(`strictRegion must be true or false, got ${shown(strictRegion)}`);
  }
  if (strictRegion === true && region === undefined) {
    throw new InvalidRequestError('strictRegion needs a region');
  }
  if (tags !== undefined && !(Array.isArray(tags) && tags.every((t) => typeof t === 'string'))) {
    throw new InvalidRequestError(`tags must be an array of strings, got ${shown(tags)}`);
  }
  return {
    policy: retryPolicy === undefined ? base?.policy : policies.resolve(retryPolicy),
    region,
    strictRegion,
    prefer,
    sessionId,
    tags: tags === undefined || tags.length === 0 ? undefined : [...tags],
    proxyId,
  };
}

/** The key of a verb's call in the options of a dispatcher. */
export const callKey: unique symbol = Symbol('whirl.call');
