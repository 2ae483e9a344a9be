import type { SharedBan, SharedEvidence, SharedPrior } from '../shared-pool.ts';

/** What a file says of one proxy. */
interface Row {
  readonly id: string;
  readonly successes: number;
  readonly failures: number;
  readonly successMs: number;
  /** When that was so. Epoch milliseconds. */
  readonly at: number;
}

/** The prior of a file counts half after so long. */
const halfLifeMs = 3_600_000;
/** Attempts that a row is worth at most: a prior is worth no more. */
const mostAttempts = 10;
/** Proxies that are kept: a base, and this share of the pool. */
const leastKept = 50;
const keptShare = 0.1;

/** Files of other versions are not read. */
const version = 1;
const kind = 'whirl-warm-start';

/** What is remembered of a pool between two processes: its best proxies, and the bans. */
export class Memory {
  #rows = new Map<string, Row>();
  #bans: readonly SharedBan[] = [];

  /** Takes in what the pool knows now. A proxy that was not tried since keeps what was known before. */
  learn(evidence: Iterable<SharedEvidence>, bans: Iterable<SharedBan>): void {
    for (const { id, successes, failures, successMs, triedAt } of evidence) {
      const before = this.#rows.get(id);
      if (before !== undefined && triedAt <= before.at) continue;
      const own = successes + failures;
      // Little of its own: what was known before fills up what a prior is worth.
      const old = before === undefined ? 0 : fadedAttempts(before, triedAt);
      const share = old > 0 ? Math.min(1, Math.max(0, mostAttempts - own) / old) : 0;
      const kept = before === undefined ? 0 : share * fading(before, triedAt);
      const sum = {
        successes: successes + kept * (before?.successes ?? 0),
        failures: failures + kept * (before?.failures ?? 0),
      };
      const scale = Math.min(1, mostAttempts / Math.max(sum.successes + sum.failures, 1e-9));
      this.#rows.set(id, {
        id,
        successes: sum.successes * scale,
        failures: sum.failures * scale,
        successMs: successes > 0 ? successMs : (before?.successMs ?? 0),
        at: triedAt,
      });
    }
    this.#bans = [...bans];
  }

  /** Forgets proxies that the pool has no more. */
  keepOnly(has: (id: string) => boolean): void {
    for (const id of this.#rows.keys()) if (!has(id)) this.#rows.delete(id);
  }

  /** What a pool should be told. */
  *priors(now: number): Generator<SharedPrior> {
    for (const row of this.#rows.values()) {
      const weight = fadedAttempts(row, now);
      if (weight <= 0) continue;
      const successRate = row.successes / (row.successes + row.failures);
      const successMs = row.successes > 0 ? row.successMs : undefined;
      yield { id: row.id, successRate, successMs, weight };
    }
  }

  bans(now: number): SharedBan[] {
    return this.#bans.filter(({ until }) => until > now);
  }

  /** As a file. Only the proxies that do best are kept: the others are as good as untried ones. */
  write(pool: string, size: number, now: number): string {
    const most = leastKept + Math.floor(keptShare * size);
    const best = [...this.#rows.values()]
      .filter(({ successes }) => successes > 0)
      .sort((a, b) => rateOf(b) - rateOf(a))
      .slice(0, most);
    const proxies = best.map(({ id, successes, failures, successMs, at }) => {
      return [id, short(successes), short(failures), Math.round(successMs), Math.round(at)];
    });
    const bans = this.bans(now).map(({ id, target, until }) => {
      return target === undefined ? [id, Math.round(until)] : [id, Math.round(until), target];
    });
    return `${JSON.stringify({ kind, version, pool, savedAt: Math.round(now), proxies, bans })}\n`;
  }

  /**
   * What a file holds; undefined when it is another pool's, of another version, or older than `maxAgeMs`.
   *
   * @throws {TypeError} When it is no such file, or torn.
   */
  static read(text: string, pool: string, maxAgeMs: number, now: number): Memory | undefined {
    const torn = () => new TypeError('it is torn, or no file of a warm start');
    let file: unknown;
    try {
      file = JSON.parse(text);
    } catch {
      throw torn();
    }
    const given = (file ?? {}) as Record<string, unknown>;
    if (given['kind'] !== kind) throw torn();
    if (given['version'] !== version || given['pool'] !== pool) return undefined;
    const { savedAt, proxies, bans } = given;
    if (typeof savedAt !== 'number' || !Array.isArray(proxies) || !Array.isArray(bans))
      throw torn();
    if (now - savedAt > maxAgeMs) return undefined;
    const memory = new Memory();
    for (const each of proxies as unknown[]) {
      const row = rowOf(each, now);
      if (row !== undefined) memory.#rows.set(row.id, row);
    }
    memory.#bans = (bans as unknown[]).map(banOf).filter((ban) => ban !== undefined);
    return memory;
  }
}

function rateOf({ successes, failures }: Row): number {
  return (successes + 1) / (successes + failures + 2);
}

function short(value: number): number {
  return Number(value.toPrecision(3));
}

/** How much of a row counts at an instant. A clock that was set back makes nothing count more. */
function fading({ at }: Row, now: number): number {
  return 0.5 ** (Math.max(0, now - at) / halfLifeMs);
}

function fadedAttempts(row: Row, now: number): number {
  return Math.min(mostAttempts, row.successes + row.failures) * fading(row, now);
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Infinity;
}

/** Undefined for what is no row. */
function rowOf(row: unknown, now: number): Row | undefined {
  if (!Array.isArray(row)) return undefined;
  const [id, successes, failures, successMs, at] = row as unknown[];
  if (typeof id !== 'string' || ![successes, failures, successMs, at].every(isAmount))
    return undefined;
  const numbers = { successes, failures, successMs, at } as Omit<Row, 'id'>;
  return { id, ...numbers, at: Math.min(numbers.at, now) };
}

function banOf(row: unknown): SharedBan | undefined {
  if (!Array.isArray(row)) return undefined;
  const [id, until, target] = row as unknown[];
  if (typeof id !== 'string' || !isAmount(until)) return undefined;
  return typeof target === 'string' || target === undefined ? { id, until, target } : undefined;
}
