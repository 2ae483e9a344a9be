/** Failures in a row without a response that make an origin count as down. */
const failuresToBeDown = 5;
/** Proxies through which they must have come; all of a smaller pool. */
const proxiesToBeDown = 3;

/**
 * Whether an origin responds at all. It is down after five failures in a row through at least three
 * proxies, unless it is contested: an attempt that began before the first of them may still bring a
 * response. In a burst through a cold pool the failures come first and would look like an outage.
 */
export class Outage {
  /** Failures in a row without a response, blame target or unknown. */
  run = 0;
  /** Epoch milliseconds of the first of them; undefined without any. */
  runAt: number | undefined;
  /** Epoch milliseconds since when it is down. */
  downAt: number | undefined;
  /** The proxy of the last failure. */
  lastProxyId: string | undefined;
  readonly #proxies = new Set<string>();
  /** Rises with each run of failures: attempts of an earlier value began before it. */
  #epoch = 0;
  /** Attempts under way. */
  #out = 0;
  /** Those of them that began before the running row of failures. */
  #older = 0;

  /** Proxies of the running row, counted up to three. */
  get proxies(): number {
    return this.#proxies.size;
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
    }
    this.lastProxyId = proxyId;
    if (this.#proxies.size < proxiesToBeDown) this.#proxies.add(proxyId);
    if (this.downAt !== undefined || this.contested || this.run < failuresToBeDown) return false;
    if (this.#proxies.size < Math.min(proxiesToBeDown, poolSize)) return false;
    this.downAt = at;
    return true;
  }

  /** Returns for how many milliseconds it was down; undefined if it was not. */
  responded(at: number): number | undefined {
    if (this.run === 0) return undefined;
    const { downAt } = this;
    this.run = this.#older = 0;
    this.runAt = this.downAt = this.lastProxyId = undefined;
    this.#proxies.clear();
    return downAt === undefined ? undefined : at - downAt;
  }
}
