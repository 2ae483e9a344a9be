export { joinFleet, type Fleet, type FleetMetrics, type FleetReport } from './fleet.ts';
export type { FleetOptions } from './fleet-options.ts';
export { memoryStore, type MemoryStoreOptions } from './memory-store.ts';
export type { FactCounts } from './protocol/parts.ts';
export type { FleetProcess } from './protocol/peers.ts';
export type { FleetState } from './protocol/protocol.ts';
export type { FleetShare } from './protocol/settings.ts';
export type { LeaseCounts } from './protocol/tests.ts';
export type {
  Shareable,
  SharedBan,
  SharedCircuit,
  SharedEvidence,
  SharedMove,
  SharedPool,
  SharedPrior,
} from './shared-pool.ts';
export type {
  LogEntry,
  EvidenceRow,
  SyncResponse,
  SyncRequest,
  FleetStore,
  Hold,
  KnownHold,
  Peer,
  Verdict,
} from './store.ts';
