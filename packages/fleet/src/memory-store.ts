import { checkOptions, func } from '@whirl/check';
import {
  bucketOf,
  evidenceHalfLifeMs,
  holdGraceMs,
  leastEvidence,
  maxEntries,
  passedMs,
  type LogEntry,
  type EvidenceRow,
  type SyncResponse,
  type SyncRequest,
  type FleetStore,
  type Peer,
  type Verdict,
} from './store.ts';

/** The options of `memoryStore()`. One that is unknown or of a wrong type is refused with a TypeError that names it. */
export interface MemoryStoreOptions {
  /** Milliseconds that never step back. Default `performance.now`. */
  readonly now?: (() => number) | undefined;
}

/** What the store keeps of one fleet. */
interface Room {
  epoch: string;
  usedAt: number;
  /** The number of the last entry. */
  last: number;
  log: (Peer & { number: number; at: number; batch?: string; passed?: string })[];
  holds: Map<string, { until: number; marks: Peer[] }>;
  leases: Map<string, { until: number; term: number; process: string }>;
  peers: Map<string, { witness: string; at: number }>;
  evidence: Map<string, EvidenceRow & { at: number }>;
}

/**
 * A store in the memory of one process, for tests and for several rotators of one process. It does what
 * `redisStore()` does, and is the measure of it: both pass the same tests.
 */
export function memoryStore(options: MemoryStoreOptions = {}): FleetStore {
  checkOptions('', options, { now: func });
  const { now = () => performance.now() } = options;
  const rooms = new Map<string, Room>();
  /** Versions in use, by what the scopes have in common. */
  const versions = new Map<string, Map<string, number>>();

  return {
    async sync(ask) {
      const at = now();
      let room = rooms.get(ask.scope);
      if (room === undefined || at - room.usedAt > ask.keyTtlMs) {
        rooms.set(ask.scope, (room = emptyRoom(ask.newEpoch)));
      }
      room.usedAt = at;
      const family = ask.scope.slice(0, -ask.version.length);
      const known = versions.get(family) ?? new Map<string, number>();
      versions.set(family, known.set(ask.version, at));
      const others = [...known].filter(
        ([version, usedAt]) => version !== ask.version && at - usedAt <= ask.keyTtlMs,
      );
      return respond(room, ask, at, ask.live < 0 ? others.map(([version]) => version) : []);
    },
    close() {},
  };
}

function emptyRoom(epoch: string): Room {
  const nothing = { holds: new Map(), leases: new Map(), peers: new Map(), evidence: new Map() };
  return { epoch, usedAt: 0, last: 0, log: [], ...nothing };
}

function respond(room: Room, ask: SyncRequest, at: number, versions: string[]): SyncResponse {
  const fresh = ask.epoch !== room.epoch;
  const reached = Number.parseInt(ask.position, 10) || 0;
  const from = fresh || reached > room.last ? 0 : reached;
  const peer = { process: ask.process, witness: ask.witness };
  meet(room, ask, at);
  if (ask.batch !== undefined)
    room.log.push({ ...peer, number: ++room.last, at, batch: ask.batch });
  for (const { field, remainingMs } of ask.holds) hold(room, field, at + remainingMs, peer);
  for (const field of ask.releases) room.holds.delete(field);
  for (const verdict of ask.verdicts) judge(room, verdict, peer, at);
  const { grants, denials } = lend(room, ask, at);
  for (const row of ask.evidence) learn(room, row, at);
  if (ask.leaving) leave(room, ask.process, at);
  sweep(room, ask, at);
  const entries = room.log.filter((each) => each.number > from).slice(0, maxEntries);
  const position = entries.at(-1)?.number ?? room.last;
  return {
    epoch: room.epoch,
    position: String(position),
    entries: entries
      .filter(({ process }) => process !== ask.process)
      .map(({ process, witness, batch, passed, at: toldAt }): LogEntry => {
        return { process, witness, batch, passed, ageMs: at - toldAt };
      }),
    more: position < room.last,
    live: room.peers.size,
    peers:
      room.peers.size === ask.live
        ? undefined
        : [...room.peers].map(([process, { witness }]) => ({ process, witness })),
    grants,
    denials,
    holds: fresh
      ? [...room.holds].map(([field, { until, marks }]) => {
          return { field, remainingMs: until - at, marks: [...marks] };
        })
      : [],
    evidence: [...room.evidence.values()].filter(({ id }) => ask.buckets.includes(bucketOf(id))),
    versions,
  };
}

