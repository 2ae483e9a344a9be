import type { Fact } from '../facts.ts';
import { encodeFacts } from '../facts.ts';
import type { SharedPool } from '../shared-pool.ts';
import type { SyncResponse, SyncRequest, Verdict } from '../store.ts';
import { Heard } from './heard.ts';
import { Observed } from './observed.ts';
import { Parts } from './parts.ts';
import {
  boundedMs,
  gatherMs,
  leastGapMs,
  missesToDegrade,
  scopeOf,
  version,
  type Settings,
} from './settings.ts';

/** What a sync was about: to be said again when it is not known whether it was heard. */
interface Told {
  readonly ask: SyncRequest;
  readonly at: number;
  readonly facts: readonly Fact[];
  readonly verdicts: { id: string; verdict: Omit<Verdict, 'field'> }[];
}

/** `joining`: the store has not responded yet. */
export type FleetState = 'joining' | 'joined' | 'degraded' | 'suspect';

/** A full list of the processes is asked for every so many syncs. */
const listEvery = 10;
/** A sync whose response was cut is followed by the next one so soon. */
const moreMs = 50;
/** After a miss the next sync waits twice as long each time, up to this. */
const firstWaitMs = 50;
const longestWaitMs = 1000;

/**
 * One process of a fleet, without timers and without a store: it says when it wants to be woken, what it asks, and is
 * told the response or that none came.
 */
export class Protocol {
  readonly parts: Parts;
  readonly heard: Heard;
  /** Called when it wants to be woken sooner than it has said. */
  onHurry: () => void = () => {};
  readonly counts = { ok: 0, failed: 0, sent: 0, delayed: 0 };
  readonly #observed: Observed;
  readonly #pool: SharedPool;
  readonly #settings: Settings;
  #epoch = '';
  #position = '';
  #syncs = 0;
  #lastAskAt = -Infinity;
  #nextAskAt: number;
  #state: FleetState = 'joining';
  #joined = false;
  #misses = 0;
  #degradedAt: number | undefined;
  #suspectAt = 0;
  #rowsLeft: number;
  #rowsAt: number;
  readonly #incompatible = new Set<string>();
  #newest: Told | undefined;

