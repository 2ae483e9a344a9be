/** A process of the fleet, and the host that it runs on: processes of one host may share a dead network. */
export interface Peer {
  readonly process: string;
  readonly witness: string;
}

/** Something that holds for a time and that newcomers have to know: an open circuit, a ban. */
export interface Hold {
  /** What is held: see `holdOf`. */
  readonly field: string;
  /** Milliseconds; `Infinity` until it is released. */
  readonly remainingMs: number;
}

/** A hold as the store knows it, with the processes that said so: at most two, of two hosts if there are such. */
export interface KnownHold extends Hold {
  readonly marks: readonly Peer[];
}

/** What came of a lease. `unused`: no test was made. */
export interface Verdict {
  readonly field: string;
  readonly term: string;
  readonly result: 'passed' | 'failed' | 'unused';
  /** Milliseconds until the next test may begin, after `failed`. */
  readonly remainingMs: number;
}

/** Outcomes of one proxy, as a process saw them since it last told, or as the store added them up. */
export interface EvidenceRow {
  readonly id: string;
  readonly successes: number;
  readonly failures: number;
  /** Mean milliseconds of a success; 0 without any. */
  readonly successMs: number;
  /** Successes in a row at the end, or failures in a row as a negative number. */
  readonly run: number;
}

/** Everything that a process tells and asks in one round trip. */
export interface SyncRequest extends Peer {
  /** The name that all keys of this fleet begin with: it holds the pool and the version of the protocol. */
  readonly scope: string;
  /** The version of the protocol: fleets of another one under the same name are reported. */
  readonly version: string;
  /** The epoch that the last response had; empty before the first one. */
  readonly epoch: string;
  /** What to call a new epoch if the store is empty. */
  readonly newEpoch: string;
  /** How far the log has been read; empty: from its start. */
  readonly position: string;
  /** Facts for the other processes; undefined when there are none. The store does not look into it. */
  readonly batch: string | undefined;
  readonly holds: readonly Hold[];
  readonly releases: readonly string[];
  readonly verdicts: readonly Verdict[];
  /** The tests that this process would make. */
  readonly leases: readonly { readonly field: string; readonly leaseMs: number }[];
  readonly evidence: readonly (EvidenceRow & { readonly bucket: number })[];
  /** Parts of the evidence to be read, from 0 to 63. */
  readonly buckets: readonly number[];
  /** How many processes there were; the list of them comes when that has changed. −1: it comes in any case. */
  readonly live: number;
  /** The last round trip: this process is gone afterwards, and its leases are free. */
  readonly leaving: boolean;
  readonly memberTtlMs: number;
  readonly keyTtlMs: number;
  /** Facts are kept for so long. */
  readonly logTtlMs: number;
}

/** Facts that another process told. */
export interface LogEntry extends Peer {
  readonly ageMs: number;
  /** What the process sent; undefined where `passed` says all. */
  readonly batch?: string | undefined;
  /** The field of a lease whose test passed: the store says so itself, after it has checked the term. */
  readonly passed?: string | undefined;
}

export interface SyncResponse {
  /** Another one than asked with: the store has lost what it knew, and the position counts for nothing. */
  readonly epoch: string;
  readonly position: string;
  readonly entries: readonly LogEntry[];
  /** There are more entries than one response may hold. */
  readonly more: boolean;
  readonly live: number;
  /** All processes; undefined when there are as many as were known. */
  readonly peers: readonly Peer[] | undefined;
  readonly grants: readonly { readonly field: string; readonly term: string }[];
  /** Leases that were not given, and when to ask again. */
  readonly denials: readonly Hold[];
  /** All that holds; only for a process that comes with another epoch. */
  readonly holds: readonly KnownHold[];
  readonly evidence: readonly EvidenceRow[];
  /** Other versions of the protocol that are in use under the same name. */
  readonly versions: readonly string[];
}

/**
 * Where the processes of a fleet meet. A store keeps no promise but that of one round trip: everything in it may
 * be lost at any time. Times are its own: nothing absolute comes in or goes out.
 */
export interface FleetStore {
  /** One round trip. Rejects when it failed; an error's `code` is what `fleet:degraded` reports. */
  sync(ask: SyncRequest): Promise<SyncResponse>;
  /** Called once, after the last `sync()`. The client of a database stays its owner's. */
  close(): void;
}

/** Parts that the evidence is divided into, so that no single read blocks the store. */
export const buckets = 64;

/** The part that a proxy's evidence is in: FNV-1a of its id. */
export function bucketOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % buckets;
}

/** Entries that one response may hold. */
export const maxEntries = 500;

/** How long a passed test keeps others from testing: until they have heard of it. */
export const passedMs = 1000;

/** Evidence in the store counts half after so long. */
export const evidenceHalfLifeMs = 120_000;

/** Evidence of fewer attempts than this is dropped. */
export const leastEvidence = 0.05;

/** Holds and leases are kept for so long after their end, so that a newcomer hears of a circuit that is due. */
export const holdGraceMs = 60_000;
