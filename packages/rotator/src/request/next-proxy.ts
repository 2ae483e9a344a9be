import type { Target } from '../blame/targets.ts';
import type { Ask } from '../pool/proxy-query.ts';
import type { RequestContext } from './request-options.ts';

const noneTried: ReadonlySet<string> = new Set();

/** What one request wants of the pool for its next attempt. One object for all its attempts. */
export class NextProxy implements Ask {
  tried: ReadonlySet<string> = noneTried;
  readonly target: string;
  region: string | undefined;
  readonly strictRegion: boolean | undefined;
  prefer: string | undefined;
  readonly sessionId: string | undefined;
  readonly tags: readonly string[] | undefined;
  readonly proxyId: string | undefined;
  mayTest = false;
  readonly anyRegion: boolean;
  readonly #target: Target;
  /** The proxy of the first attempt; made a set for the second one. */
  #first: string | undefined;
  #used: Set<string> | undefined;

  constructor(context: RequestContext, target: Target) {
    this.target = target.origin;
    this.region = context.region;
    this.strictRegion = context.strictRegion;
    this.prefer = context.prefer;
    this.sessionId = context.sessionId;
    this.tags = context.tags;
    this.proxyId = context.proxyId;
    this.#target = target;
    this.anyRegion = context.region === undefined;
  }

  /** Returns it for the next attempt. `shareable`: whether two attempts may run at once. */
  asked(shareable: boolean): this {
    this.tried = this.#avoided();
    this.mayTest = shareable;
    return this;
  }

  /** Notes that an attempt goes through that proxy. */
  used(proxyId: string): void {
    if (this.#first === undefined) {
      this.#first = proxyId;
      // `prefer` is for the first attempt.
      this.prefer = undefined;
    } else (this.#used ??= new Set([this.#first])).add(proxyId);
  }

  /** Notes that the last attempt failed in that region, which is preferred now. */
  failedIn(region: string | undefined): void {
    if (this.anyRegion) this.region = region;
  }

  /** A target that is down gets its one attempt through proxies in turn. */
  #avoided(): ReadonlySet<string> {
    if (this.#first !== undefined) return (this.#used ??= new Set([this.#first]));
    const { downAt, lastProxies } = this.#target.outage;
    return downAt === undefined ? noneTried : lastProxies;
  }
}