  constructor(pool: SharedPool, settings: Settings) {
    this.#pool = pool;
    this.#settings = settings;
    this.parts = new Parts(pool, settings);
    this.heard = new Heard(this.parts, (waitMs) => this.#hurry(waitMs));
    const now = pool.now();
    this.#nextAskAt = now;
    this.#rowsAt = now;
    this.#rowsLeft = settings.rowsPerSecond;
    this.#observed = new Observed(this.parts, (waitMs) => this.#hurry(waitMs), gatherMs);
  }

  get state(): FleetState {
    return this.#state;
  }

  /** When `tick` is to be called next, at the latest. Epoch milliseconds. */
  wakeAt(now: number): number {
    const { tests, recoveries } = this.parts;
    return Math.min(this.#nextAskAt, tests.wakeAt(now), recoveries.wakeAt());
  }

  /** Time passes. True: the store should be asked now. */
  tick(now: number): boolean {
    const { tests, recoveries, ledger, pool } = this.parts;
    ledger.sweep(now);
    this.#checkSelf(now);
    const openUntil = (id: string) =>
      Math.max(now + 1000, tests.dueAt(id) ?? 0, pool.circuit(id)?.nextTestAt ?? 0);
    for (const id of recoveries.tick(now, (each) => openUntil(each) - now)) {
      this.parts.counts.adopted.closed++;
      this.parts.holds.delete(this.parts.fieldOf(id), true);
    }
    tests.tick(now);
    if (this.parts.isShared && tests.isDue(now)) this.#hurry(0);
    if (tests.hasVerdicts) this.#hurry(0);
    return now >= this.#nextAskAt;
  }

  /** What to ask the store. `leaving`: for the last time. */
  ask(now: number, leaving = false): SyncRequest {
    const { tests, outbox, holds, evidence, names, selfCheck, peers } = this.parts;
    const settings = this.#settings;
    // After a miss it asks for everything: a key or a command that only some syncs use is then missed again.
    const live = this.#misses > 0 || this.#syncs++ % listEvery === 0 ? -1 : peers.live;
    if (!leaving) this.parts.tellMoves(now);
    // Said again with each full list, for those that have come since.
    if (live < 0 && selfCheck.isSuspect) outbox.tell({ kind: 'process', id: 'suspect' });
    const facts: Fact[] = leaving
      ? [{ kind: 'process', id: 'left' }]
      : outbox.take(now, this.#rowsAllowed(now));
    this.counts.delayed += outbox.rows;
    this.counts.sent += facts.length;
    const told = facts.map((fact) =>
      fact.kind === 'process' ? fact : { ...fact, id: names.out(fact.id) },
    );
    const verdicts = tests.takeVerdicts();
    const asks = !leaving && this.parts.isShared ? tests.toAsk(now) : [];
    this.#lastAskAt = now;
    this.#nextAskAt = now + settings.intervalMs;
    const nothing = { evidence: [], buckets: [] };
    const ask: SyncRequest = {
      process: settings.process,
      witness: settings.witness,
      scope: scopeOf(settings),
      version,
      epoch: this.#epoch,
      newEpoch: `${settings.process}-${this.#pool.random()}`,
      position: this.#position,
      batch: told.length > 0 ? encodeFacts(told) : undefined,
      ...(leaving ? { holds: [], releases: [] } : holds.take(now)),
      verdicts: verdicts.map(({ id, verdict }) => ({ field: this.parts.fieldOf(id), ...verdict })),
      leases: asks.map((id) => ({ field: this.parts.fieldOf(id), leaseMs: settings.leaseMs })),
      ...(leaving || !settings.share.evidence ? nothing : evidence.take(now)),
      live,
      leaving,
      memberTtlMs: Math.max(settings.memberTtlMs, 3 * settings.intervalMs),
      keyTtlMs: settings.keyTtlMs,
      logTtlMs: 60_000,
    };
    this.#newest = { ask, at: now, facts, verdicts };
    return ask;
  }

  /** The store has responded, however late. */
  responded(ask: SyncRequest, response: SyncResponse, askedAt: number, now: number): void {
    const { parts, heard } = this;
    // This process is there itself.
    if (!(response.live >= 1)) throw new TypeError('no response');
    const isNewest = this.#newest?.ask === ask;
    if (isNewest) this.#newest = undefined;
    this.counts.ok++;
    this.#misses = 0;
    parts.inTouch = true;
    const isNew = response.epoch !== this.#epoch;
    if (isNew || this.#degradedAt !== undefined) parts.peers.returning(now);
    if (isNew) {
      if (this.#epoch !== '') parts.holds.lost();
      this.#epoch = response.epoch;
      this.#position = response.position;
    } else if (ask.position === this.#position) this.#position = response.position;
    this.#peersHeard(response, now);
    for (const hold of response.holds) heard.hold(hold, now);
    for (const entry of response.entries) heard.entry(entry, now);
    for (const { field, term } of response.grants) {
      const id = parts.idOf(field);
      if (id !== undefined) parts.tests.granted(id, term, askedAt, now);
    }
    for (const { field, remainingMs } of response.denials) {
      const id = parts.idOf(field);
      if (id !== undefined) parts.tests.denied(id, boundedMs(remainingMs), now);
    }
    if (response.evidence.length > 0) heard.evidence(response.evidence);
    for (const other of response.versions) this.#incompatibleWith(other, now);
    this.#settle(now);
    if (parts.isShared) parts.tests.renew(now);
    if (response.more || (this.#settings.share.evidence && parts.evidence.isNew)) {
      this.#nextAskAt = Math.min(this.#nextAskAt, Math.max(now, this.#lastAskAt + moreMs));
    }
  }

  /**
   * A sync got no response in time, or failed; `reason` is a code. What it told is said again: doing so twice does no
   * harm, and a response that comes late is welcome.
   */
  missed(ask: SyncRequest | undefined, reason: string, now: number): void {
    const { outbox, tests, holds, evidence, pool } = this.parts;
    this.counts.failed++;
    this.#misses++;
    if (ask !== undefined && this.#newest?.ask === ask) {
      outbox.restore(this.#newest.facts, now);
      tests.restoreVerdicts(this.#newest.verdicts);
      holds.restore(ask);
      evidence.unread(ask.buckets);
      this.#newest = undefined;
    }
    const waitMs = Math.min(firstWaitMs * 2 ** this.#misses, longestWaitMs);
    const spread = 0.5 + pool.random();
    this.#nextAskAt = Math.max(this.#nextAskAt, now + waitMs * spread);
    if (this.#misses < missesToDegrade || this.#degradedAt !== undefined) return;
    this.#degradedAt = now;
    this.parts.inTouch = false;
    this.#state = 'degraded';
    pool.bus.emit('fleet:degraded', { reason, at: now });
  }

  /** A person takes a proxy out of every process, or lifts that. */
  override(kind: 'forced' | 'reset', id: string): void {
    const { outbox, holds, ledger } = this.parts;
    const field = this.parts.forcedFieldOf(id);
    if (kind === 'forced') holds.set(field, Infinity);
    else {
      ledger.clear(id, this.#pool.now());
      holds.delete(field, true);
      holds.delete(this.parts.fieldOf(id), true);
    }
    outbox.tell({ kind, id });
    this.#hurry(0);
  }

  close(): void {
    this.#observed.close();
    this.parts.tests.close();
  }

  /** An ask before its time, within the bound of asks per second. */
  #hurry(waitMs: number): void {
    const now = this.#pool.now();
    // While the store is away its pace is the store's.
    if (this.#misses > 0) return;
    const at = Math.max(now + waitMs, this.#lastAskAt + leastGapMs);
    if (at >= this.#nextAskAt) return;
    this.#nextAskAt = at;
    this.onHurry();
  }

  /** Rows that may be told now: a share of what the whole fleet may tell. */
  #rowsAllowed(now: number): number {
    const perSecond = this.#settings.rowsPerSecond / Math.max(1, this.parts.peers.live);
    const earned = (perSecond * (now - this.#rowsAt)) / 1000;
    this.#rowsAt = now;
    this.#rowsLeft = Math.min(Math.max(perSecond, 1), this.#rowsLeft + earned);
    const allowed = Math.floor(this.#rowsLeft);
    this.#rowsLeft -= Math.min(allowed, this.parts.outbox.rows);
    return allowed;
  }

  #peersHeard({ live, peers }: SyncResponse, now: number): void {
    if (!this.parts.peers.heard(live, peers, now)) return;
    if (this.#settings.share.budget) this.#pool.share(live);
    if (!this.#joined) {
      this.#joined = true;
      const { process } = this.#settings;
      this.#pool.bus.emit('fleet:joined', { process, live, at: now });
    } else this.#pool.bus.emit('fleet:peers', { live, at: now });
  }

  #settle(now: number): void {
    if (this.#degradedAt !== undefined) {
      this.#pool.bus.emit('fleet:recovered', { forMs: now - this.#degradedAt, at: now });
      this.#degradedAt = undefined;
    }
    this.#state = this.parts.selfCheck.isSuspect ? 'suspect' : 'joined';
  }

  #checkSelf(now: number): void {
    const { selfCheck, pool, tests, outbox } = this.parts;
    if (!selfCheck.check(now)) return;
    const { bus } = pool;
    if (selfCheck.isSuspect) {
      this.#suspectAt = now;
      this.#observed.withdraw();
      tests.disarm(now);
      outbox.tell({ kind: 'process', id: 'suspect' });
      bus.emit('fleet:suspect', { failing: selfCheck.failing, tried: selfCheck.tried, at: now });
    } else {
      outbox.tell({ kind: 'process', id: 'well' });
      bus.emit('fleet:cleared', { at: now });
      this.#observed.amnesty(this.#suspectAt, now);
    }
    if (this.#state === 'joined' || this.#state === 'suspect') {
      this.#state = selfCheck.isSuspect ? 'suspect' : 'joined';
    }
  }

  #incompatibleWith(other: string, now: number): void {
    if (this.#incompatible.has(other)) return;
    this.#incompatible.add(other);
    this.#pool.bus.emit('fleet:incompatible', { version: other, at: now });
  }
}
