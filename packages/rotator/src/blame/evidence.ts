import { evidenceMs, Row, OriginEvidence, type ProxyEvidence } from './evidence-rows.ts';
import { judge, type Verdict } from './verdict.ts';

/** Weight of the newest outcome: of the older ones 7/8 stay. */
const keep = 1 - 1 / 8;

const maxRows = 32_768;
const maxRowsPerProxy = 16;
/** Rows kept at an origin of the proxies that have had a response from it, and of witnesses. */
const maxPerOrigin = 8;
/** Recent rows that are passed over when one has to go. */
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
