import type { SyncRequest } from '../src/store.ts';

/** What a process asks that has heard of nothing, and tells nothing. */
export function askOf(process: string, pool: string, more: Partial<SyncRequest> = {}): SyncRequest {
  return {
    process,
    witness: 'host',
    scope: `whirl:{${pool}}:v1`,
    version: 'v1',
    epoch: '',
    newEpoch: 'first',
    position: '',
    batch: undefined,
    holds: [],
    releases: [],
    verdicts: [],
    leases: [],
    evidence: [],
    buckets: [],
    live: 0,
    leaving: false,
    memberTtlMs: 3000,
    keyTtlMs: 60_000,
    logTtlMs: 60_000,
    ...more,
  };
}
