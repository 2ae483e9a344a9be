import { evidenceMs, PairEvidence, OriginEvidence, type ProxyEvidence } from './pair-evidence.ts';
import { judge, type Verdict } from './verdict.ts';

/** Weight of the newest outcome: of the older ones 7/8 stay. */
const keep = 1 - 1 / 8;

const maxPairs = 32_768;
const maxPairsPerProxy = 16;
/** Pairs kept at an origin of the proxies that have had a response from it, and of witnesses. */
const maxPerOrigin = 8;
/** Recent pairs that are passed over when one has to go. */
const maxSteps = 8;

/**
 * Which proxies get responses from which origins: fading counts for each pair of proxy and origin, from which an
 * uncertain failure is judged. Verdicts are not fed back into the counts. Every step is O(1); at most
 * 32,768 pairs are remembered, 16 of one proxy, and the pairs that were not used lately go first. It
 * has no clock: `at` is epoch milliseconds.
 */
export class Evidence {
  /** Failures of the proxy itself stand under an origin of their own. */
  readonly #nowhere = new OriginEvidence();
  readonly #ring: PairEvidence[] = [];
  #hand = 0;

  /** Pairs remembered, at most 32,768. */
  get size(): number {
    return this.#ring.length;
  }

  /** A response came through the proxy from the origin. */
  responded(proxy: ProxyEvidence, origin: OriginEvidence, at: number): void {
    const pair = this.#pair(proxy, origin, at);
    const fading = pair.fading(at);
    pair.responses = pair.responses * fading * keep + 1;
    pair.failures *= fading * keep;
    pair.lastAt = pair.okAt = proxy.okAt = origin.okAt = at;
    pair.failedLast = pair.excused = false;
    proxy.run = 0;
    if (proxy.gone) return;
    if (pair.witness) leave(pair, 'witness');
    if (!pair.live) enter(pair, 'live');
  }

  /** The proxy itself failed, whatever the origin. */
  proxyFailed(proxy: ProxyEvidence, at: number): void {
    this.#fail(this.#pair(proxy, this.#nowhere, at), at);
  }

  /** A failure that may be the proxy's or the origin's. */
  failed(proxy: ProxyEvidence, origin: OriginEvidence, at: number): Verdict {
    return this.#judged(proxy, origin, at, false);
  }

  /** The proxy refused to lead to the origin. */
  refused(proxy: ProxyEvidence, origin: OriginEvidence, at: number): Verdict {
    return this.#judged(proxy, origin, at, true);
  }

  /** Whether the proxy has lately had a response from another origin. */
  worksElsewhere(proxy: ProxyEvidence, origin: OriginEvidence, at: number): boolean {
    return proxy.pairs.some(
      (pair) => pair.origin !== origin && !pair.failedLast && at - pair.lastAt <= evidenceMs,
    );
  }

  /** Whether the last attempt of another proxy at the origin had a response lately. */
  respondsToOthers(proxy: ProxyEvidence, origin: OriginEvidence, at: number): boolean {
    return origin.live.some(
      (pair) => pair.proxy !== proxy && !pair.failedLast && at - pair.lastAt <= evidenceMs,
    );
  }

  /** The proxy has left the pool. What its last attempts come to is judged, and remembered nowhere. */
  forgetProxy(proxy: ProxyEvidence): void {
    proxy.gone = true;
    while (proxy.pairs.length > 0) this.#drop(proxy.pairs[0] as PairEvidence);
  }

  /** The origin is forgotten. Its pairs go when their turn comes. */
  forgetOrigin(origin: OriginEvidence): void {
    origin.gone = true;
  }

  #judged(proxy: ProxyEvidence, origin: OriginEvidence, at: number, refused: boolean): Verdict {
    const pair = this.#pair(proxy, origin, at);
    this.#fail(pair, at);
    const { verdict, works } = judge(pair, at, refused);
    if (works && pair.okAt === -Infinity && !pair.witness) enter(pair, 'witness');
    return verdict;
  }

  #fail(pair: PairEvidence, at: number): void {
    const fading = pair.fading(at);
    pair.responses *= fading * keep;
    pair.failures = pair.failures * fading * keep + 1;
    pair.lastAt = pair.failedAt = at;
    pair.failedLast = true;
    pair.excused = false;
    pair.proxy.run++;
  }

  #pair(proxy: ProxyEvidence, origin: OriginEvidence, at: number): PairEvidence {
    const { pairs } = proxy;
    if (proxy.gone) return new PairEvidence(proxy, origin);
    for (const pair of pairs) if (pair.origin === origin) return pair;
    if (pairs.length >= maxPairsPerProxy) this.#drop(oldest(pairs));
    if (this.#ring.length >= maxPairs) this.#makeRoom(at);
    const pair = new PairEvidence(proxy, origin);
    pair.index = this.#ring.push(pair) - 1;
    pairs.push(pair);
    return pair;
  }

  #makeRoom(at: number): void {
    for (let step = 0; ; step++) {
      this.#hand = (this.#hand + 1) % this.#ring.length;
      const pair = this.#ring[this.#hand] as PairEvidence;
      if (step < maxSteps && !pair.origin.gone && at - pair.lastAt < evidenceMs) continue;
      this.#drop(pair);
      return;
    }
  }

  #drop(pair: PairEvidence): void {
    const last = this.#ring.pop() as PairEvidence;
    if (last !== pair) {
      this.#ring[pair.index] = last;
      last.index = pair.index;
    }
    const { proxy, origin } = pair;
    remove(proxy.pairs, pair);
    if (pair.live) leave(pair, 'live');
    if (pair.witness) leave(pair, 'witness');
    if (origin.latest === proxy) origin.latest = undefined;
    if (origin.earlier === proxy) origin.earlier = undefined;
  }
}

/** Enters one of the two lists of the pair's origin; the pair that was used last the longest ago goes. */
function enter(pair: PairEvidence, list: 'live' | 'witness'): void {
  const pairs = list === 'live' ? pair.origin.live : pair.origin.witnesses;
  if (pairs.length >= maxPerOrigin) leave(oldest(pairs), list);
  pairs.push(pair);
  pair[list] = true;
}

function leave(pair: PairEvidence, list: 'live' | 'witness'): void {
  remove(list === 'live' ? pair.origin.live : pair.origin.witnesses, pair);
  pair[list] = false;
}

function oldest(pairs: readonly PairEvidence[]): PairEvidence {
  let found = pairs[0] as PairEvidence;
  for (const pair of pairs) if (pair.lastAt < found.lastAt) found = pair;
  return found;
}

function remove(pairs: PairEvidence[], pair: PairEvidence): void {
  const at = pairs.indexOf(pair);
  const last = pairs.pop() as PairEvidence;
  if (last !== pair) pairs[at] = last;
}
