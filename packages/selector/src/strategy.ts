/** What a pick is for. */
export interface SelectContext {
  /** Ids to avoid while another candidate is available. Default: none. */
  readonly exclude?: ReadonlySet<string> | readonly string[] | undefined;
  /** Preferred by `performance()` and `adaptive()`, required or preferred by `geo()`. Default: none. */
  readonly region?: string | undefined;
  /** Only candidates of `region`, under every strategy. Default false. */
  readonly strictRegion?: boolean | undefined;
  /** The id of the candidate to pick, under every strategy, while it is available and the target does not avoid it. */
  readonly prefer?: string | undefined;
  /** The session that keeps its candidate under `sticky()` and `consistent()`. Default: none. */
  readonly sessionId?: string | undefined;
  /** The target of the attempt: candidates that failed there are avoided. Default: none. */
  readonly target?: string | undefined;
  /** Only candidates with all of these tags. Default: all candidates. */
  readonly tags?: readonly string[] | undefined;
}

/** A session that does not live where its strategy puts it in every process. */
export interface SessionMove {
  /** The session, as a hash of its id. */
  readonly session: string;
  /** The candidate that it has moved to. */
  readonly id: string;
  /** Where it had moved to before; undefined: it was where it belongs. */
  readonly from?: string | undefined;
  /** Milliseconds for which the move holds, unless it is told again. */
  readonly keepMs: number;
}

/**
 * Picks a candidate. A strategy gets the candidates that are available and returns the slot of one of them, or
 * −1 for none. It may keep state in an `Index`; it must not keep it in itself, or two selectors could
 * not share it.
 */
export interface Strategy {
  readonly name: string;
  pick(among: Candidates, ask: SelectContext): number;
  /** A selector takes it into use, before any pick; with all its candidates. */
  attach?(among: Candidates): void;
  /** What `stats().score` shows: 0 to 1. Changes nothing. Default: `among.success(slot)`. */
  score?(among: Candidates, slot: number, ask: SelectContext): number;
  /** Sessions that moved since the last call, up to a number: what other processes cannot know. */
  sessionMoves?(among: Candidates, max: number): SessionMove[];
  /** Another process moved a session at that instant. What it says may be of no use here. */
  moveSession?(among: Candidates, move: Pick<SessionMove, 'session' | 'id'>, at: number): void;
}

/**
 * The candidates of one pick: available, as the filters want them, not excluded. A candidate is known
 * by its slot, a whole number that is its own for as long as it is in the selector.
 */
export interface Candidates {
  /** How many there are. */
  readonly size: number;
  /** The slot at a position from 0 to `size` − 1. Any order, and it changes. */
  at(position: number): number;
  /** One of them, each with equal chance; −1 when there are none. */
  any(): number;
  has(slot: number): boolean;
  /** Whether a candidate is available at all, be it excluded from this pick or filtered out. */
  available(slot: number): boolean;
  /** Whether nothing but `maxConcurrent` keeps a candidate from being available. */
  full(slot: number): boolean;
  /**
   * Whether the target of this pick has something against a candidate. The selector refuses such a choice while
   * others are available, and asks again.
   */
  avoided(slot: number): boolean;
  /** Whether they are few of many slots: a structure over them should not be as long as the pool. */
  readonly sparse: boolean;
  /** The time of this pick in epoch milliseconds. */
  readonly now: number;
  /** Draws from 0 up to 1. */
  random(): number;

  id(slot: number): string;
  region(slot: number): string | undefined;
  tags(slot: number): readonly string[];
  weight(slot: number): number;
  cost(slot: number): number;
  /** Attempts begun and not ended. */
  inFlight(slot: number): number;
  /** The number of its last pick, rising with each pick of the selector; 0 when never picked. */
  lastPick(slot: number): number;
  /** Of its last 100 outcomes; 0.5 without any. */
  successRate(slot: number): number;
  /** Outcomes recorded, at most 100. */
  samples(slot: number): number;
  /** Failures since its last success that it or one of its routes is to blame for, at whatever target. */
  failuresInARow(slot: number): number;
  /** Mean latency of its successes in milliseconds; undefined without any. */
  avgLatencyMs(slot: number): number | undefined;
  /** Estimated probability of success: recent evidence, shrunk towards the pool's mean. */
  success(slot: number): number;
  /** The pool's mean of that. */
  readonly meanSuccess: number;
  /** Estimated milliseconds until a success, failed attempts included, for an idle candidate. */
  costMs(slot: number): number;

  /** Those of one region. O(1) after the first time. */
  inRegion(region: string): Candidates;
  /** Those with all these tags. O(1) after the first time. */
  withTags(tags: readonly string[]): Candidates;
  /**
   * Those that a test of your own accepts. `key` names the test: it is run once per candidate and
   * key, and again when `update()` changes the candidate; it may look at what those were told, but at nothing
   * else that changes.
   */
  where(key: string, accepts: (slot: number) => boolean): Candidates;
  /** All candidates of the selector: for state that filters must not divide. */
  readonly all: Candidates;
  /**
   * What this strategy keeps about these candidates, made on first use. It is told of changes as far
   * as it is an `Index`.
   */
  index<Kind extends object>(owner: object, create: (among: Candidates) => Kind): Kind;
}

/** State of a strategy over one set of candidates, kept up to date by what it is told. */
export interface Index {
  /**
   * A candidate has become available, or was added. Also told of each one when the index is made: first those that were
   * never picked, from any one of them on, then the others, the least recently picked first.
   */
  entered?(slot: number): void;
  /** It is no longer available, or is being removed. */
  left?(slot: number): void;
  /** It was removed from the selector, available or not: its slot may be given to another. */
  removed?(slot: number): void;
  /** It must not be picked until `shown`: it is excluded from the pick that is being made. */
  hidden?(slot: number): void;
  shown?(slot: number): void;
  /**
   * `update()` changed what was said of an available candidate, and it is still one of these. An index without
   * this is told that it left, before, and that it entered, after: right, but what was kept of it is lost.
   */
  changed?(slot: number): void;
  /** An outcome of an available candidate was recorded. */
  recorded?(slot: number): void;
  /** `inform()` has told what an available candidate is like. */
  informed?(slot: number): void;
}
