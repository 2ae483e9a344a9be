import { heldOf, readFacts, type Fact } from '../facts.ts';
import type { LogEntry, EvidenceRow, KnownHold, Peer } from '../store.ts';
import { isEvidence, priorOf } from './own-evidence.ts';
import type { Parts } from './parts.ts';
import { boundedMs } from './settings.ts';

/** One witness whose circuit has opened may keep others from this share of the pool. */
const avoidableShare = 0.1;
/** What a process says of a proxy so soon after it opened may be older than that. */
const settlingMs = 1000;
/** While a proxy is about to be opened the next sync comes so soon. */
const incidentMs = 100;
/** Failures of one report that the estimates hear of. */
const mostOverheard = 3;

/** What the other processes tell: turned into decisions of this one. */
export class Heard {
  readonly #parts: Parts;
  /** Proxies that are passed over on the word of one witness, and until when. */
  readonly #avoided = new Map<string, Map<string, number>>();
  /** Between the last fact and its arrival here. */
  lagMs = 0;
  rows = 0;

  /** Called when there is something that cannot wait. */
  readonly #urgent: (waitMs: number) => void;
  readonly #idOf: (name: string) => string | undefined;

  constructor(parts: Parts, urgent: (waitMs: number) => void) {
    this.#parts = parts;
    this.#urgent = urgent;
    this.#idOf = (name) => parts.names.in(name);
  }

