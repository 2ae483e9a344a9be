import type { SyncRequest } from '../store.ts';

/** What a process asks that has nothing to tell and wants no lease. */
export function syncRequest(more: Partial<SyncRequest>): SyncRequest {
  return {
    process: 'reader',
    witness: 'host',
    scope: 'whirl:{test}:v1',
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
