/** What is known of one candidate. A strategy reads it and changes nothing. */
export interface Candidate {
  readonly id: string;
  readonly region: string | undefined;
  readonly weight: number;
  readonly cost: number;
  readonly tags: readonly string[];
  readonly maxConcurrent: number;
  /** Attempts begun and not ended. */
  readonly inFlight: number;
  /** Picks so far. */
  readonly picks: number;
  /** The number of the last pick, 0 when never picked. */
  readonly lastPick: number;
  /** Of the last 100 outcomes; 0.5 without any. */
  readonly successRate: number;
  readonly samples: number;
  /** Of the last 100 successes; undefined without any. */
  readonly avgLatencyMs: number | undefined;
}

/** What a pick is for. */
export interface SelectContext {
  /** Ids to avoid while another is available. */
  readonly exclude?: ReadonlySet<string> | readonly string[] | undefined;
  readonly region?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly target?: string | undefined;
  /** Only candidates with all of these. */
  readonly tags?: readonly string[] | undefined;
}

/** Picks one of the candidates; there is at least one. */
export interface Strategy {
  readonly name: string;
  pick(
    candidates: readonly Candidate[],
    context: SelectContext,
    random: () => number,
  ): Candidate | undefined;
}

/** The candidate with the largest value; ties at random. */
export function best(
  candidates: readonly Candidate[],
  value: (candidate: Candidate) => number,
  random: () => number,
): Candidate | undefined {
  let found: Candidate | undefined;
  let most = -Infinity;
  let ties = 0;
  for (const candidate of candidates) {
    const each = value(candidate);
    if (each > most) {
      most = each;
      found = candidate;
      ties = 1;
    } else if (each === most && random() * ++ties < 1) found = candidate;
  }
  return found;
}
