import type { SyncRequest } from '../src/store.ts';
import { syncRequest } from '../src/testing/sync-request.test-kit.ts';

/** What a process asks that has heard of nothing, and tells nothing. */
export function askOf(process: string, pool: string, more: Partial<SyncRequest> = {}): SyncRequest {
  return syncRequest({ process, scope: `whirl:{${pool}}:v1`, ...more });
}