function meet(room: Room, { process, witness, memberTtlMs }: SyncRequest, at: number): void {
  room.peers.set(process, { witness, at });
  for (const [other, seen] of room.peers) {
    if (at - seen.at > memberTtlMs) room.peers.delete(other);
  }
}

/** The later end stands. */
function hold(room: Room, field: string, until: number, peer: Peer): void {
  const known = room.holds.get(field) ?? { until, marks: [] };
  known.until = Math.max(known.until, until);
  room.holds.set(field, known);
  const { marks } = known;
  if (marks.some(({ process }) => process === peer.process)) return;
  const [first, second] = marks;
  if (first === undefined || second === undefined) marks.push(peer);
  // Two hosts say more than two processes of one.
  else if (first.witness === second.witness && first.witness !== peer.witness) marks[1] = peer;
}

function judge(room: Room, { field, term, result, remainingMs }: Verdict, peer: Peer, at: number) {
  const lease = room.leases.get(field);
  // The term is the fence: a verdict that comes after its lease was given to another changes nothing.
  if (lease?.process !== peer.process || String(lease.term) !== term || lease.until <= at) return;
  lease.process = '';
  if (result === 'unused') lease.until = at;
  else if (result === 'failed') {
    lease.until = at + remainingMs;
    hold(room, field, lease.until, peer);
  } else {
    lease.until = at + passedMs;
    room.holds.delete(field);
    room.log.push({ ...peer, number: ++room.last, at, passed: field });
  }
}

function lend(room: Room, ask: SyncRequest, at: number): Pick<SyncResponse, 'grants' | 'denials'> {
  const grants: { field: string; term: string }[] = [];
  const denials: { field: string; remainingMs: number }[] = [];
  for (const { field, leaseMs } of ask.leases) {
    const known = room.leases.get(field);
    const until = Math.max(known?.until ?? -Infinity, room.holds.get(field)?.until ?? -Infinity);
    if (until > at) {
      denials.push({ field, remainingMs: until - at });
      continue;
    }
    const term = Math.max((known?.term ?? 0) + 1, Math.floor(at * 1000));
    room.leases.set(field, { until: at + leaseMs, term, process: ask.process });
    grants.push({ field, term: String(term) });
  }
  return { grants, denials };
}

function learn(room: Room, row: EvidenceRow, at: number): void {
  const known = room.evidence.get(row.id);
  const kept = known === undefined ? 0 : 0.5 ** ((at - known.at) / evidenceHalfLifeMs);
  const before = (known?.successes ?? 0) * kept;
  const successes = before + row.successes;
  const successMs =
    successes > 0
      ? ((known?.successMs ?? 0) * before + row.successMs * row.successes) / successes
      : 0;
  const failures = (known?.failures ?? 0) * kept + row.failures;
  room.evidence.set(row.id, { id: row.id, successes, failures, successMs, run: row.run, at });
}

function leave(room: Room, process: string, at: number): void {
  room.peers.delete(process);
  for (const lease of room.leases.values()) {
    if (lease.process === process) Object.assign(lease, { process: '', until: at });
  }
}

function sweep(room: Room, { logTtlMs }: SyncRequest, at: number): void {
  while ((room.log[0]?.at ?? at) < at - logTtlMs) room.log.shift();
  for (const [field, { until }] of room.holds) {
    if (until < at - holdGraceMs) room.holds.delete(field);
  }
  for (const [field, { until }] of room.leases) {
    if (until < at - holdGraceMs) room.leases.delete(field);
  }
  for (const [id, { successes, failures, at: learntAt }] of room.evidence) {
    const kept = 0.5 ** ((at - learntAt) / evidenceHalfLifeMs);
    if ((successes + failures) * kept < leastEvidence) room.evidence.delete(id);
  }
}
