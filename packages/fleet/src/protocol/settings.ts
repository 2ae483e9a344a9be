/** What is shared with the fleet. */
export interface FleetShare {
  /** Open circuits and recoveries, and one test for all. Default true. */
  readonly circuits: boolean;
  /** Failures before a circuit opens. Default true. */
  readonly failures: boolean;
  /** Bans by rules, and 407 for the same credentials. Default true. */
  readonly bans: boolean;
  /** Success rates and latencies, for newcomers. Default true. */
  readonly evidence: boolean;
  /** Sessions that moved, under a strategy with `consistent()`. Default true. */
  readonly sessions: boolean;
  /** The retry budget's reserve and capacity. Default true. */
  readonly budget: boolean;
}

/** The options of `joinFleet()` with their defaults filled in. */
export interface Settings {
  readonly pool: string;
  readonly process: string;
  readonly witness: string;
  readonly intervalMs: number;
  readonly deadlineMs: number;
  readonly witnesses: number;
  readonly suspectRatio: number;
  readonly graceMs: number;
  readonly armMs: number;
  readonly leaseMs: number;
  readonly closeSpreadMs: number;
  readonly rowsPerSecond: number;
  readonly evidenceIntervalMs: number;
  readonly memberTtlMs: number;
  readonly keyTtlMs: number;
  readonly prefix: string;
  readonly hashIds: boolean;
  readonly share: FleetShare;
}

/** The version of the protocol: processes of different ones share nothing. */
export const version = 'v1';

/** What all keys of a fleet begin with. The braces keep them in one slot of a cluster. */
export function scopeOf({ prefix, pool }: Pick<Settings, 'prefix' | 'pool'>): string {
  return `${prefix}:{${pool}}:${version}`;
}

/** Failures that open a circuit whose own rule does not say. */
export const usualThreshold = 5;

/** Reports of failures count for so long. */
export const reportMs = 60_000;

/** A report that a proxy works counts for so long; it is made once a second while it is contested. */
export const workingMs = 5000;
export const workingEveryMs = 1000;

/** No sync begins sooner after another: 11.7 a second at most. */
export const leastGapMs = 85;

/** A failure waits for others for so long before it is told. */
export const gatherMs = 20;

/** After so many misses in a row the store counts as away. */
export const missesToDegrade = 3;

/** A sync that does not settle keeps others back for so long. */
export const abandonMs = 5000;

/**
 * A remaining time that others have written, who may write anything: what is none is over, and a longer one than 30 days
 * ends then.
 */
export function boundedMs(ms: number): number {
  return Math.min(Math.max(ms || 0, 0), 30 * 86_400_000);
}
