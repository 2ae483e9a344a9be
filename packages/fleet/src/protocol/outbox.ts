import type { Fact } from '../facts.ts';
import { workingEveryMs } from './settings.ts';

/** A fact that holds until an instant: its remaining time is worked out when it is told. */
type Timed = Extract<Fact, { readonly remainingMs: number }>;
export type TimedFact = {
  [Kind in Timed['kind']]: Omit<Extract<Timed, { kind: Kind }>, 'remainingMs'> & {
    readonly until: number;
  };
}[Timed['kind']];
type Plain = Exclude<Fact, Timed | { readonly kind: 'failing' | 'working' }>;

interface Row {
  failures: number;
  run: number;
  totalMs: number;
}

/** Single facts held at most while the store is away; beyond it the oldest go. */
const maxFacts = 10_000;

/** What this process has to tell: one row for each failing proxy however often it fails, and single facts. */
export class Outbox {
  #rows = new Map<string, Row>();
  /** Proxies that work although others report them failing, and when that was said last. */
  readonly #working = new Set<string>();
  readonly #workingSaidAt = new Map<string, number>();
  #facts: (TimedFact | Plain)[] = [];

  get rows(): number {
    return this.#rows.size;
  }

  failed(id: string, run: number, latencyMs: number): void {
    const row = this.#rows.get(id) ?? { failures: 0, run: 0, totalMs: 0 };
    row.failures++;
    row.run = run;
    row.totalMs += latencyMs;
    this.#rows.set(id, row);
  }

  /** Its row, if there is one, ends with a success. */
  succeeded(id: string): void {
    const row = this.#rows.get(id);
    if (row !== undefined) row.run = 0;
  }

  /** It works here, and others report it failing: said at most once a second. */
  works(id: string, now: number): void {
    if (now - (this.#workingSaidAt.get(id) ?? -Infinity) < workingEveryMs) return;
    this.#working.add(id);
  }

  tell(fact: TimedFact | Plain): void {
    if (this.#facts.push(fact) > maxFacts) this.#facts.shift();
  }

  /** Nothing is said of failures: they may be this process's own. */
  withdraw(): void {
    this.#rows.clear();
    this.#facts = this.#facts.filter(({ kind }) => kind !== 'opened');
  }

  /** It is not said that its circuit opened: there is a better reason to tell. */
  retract(id: string): void {
    this.#facts = this.#facts.filter((fact) => fact.kind !== 'opened' || fact.id !== id);
  }

  forget(id: string): void {
    this.#rows.delete(id);
    this.#working.delete(id);
    this.#workingSaidAt.delete(id);
  }

  /** What is to be told now: all single facts, and rows up to a number. */
  take(now: number, maxRows: number): Fact[] {
    const facts: Fact[] = [];
    for (const [id, { failures, run, totalMs }] of this.#rows) {
      if (facts.length >= maxRows) break;
      facts.push({ kind: 'failing', id, failures, run, latencyMs: totalMs / failures });
      this.#rows.delete(id);
    }
    for (const id of this.#working) {
      facts.push({ kind: 'working', id });
      this.#workingSaidAt.set(id, now);
    }
    this.#working.clear();
    for (const fact of this.#facts) {
      if (!('until' in fact)) facts.push(fact);
      else if (fact.until > now) {
        const { until, ...rest } = fact;
        facts.push({ ...rest, remainingMs: until - now } as Fact);
      }
    }
    this.#facts = [];
    for (const [id, saidAt] of this.#workingSaidAt) {
      if (now - saidAt > workingEveryMs) this.#workingSaidAt.delete(id);
    }
    return facts;
  }

  /** It is not known whether these were told: they are said again. That does no harm. */
  restore(facts: readonly Fact[], now: number): void {
    for (const fact of facts) {
      if (fact.kind === 'working') continue;
      if (fact.kind !== 'failing') {
        if (!('remainingMs' in fact)) this.tell(fact);
        else {
          const { remainingMs, ...rest } = fact;
          this.tell({ ...rest, until: now + remainingMs } as TimedFact);
        }
      } else if (!this.#rows.has(fact.id)) {
        const { failures, run, latencyMs } = fact;
        this.#rows.set(fact.id, { failures, run, totalMs: latencyMs * failures });
      }
    }
  }
}
