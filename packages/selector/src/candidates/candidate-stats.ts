/** What others have seen of a candidate: see `Selector.inform`. */
export interface Prior {
  readonly id: string;
  /** 0 to 1. */
  readonly successRate: number;
  /** Mean milliseconds of a success, 0 to 10^12. Default: unknown. */
  readonly successMs?: number | undefined;
  /** Attempts of the candidate's own that it is worth, ≥ 0; more than 10 count as 10. */
  readonly weight: number;
}

/** What attempts taught about a candidate: see `Selector.evidence`. */
export interface Evidence {
  readonly id: string;
  /** Faded by half every 120 s; a timeout counts as two failures. */
  readonly successes: number;
  readonly failures: number;
  /** Mean milliseconds of a success and of a failure; 0 without any. */
  readonly successMs: number;
  readonly failureMs: number;
  /** Successes in a row, or failures in a row as a negative number, −100 to 100. */
  readonly run: number;
  /** Epoch milliseconds of the last attempt. */
  readonly triedAt: number;
}

/** A ban that holds: see `Selector.bans`. */
export interface Ban {
  readonly id: string;
  /** Undefined: for all of them. */
  readonly target: string | undefined;
  /** Epoch milliseconds. */
  readonly until: number;
}

/** What is known of a candidate. */
export interface CandidateStats {
  /** Of the last 100 outcomes, 0 to 1; 0.5 without any. */
  readonly successRate: number;
  /** Of its successes, in milliseconds; undefined without any. */
  readonly avgLatencyMs: number | undefined;
  /** Outcomes recorded, at most 100. */
  readonly samples: number;
  /** As the strategy in use judges it, 0 to 1. */
  readonly score: number;
  /** Attempts begun and not ended. */
  readonly inFlight: number;
  /** Whether it could be picked now. */
  readonly available: boolean;
}
