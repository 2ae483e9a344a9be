import { judge, type Verdict } from './verdict.ts';

/** Weight of the newest outcome: of the older ones 7/8 stay. */
const keep = 1 - 1 / 8;
/** Counts fade by half in this time. */
export const halfLifeMs = 30_000;
/** Outcomes older than this are no evidence. */
export const evidenceMs = 60_000;

const maxRows = 32_768;
const maxRowsPerProxy = 16;
/** Rows kept at an origin of the proxies that have had a response from it, and of witnesses. */
const maxPerOrigin = 8;
/** Recent rows that are passed over when one has to go. */
const maxSteps = 8;

/** What is remembered of one proxy at one origin. */
export class Row {
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
  readonly rows: Row[] = [];
  /** Epoch milliseconds of the last response through it from anywhere, -Infinity before the first. */
  okAt = -Infinity;
  /** Failures in a row, anywhere. */
  run = 0;
  /** Epoch milliseconds: when a doubt about it was last settled, -Infinity before. */
  settledAt = -Infinity;
  /** Epoch milliseconds: when this machine last had no route to it, -Infinity before. */
  unreachableAt = -Infinity;
}

/** What is remembered of one origin. */
export class OriginEvidence {
  /** Epoch milliseconds of its last response through any proxy, -Infinity before the first. */
  okAt = -Infinity;
  /** Rows of proxies that have had a response from it. */
  readonly live: Row[] = [];
  /** Rows of proxies that never had one from it and work elsewhere. */
  readonly witnesses: Row[] = [];
  /** The two proxies that were the last to fail here while they worked elsewhere. */
  latest: ProxyEvidence | undefined;
  latestAt = -Infinity;
  earlier: ProxyEvidence | undefined;
  earlierAt = -Infinity;
  /** Forgotten: its rows are no evidence any more. */
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

/**
 * Who gets responses from where: fading counts for each pair of proxy and origin, from which an
 * uncertain failure is judged. Verdicts are not fed back into the counts. Every step is O(1); at most
 * 32,768 pairs are remembered, 16 of one proxy, and the pairs that were not used lately go first. It
 * has no clock: `at` is epoch milliseconds.
 */
export class Evidence {
  /** Failures of the proxy itself stand under an origin of their own. */
  readonly #nowhere = new OriginEvidence();
  readonly #ring: Row[] = [];
  #hand = 0;

  /** Pairs remembered, at most 32,768. */
  get size(): number {
    return this.#ring.length;
  }

  /** A response came through the proxy from the origin. */
  responded(proxy: ProxyEvidence, origin: OriginEvidence, at: number): void {
    const row = this.#row(proxy, origin, at);
    const fading = row.fading(at);
    row.responses = row.responses * fading * keep + 1;
    row.failures *= fading * keep;
    row.lastAt = row.okAt = proxy.okAt = origin.okAt = at;
    row.failedLast = row.excused = false;
    proxy.run = 0;
    if (row.witness) leave(row, 'witness');
    if (!row.live) enter(row, 'live');
  }

  /** The proxy itself failed, whatever the origin. */
  proxyFailed(proxy: ProxyEvidence, at: number): void {
    this.#fail(this.#row(proxy, this.#nowhere, at), at);
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
    return proxy.rows.some(
      (row) => row.origin !== origin && !row.failedLast && at - row.lastAt <= evidenceMs,
    );
  }

  /** Whether the last attempt of another proxy at the origin had a response lately. */
  respondsToOthers(proxy: ProxyEvidence, origin: OriginEvidence, at: number): boolean {
    return origin.live.some(
      (row) => row.proxy !== proxy && !row.failedLast && at - row.lastAt <= evidenceMs,
    );
  }

  /** The proxy has left the pool. */
  forgetProxy(proxy: ProxyEvidence): void {
    while (proxy.rows.length > 0) this.#drop(proxy.rows[0] as Row);
  }

  /** The origin is forgotten. Its rows go when their turn comes. */
  forgetOrigin(origin: OriginEvidence): void {
    origin.gone = true;
  }

  #judged(proxy: ProxyEvidence, origin: OriginEvidence, at: number, refused: boolean): Verdict {
    const row = this.#row(proxy, origin, at);
    this.#fail(row, at);
    const { verdict, works } = judge(row, at, refused);
    if (works && row.okAt === -Infinity && !row.witness) enter(row, 'witness');
    return verdict;
  }

  #fail(row: Row, at: number): void {
    const fading = row.fading(at);
    row.responses *= fading * keep;
    row.failures = row.failures * fading * keep + 1;
    row.lastAt = row.failedAt = at;
    row.failedLast = true;
    row.excused = false;
    row.proxy.run++;
  }

  #row(proxy: ProxyEvidence, origin: OriginEvidence, at: number): Row {
    const { rows } = proxy;
    for (const row of rows) if (row.origin === origin) return row;
    if (rows.length >= maxRowsPerProxy) this.#drop(oldest(rows));
    if (this.#ring.length >= maxRows) this.#makeRoom(at);
    const row = new Row(proxy, origin);
    row.index = this.#ring.push(row) - 1;
    rows.push(row);
    return row;
  }

  #makeRoom(at: number): void {
    for (let step = 0; ; step++) {
      this.#hand = (this.#hand + 1) % this.#ring.length;
      const row = this.#ring[this.#hand] as Row;
      if (step < maxSteps && !row.origin.gone && at - row.lastAt < evidenceMs) continue;
      this.#drop(row);
      return;
    }
  }

  #drop(row: Row): void {
    const last = this.#ring.pop() as Row;
    if (last !== row) {
      this.#ring[row.index] = last;
      last.index = row.index;
    }
    const { proxy, origin } = row;
    remove(proxy.rows, row);
    if (row.live) leave(row, 'live');
    if (row.witness) leave(row, 'witness');
    if (origin.latest === proxy) origin.latest = undefined;
    if (origin.earlier === proxy) origin.earlier = undefined;
  }
}

/** Enters one of the two lists of the row's origin; the row that was used last the longest ago goes. */
function enter(row: Row, list: 'live' | 'witness'): void {
  const rows = list === 'live' ? row.origin.live : row.origin.witnesses;
  if (rows.length >= maxPerOrigin) leave(oldest(rows), list);
  rows.push(row);
  row[list] = true;
}

function leave(row: Row, list: 'live' | 'witness'): void {
  remove(list === 'live' ? row.origin.live : row.origin.witnesses, row);
  row[list] = false;
}

function oldest(rows: readonly Row[]): Row {
  let found = rows[0] as Row;
  for (const row of rows) if (row.lastAt < found.lastAt) found = row;
  return found;
}

function remove(rows: Row[], row: Row): void {
  const at = rows.indexOf(row);
  const last = rows.pop() as Row;
  if (last !== row) rows[at] = last;
}