  /** An entry of the log. */
  entry(entry: LogEntry, now: number): void {
    const { peers, counts } = this.#parts;
    peers.met(entry);
    const at = now - entry.ageMs;
    this.lagMs = entry.ageMs;
    if (entry.passed !== undefined) {
      const id = this.#parts.idOf(entry.passed);
      if (id !== undefined) this.#passed(id, entry, at, now);
      return;
    }
    readFacts(entry.batch ?? '', this.#idOf, (fact) => {
      if (fact === undefined) counts.ignored.garbage++;
      else this.rows++;
      if (fact?.kind === 'process') peers.said(entry.process, fact.id);
      else if (fact) this.#fact(fact, entry, at, now);
    });
  }

  /** What holds, for a process that knows nothing yet. */
  hold({ field, remainingMs: told, marks }: KnownHold, now: number): void {
    const { pool, names, peers, settings } = this.#parts;
    const held = heldOf(field);
    const remainingMs = boundedMs(told);
    const id = held && names.in(held.id);
    if (held === undefined || id === undefined) {
      if (held === undefined) this.#parts.counts.ignored.garbage++;
      return;
    }
    const others = marks.filter(({ process }) => process !== settings.process);
    for (const mark of others) peers.met(mark);
    if (held.kind === 'forced') {
      if (settings.share.circuits) pool.force(id);
    } else if (held.kind === 'moved') {
      // Older than all that has been heard of the session.
      if (settings.share.sessions) pool.moveSession({ session: held.session, id }, -1);
    } else if (held.kind === 'banned') this.#banned(id, now + remainingMs, held.target, now);
    else if (held.kind === 'unauthorized') {
      this.#unauthorized(id, remainingMs, held.fingerprint, now);
    } else if (settings.share.circuits && others.length > 0) {
      const witnesses = new Set(others.map(({ process }) => peers.witnessOf(process)));
      if (witnesses.size < Math.min(settings.witnesses, peers.witnesses)) {
        this.#ignored('one_witness');
        for (const witness of witnesses) this.#avoid(id, witness, now + remainingMs, now);
      } else if (pool.adopt(id, 'open', { openMs: Math.max(1, remainingMs) })) {
        this.#parts.counts.adopted.opened++;
        this.#parts.open(id, now + Math.max(1, remainingMs));
      }
    }
  }

  /** What the store has added up. */
  evidence(rows: readonly EvidenceRow[]): void {
    const { names, pool } = this.#parts;
    const known = [];
    for (const row of rows) {
      const id = names.in(row.id);
      if (!isEvidence(row)) this.#parts.counts.ignored.garbage++;
      else if (id !== undefined) known.push(priorOf(id, row));
    }
    if (known.length > 0) pool.inform(known);
  }

  #fact(fact: Exclude<Fact, { kind: 'process' }>, from: Peer, at: number, now: number): void {
    const { ledger, settings, pool } = this.#parts;
    const { id } = fact;
    const { share } = settings;
    switch (fact.kind) {
      case 'failing':
        if (!share.failures) return;
        ledger.failed(id, from.process, fact.run, at);
        if (fact.run > 0) this.#refuted(id, from, at, now);
        if (fact.run > 0) this.#failing(id, fact, now);
        return;
      case 'working':
        if (share.failures) ledger.worked(id, from.process, at);
        return;
      case 'opened':
        if (share.circuits) this.#opened(id, at + fact.remainingMs, from, at, now);
        return;
      case 'closed':
        // Without a lease behind it: from one that had seen it fail itself.
        if (share.circuits && ledger.hasFailed(id, from.process)) this.#passed(id, from, at, now);
        return;
      case 'banned':
        this.#banned(id, at + fact.remainingMs, fact.target, now);
        return;
      case 'unauthorized':
        this.#unauthorized(id, at + fact.remainingMs - now, fact.fingerprint, now);
        return;
      case 'moved':
        if (share.sessions) pool.moveSession({ session: fact.session, id }, at);
        return;
      case 'forced':
        if (share.circuits) pool.force(id);
        return;
      case 'reset':
        ledger.clear(id, at);
        this.#parts.holds.delete(this.#parts.forcedFieldOf(id), false);
        if (share.circuits) pool.reset(id);
    }
  }

  #failing(
    id: string,
    { failures, latencyMs }: Extract<Fact, { kind: 'failing' }>,
    now: number,
  ): void {
    const { pool } = this.#parts;
    const found = this.#consider(id, now);
    // Several see it fail: the next report may be the one that opens its circuit.
    if (found === 'too_few') this.#urgent(incidentMs);
    // One witness is not enough to pass it over either: the second one has to come from somewhere.
    if (found === 'too_few' || found === 'open') {
      pool.overheard(id, Math.max(1, Math.min(failures, mostOverheard)), latencyMs);
    }
  }

  #opened(id: string, until: number, from: Peer, at: number, now: number): void {
    const { ledger, pool, tests, peers } = this.#parts;
    ledger.opened(id, from.process, this.#parts.threshold(id) - 1, until, at);
    this.#refuted(id, from, at, now);
    if (tests.has(id)) {
      // Its test is under way here: it says more than an older opening elsewhere.
      if (!tests.holdsLease(id, now)) this.#parts.open(id, Math.max(until, now));
      return;
    }
    if ((pool.circuit(id)?.state ?? 'closed') !== 'closed') return;
    const found = this.#consider(id, now);
    if (found === 'one_witness') this.#avoid(id, peers.witnessOf(from.process), until, now);
  }

  #consider(id: string, now: number) {
    const found = this.#parts.consider(id, now);
    if (found === 'contradicted' || found === 'one_witness') this.#ignored(found);
    return found;
  }

  /** It was found to work, and fails all the same. */
  #refuted(id: string, from: Peer, at: number, now: number): void {
    const openMs = this.#parts.recoveries.refuted(id, from.process, at);
    if (openMs === undefined) return;
    this.#ignored('contradicted');
    if (openMs > 0 && this.#parts.pool.adopt(id, 'open', { openMs })) {
      this.#parts.open(id, now + openMs);
    }
  }

  /** A test elsewhere has passed. */
  #passed(id: string, from: Peer, at: number, now: number): void {
    const { ledger, recoveries, tests, settings } = this.#parts;
    if (!settings.share.circuits) return;
    // One that said all along that it works has tested nothing.
    const since = tests.openSince(id) ?? at;
    if (ledger.workedAfter(id, from.process, since + settlingMs)) {
      this.#ignored('contradicted');
      return;
    }
    ledger.clear(id, at);
    if (!tests.has(id)) return;
    tests.recovering(id, now + settings.closeSpreadMs);
    recoveries.heard(id, from.process, at, now);
  }

  #banned(id: string, until: number, target: string | undefined, now: number): void {
    const { pool, settings, counts } = this.#parts;
    if (!settings.share.bans || until <= now) return;
    counts.adopted.banned++;
    pool.ban(id, until, target);
  }

  #unauthorized(id: string, remainingMs: number, fingerprint: string, now: number): void {
    const { pool, settings, counts } = this.#parts;
    if (!settings.share.bans || remainingMs < 1) return;
    if (pool.fingerprint(id, `${settings.prefix}:${settings.pool}`) !== fingerprint) {
      this.#ignored('credentials');
      return;
    }
    if (!pool.adopt(id, 'open', { openMs: remainingMs })) return;
    counts.adopted.unauthorized++;
    this.#parts.tests.opened(id, now + remainingMs, this.#parts.isShared);
  }

  /** A wrong word costs nothing here, since another proxy is picked; a single process may say few of them. */
  #avoid(id: string, witness: string, until: number, now: number): void {
    const { pool, counts } = this.#parts;
    const theirs = this.#avoided.get(witness) ?? new Map<string, number>();
    this.#avoided.set(witness, theirs);
    for (const [other, end] of theirs) if (end <= now) theirs.delete(other);
    if (!theirs.has(id) && theirs.size >= Math.max(1, Math.floor(avoidableShare * pool.size)))
      return;
    theirs.set(id, until);
    counts.adopted.avoided++;
    pool.avoid(id, until);
  }

  #ignored(why: 'one_witness' | 'contradicted' | 'credentials'): void {
    this.#parts.counts.ignored[why]++;
  }
}
