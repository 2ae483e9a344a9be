import type { AttemptEnd, CircuitTransition, ProxyBanned } from '@whirl/events';
import { holdOf } from '../facts.ts';
import type { Parts } from './parts.ts';

/** Opens that were made so long before this process became suspect are in doubt too. */
const doubtMs = 10_000;

/** What happens in this process: turned into what it has to tell. */
export class Observed {
  readonly #parts: Parts;
  readonly #offs: (() => void)[];
  /** Failures in a row of the proxies that fail. */
  readonly #runs = new Map<string, number>();
  /** Circuits that opened here, and when; none that others decided. */
  readonly #ownOpens = new Map<string, number>();
  readonly #bannedUntil = new Map<string, number>();
  /** Called when there is something that cannot wait. */
  readonly #urgent: (waitMs: number) => void;

  constructor(parts: Parts, urgent: (waitMs: number) => void, gatherMs: number) {
    this.#parts = parts;
    this.#urgent = urgent;
    const { bus } = parts.pool;
    this.#offs = [
      bus.on('attempt:end', (event) => this.#ended(event, gatherMs)),
      bus.on('circuit:transition', (event) => this.#moved(event)),
      bus.on('proxy:banned', (event) => this.#banned(event)),
      bus.on('proxy:removed', ({ proxyId }) => {
        this.#runs.delete(proxyId);
        this.#ownOpens.delete(proxyId);
        parts.forget(proxyId);
      }),
    ];
    for (const { id, state, nextTestAt } of parts.pool.circuits()) {
      if (state === 'open' && nextTestAt !== undefined) parts.open(id, nextTestAt);
    }
  }

  close(): void {
    for (const off of this.#offs) off();
  }

  /** This process is suspect: what it has not told yet it does not tell. */
  withdraw(): void {
    const { outbox, evidence } = this.#parts;
    outbox.withdraw();
    evidence.withdraw();
  }

  /** It is suspect no more: circuits that it opened meanwhile, and that no other process confirms, close. */
  amnesty(suspectAt: number, now: number): void {
    const { ledger, pool, settings, holds } = this.#parts;
    for (const [id, at] of this.#ownOpens) {
      if (at < suspectAt - doubtMs) continue;
      const { failing } = ledger.findings(id, this.#parts.threshold(id), now, settings.process);
      if (failing > 0) continue;
      this.#runs.delete(id);
      ledger.clear(id, now);
      holds.delete(this.#parts.fieldOf(id), true);
      pool.adopt(id, 'closed');
    }
  }

  #ended(event: AttemptEnd, gatherMs: number): void {
    const { proxyId: id, outcome, blame, reason, statusCode, latencyMs } = event;
    const { pool, selfCheck, settings } = this.#parts;
    const failed = outcome === 'failure' || outcome === 'timeout';
    if (!failed && outcome !== 'success') return;
    const now = pool.now();
    const silent = failed && statusCode === undefined && blame !== 'route' && blame !== 'target';
    selfCheck.ended(id, silent, now);
    if (reason === 'proxy_auth') {
      this.#unauthorized(id, now);
      return;
    }
    const guilty = failed && blame === 'proxy' && reason !== 'banned';
    if (!guilty && !(outcome === 'success' && blame === 'none')) return;
    const again = this.#parts.recoveries.ended(id, !guilty, now);
    if (again !== undefined) {
      pool.adopt(id, 'open', { openMs: again });
      this.#opened(id, now + again);
    }
    if (settings.share.evidence && !(guilty && selfCheck.isSuspect)) {
      this.#parts.evidence.ended(this.#parts.names.out(id), !guilty, latencyMs);
    }
    if (!settings.share.failures) return;
    if (guilty) this.#failed(id, latencyMs, now, gatherMs);
    else this.#succeeded(id, now);
  }

  #failed(id: string, latencyMs: number, now: number, gatherMs: number): void {
    const { ledger, outbox, selfCheck, settings } = this.#parts;
    const run = (this.#runs.get(id) ?? 0) + 1;
    this.#runs.set(id, run);
    if (selfCheck.isSuspect) return;
    ledger.failed(id, settings.process, run, now);
    outbox.failed(id, run, latencyMs);
    this.#parts.consider(id, now);
    // A single failure that no other process has seen can wait for the interval: most of them are slips.
    const elsewhere = ledger.findings(id, 1, now, settings.process).failing;
    if (run + elsewhere > 1) this.#urgent(gatherMs);
  }

  #succeeded(id: string, now: number): void {
    const { ledger, outbox, settings } = this.#parts;
    if (this.#runs.delete(id)) outbox.succeeded(id);
    if (!ledger.isContested(id)) return;
    ledger.worked(id, settings.process, now);
    outbox.works(id, now);
  }

  /** Its response proves that the network works: one process is enough to know, for the same credentials. */
  #unauthorized(id: string, now: number): void {
    const { pool, outbox, holds, names, settings } = this.#parts;
    const until = pool.circuit(id)?.nextTestAt;
    if (!settings.share.bans || until === undefined || until <= now) return;
    const fingerprint = pool.fingerprint(id, `${settings.prefix}:${settings.pool}`);
    if (fingerprint === undefined) return;
    outbox.retract(id);
    holds.delete(this.#parts.fieldOf(id), false);
    outbox.tell({ kind: 'unauthorized', id, until, fingerprint });
    holds.set(holdOf({ kind: 'unauthorized', id: names.out(id), fingerprint }), until);
    this.#urgent(0);
  }

  #banned({ proxyId: id, target, until, rule }: ProxyBanned): void {
    const { outbox, holds, names, settings } = this.#parts;
    if (rule === 'fleet' || !settings.share.bans) return;
    if (target === undefined) this.#bannedUntil.set(id, until);
    outbox.tell({ kind: 'banned', id, until, target });
    holds.set(holdOf({ kind: 'banned', id: names.out(id), target }), until);
    this.#urgent(0);
  }

  #moved({ name: id, from, to, reason, nextTestAt, provisional }: CircuitTransition): void {
    const { tests, holds, outbox, ledger, pool, recoveries, selfCheck } = this.#parts;
    const now = pool.now();
    if (!this.#parts.settings.share.circuits) return;
    if (to === 'half_open') tests.testing(id);
    if (to === 'open') selfCheck.opened(id);
    // What others decided is not told again: the process that decided has told it.
    if (reason === 'fleet') {
      if (to === 'closed') {
        this.#ownOpens.delete(id);
        tests.closed(id, false);
      }
      return;
    }
    if (to === 'open' && nextTestAt !== undefined) {
      this.#ownOpens.set(id, now);
      if (from === 'half_open') recoveries.forget(id);
      this.#opened(id, nextTestAt, reason === 'probe_failed', provisional);
    } else if (to === 'closed') {
      this.#ownOpens.delete(id);
      this.#bannedUntil.delete(id);
      this.#runs.delete(id);
      ledger.clear(id, now);
      const leased = tests.closed(id, reason === 'recovered');
      holds.delete(this.#parts.fieldOf(id), false);
      if (reason !== 'recovered') return;
      if (!leased) outbox.tell({ kind: 'closed', id });
      this.#urgent(0);
    } else if (to === 'forced_open' || to === 'disabled') {
      this.#ownOpens.delete(id);
      tests.closed(id, false);
      holds.delete(this.#parts.fieldOf(id), false);
    }
  }

  #opened(id: string, until: number, failedTest = false, provisional = false): void {
    const { tests, holds, outbox, selfCheck, settings, ledger, pool } = this.#parts;
    const { isShared } = this.#parts;
    const banned = (this.#bannedUntil.get(id) ?? -Infinity) >= until - 1;
    if (failedTest) tests.failed(id, until, isShared);
    else tests.opened(id, until, isShared);
    // Failures that may be the target's, and those of a suspect, are this process's own affair.
    if (provisional || selfCheck.isSuspect) return;
    if (!banned) {
      ledger.opened(id, settings.process, this.#parts.threshold(id) - 1, until, pool.now());
      outbox.tell({ kind: 'opened', id, until });
    }
    holds.set(this.#parts.fieldOf(id), until);
    this.#urgent(0);
  }
}
