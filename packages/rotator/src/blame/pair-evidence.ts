/** Counts fade by half in this time. */
const halfLifeMs = 30_000;
/** Outcomes older than this are no evidence. */
export const evidenceMs = 60_000;

/** What is remembered of one proxy at one origin. */
export class PairEvidence {
  readonly proxy: ProxyEvidence;
  readonly origin: OriginEvidence;
  /** Responses, fading, as of `lastAt`. */
  responses = 0;
  /** Failures, fading, as of `lastAt`. */
  failures = 0;
  /** Epoch milliseconds of the last response, -Infinity before the first. */
  okAt = -Infinity;
  /** Epoch milliseconds of the last failure, -Infinity before the first. */
  failedAt = -Infinity;
  /** Epoch milliseconds of the last outcome. */
  lastAt = -Infinity;
  /** Whether the last outcome is a failure. */
  failedLast = false;
  /** Set while the last outcome is a failure that other proxies' evidence gives to the origin. */
  excused = false;
  /** Stands in `origin.live`. */
  live = false;
  /** Stands in `origin.witnesses`. */
  witness = false;
  /** Its place in the ring. */
  index = -1;

  constructor(proxy: ProxyEvidence, origin: OriginEvidence) {
    this.proxy = proxy;
    this.origin = origin;
  }

  /** By how much its counts have faded at `at`. */
  fading(at: number): number {
    const elapsedMs = at - this.lastAt;
    return elapsedMs > 0 ? Math.exp((-Math.LN2 / halfLifeMs) * elapsedMs) : 1;
  }
}

/** What is remembered of one proxy. */
export class ProxyEvidence {
  readonly pairs: PairEvidence[] = [];
  /** Epoch milliseconds of the last response through it from anywhere, -Infinity before the first. */
  okAt = -Infinity;
  /** Failures in a row, anywhere. */
  run = 0;
  /** Epoch milliseconds: when a doubt about it was last settled, -Infinity before. */
  settledAt = -Infinity;
  /** Epoch milliseconds: when this machine last had no route to it, -Infinity before. */
  unreachableAt = -Infinity;
  /** It has left the pool: no pair of it is kept. */
  gone = false;
}

/** What is remembered of one origin. */
export class OriginEvidence {
  /** Epoch milliseconds of its last response through any proxy, -Infinity before the first. */
  okAt = -Infinity;
  /** Pairs of proxies that have had a response from it. */
  readonly live: PairEvidence[] = [];
  /** Pairs of proxies that never had one from it and work elsewhere. */
  readonly witnesses: PairEvidence[] = [];
  /** The two proxies that were the last to fail here while they worked elsewhere. */
  latest: ProxyEvidence | undefined;
  latestAt = -Infinity;
  earlier: ProxyEvidence | undefined;
  earlierAt = -Infinity;
  /** Forgotten: its pairs are no evidence any more. */
  gone = false;

  /** `proxy` failed here and works elsewhere. */
  witnessed(proxy: ProxyEvidence, at: number): void {
    if (this.latest !== proxy) {
      this.earlier = this.latest;
      this.earlierAt = this.latestAt;
      this.latest = proxy;
    }
    this.latestAt = at;
  }
}
