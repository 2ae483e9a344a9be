import type { SharedPool } from '../shared-pool.ts';
import { heldOf, holdOf } from '../facts.ts';
import { OwnEvidence } from './own-evidence.ts';
import { Holds } from './holds.ts';
import { Ledger } from './ledger.ts';
import { Names } from './names.ts';
import { Outbox } from './outbox.ts';
import { Peers } from './peers.ts';
import { Recoveries } from './recoveries.ts';
import { SelfCheck } from './self-check.ts';
import { usualThreshold, type Settings } from './settings.ts';
import { Tests } from './tests.ts';

/** Moved sessions told in one sync. */
const movesAtOnce = 200;

/** What came of the facts of others. */
export interface FactCounts {
  readonly adopted: {
    opened: number;
    closed: number;
    banned: number;
    unauthorized: number;
    avoided: number;
  };
  readonly ignored: {
    one_witness: number;
    contradicted: number;
    suspect: number;
    garbage: number;
    credentials: number;
  };
}

/** The parts of the protocol, each with its own piece of state. */
export class Parts {
  readonly pool: SharedPool;
  readonly settings: Settings;
  readonly peers: Peers;
  readonly ledger: Ledger;
  readonly outbox = new Outbox();
  readonly holds = new Holds();
  readonly tests: Tests;
  readonly recoveries: Recoveries;
  readonly evidence: OwnEvidence;
  readonly selfCheck: SelfCheck;
  readonly names: Names;
  readonly counts: FactCounts = {
    adopted: { opened: 0, closed: 0, banned: 0, unauthorized: 0, avoided: 0 },
    ignored: { one_witness: 0, contradicted: 0, suspect: 0, garbage: 0, credentials: 0 },
  };
  /** Whether the store has responded lately. */
  inTouch = false;

  constructor(pool: SharedPool, settings: Settings) {
    this.pool = pool;
    this.settings = settings;
    this.peers = new Peers(settings);
    this.ledger = new Ledger(this.peers.witnessOf);
    this.tests = new Tests(pool, settings);
    this.recoveries = new Recoveries(pool, settings.closeSpreadMs);
    this.evidence = new OwnEvidence(settings);
    this.selfCheck = new SelfCheck(settings.suspectRatio);
    this.names = new Names(
      pool,
      settings.hashIds ? `${settings.prefix}:${settings.pool}` : undefined,
    );
  }

  /** Whether other processes are there to test circuits too. */
  get isShared(): boolean {
    return (
      this.inTouch &&
      this.peers.live > 1 &&
      !this.selfCheck.isSuspect &&
      this.settings.share.circuits
    );
  }

  threshold(id: string): number {
    return this.pool.failureThreshold(id) ?? usualThreshold;
  }

  /** The field of a circuit's hold and lease. */
  fieldOf(id: string): string {
    return holdOf({ kind: 'open', id: this.names.out(id) });
  }

  /** The field of the hold of a proxy that a person took out of every process. */
  forcedFieldOf(id: string): string {
    return holdOf({ kind: 'forced', id: this.names.out(id) });
  }

  /** The proxy of a circuit's field; undefined when it is none, or of a proxy that the pool does not have. */
  idOf(field: string): string | undefined {
    const held = heldOf(field);
    return held?.kind === 'open' ? this.names.in(held.id) : undefined;
  }

  /** A circuit is open in this process until then: newcomers have to know, and its test is one for all. */
  open(id: string, until: number): void {
    this.holds.set(this.fieldOf(id), until);
    this.tests.opened(id, until, this.isShared);
  }

  /**
   * Opens a circuit if the reports of others, and one's own, are enough. Returns what the reports decide:
   * `open` already or now, else why not.
   */
  consider(id: string, now: number): 'open' | 'one_witness' | 'contradicted' | 'too_few' {
    const { peers, selfCheck, settings } = this;
    const threshold = this.threshold(id);
    const without = selfCheck.isSuspect ? settings.process : undefined;
    const { run, failing, working, openUntil } = this.ledger.findings(id, threshold, now, without);
    const needed = Math.min(settings.witnesses, peers.witnesses);
    if (failing === 0) return 'too_few';
    if (failing < needed) return 'one_witness';
    if (run < threshold) return 'too_few';
    if (working >= failing) return 'contradicted';
    const openMs = openUntil > now ? Math.max(1, openUntil - now) : undefined;
    if (this.recoveries.has(id) || !this.pool.adopt(id, 'open', { openMs })) return 'open';
    this.counts.adopted.opened++;
    this.open(id, this.pool.circuit(id)?.nextTestAt ?? now);
    return 'open';
  }

  /** Sessions that moved here: others cannot know, and newcomers neither. */
  tellMoves(now: number): void {
    if (!this.settings.share.sessions) return;
    for (const { session, id, from, keepMs } of this.pool.sessionMoves(movesAtOnce)) {
      this.outbox.tell({ kind: 'moved', id, until: now + keepMs, session });
      const fieldOf = (where: string) =>
        holdOf({ kind: 'moved', id: this.names.out(where), session });
      if (from !== undefined) this.holds.delete(fieldOf(from), true);
      this.holds.set(fieldOf(id), now + keepMs, false);
    }
  }

  /** The proxy left the pool. */
  forget(id: string): void {
    this.outbox.forget(id);
    this.selfCheck.forget(id);
    this.ledger.forget(id);
    this.recoveries.forget(id);
    this.tests.closed(id, false);
    this.names.forget(id);
  }
}
