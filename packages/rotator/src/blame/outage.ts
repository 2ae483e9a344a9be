/** Failures in a row without a response that make an origin count as down. */
const failuresToBeDown = 5;
/** So many are enough, however often it failed before. */
const mostFailuresToBeDown = 20;
/** A row of failures that is less likely than this, by how often the origin failed before, is no chance. */
const unlikely = 1e-5;
/** Responses that are assumed of an origin before its first outcome. */
const assumedResponses = 50;
/** Outcomes over which its share of failures is taken; older ones fade. */
const rememberedOutcomes = 200;
/** Proxies through which they must have come; all of a smaller pool. */
const proxiesToBeDown = 3;
/** Proxies of the running row that are remembered, so that the next attempts go through others. */
const maxLastProxies = 16;

/**
 * Whether an origin responds at all. It is down after five failures in a row through at least three
 * proxies, or more of an origin that failed so often before that five are chance: one that responds to
 * 60 % of attempts fails five times in a row once in a hundred. It is not while it is contested: an
 * attempt that began before the first of them may still bring a response. In a burst through a cold
 * pool the failures come first and would look like an outage.
 */
export class Outage {
  /** Failures in a row without a response, blame target or unknown. */
  run = 0;
  /** Epoch milliseconds of the first of them; undefined without any. */
  runAt: number | undefined;
  /** Epoch milliseconds since when it is down. */
  downAt: number | undefined;
  /** The share of failures among its outcomes, without those that made it down. */
  #failureShare = 0;
  /** The outcomes in it. */
  #outcomes = assumedResponses;
  /** The share before the running row. */
  #usualShare = 0;
  /** Failures in a row from which it is down. */
  #enough = failuresToBeDown;
  /** Those of the last failures of the running row, in their order. */
  readonly #proxies = new Set<string>();
  /** Rises with each run of failures: attempts of an earlier value began before it. */
  #epoch = 0;
  /** Attempts under way. */
  #out = 0;
  /** Those of them that began before the running row of failures. */
  #older = 0;

  /** Proxies of the running row, counted up to three. */
  get proxies(): number {
    return Math.min(this.#proxies.size, proxiesToBeDown);
  }

  /** The proxies of the last failures of the running row, at most 16. */
  get lastProxies(): ReadonlySet<string> {
    return this.#proxies;
  }

  /** Whether it responds to more attempts than it fails, and is not down. */
  get respondsToMost(): boolean {
    return this.downAt === undefined && this.#failureShare < 0.5;
  }

  get contested(): boolean {
    return this.#older > 0;
  }

  /** An attempt begins; what it returns is given to `ended`. */
  begun(): number {
    this.#out++;
    return this.#epoch;
  }

  /** The attempt has ended, whatever its outcome. Called before `failed` or `responded`. */
  ended(epoch: number): void {
    this.#out--;
    if (epoch !== this.#epoch && this.#older > 0) this.#older--;
  }

  /** True when this failure makes it down, in a pool of `poolSize` proxies. */
  failed(proxyId: string, at: number, poolSize: number): boolean {
    if (this.run++ === 0) {
      this.runAt = at;
      this.#epoch++;
      this.#older = this.#out;
      this.#usualShare = this.#failureShare;
      this.#enough = failuresBeyondChance(this.#usualShare);
    }
    this.#passedThrough(proxyId);
    if (this.downAt !== undefined) return false;
    this.#count(1);
    if (this.contested || this.run < this.#enough) return false;
    if (this.#proxies.size < Math.min(proxiesToBeDown, poolSize)) return false;
    this.downAt = at;
    this.#failureShare = this.#usualShare;
    return true;
  }

  /** Returns for how many milliseconds it was down; undefined if it was not. */
  responded(at: number): number | undefined {
    this.#count(0);
    if (this.run === 0) return undefined;
    const { downAt } = this;
    this.run = this.#older = 0;
    this.runAt = this.downAt = undefined;
    this.#proxies.clear();
    return downAt === undefined ? undefined : at - downAt;
  }

  #count(failures: 0 | 1): void {
    if (this.#outcomes < rememberedOutcomes) this.#outcomes++;
    this.#failureShare += (failures - this.#failureShare) / this.#outcomes;
  }

  #passedThrough(proxyId: string): void {
    const proxies = this.#proxies;
    proxies.delete(proxyId);
    proxies.add(proxyId);
    if (proxies.size <= maxLastProxies) return;
    for (const oldest of proxies) {
      proxies.delete(oldest);
      return;
    }
  }
}

/** How many failures in a row are no chance for an origin that fails that share of attempts. */
function failuresBeyondChance(share: number): number {
  if (share === 0) return failuresToBeDown;
  const beyond = Math.ceil(Math.log(unlikely) / Math.log(share));
  return Math.min(Math.max(beyond, failuresToBeDown), mostFailuresToBeDown);
}
