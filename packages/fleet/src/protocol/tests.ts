import type { SharedPool } from '../shared-pool.ts';
import type { Verdict } from '../store.ts';
import type { Settings } from './settings.ts';

/** Tests may take this share of the requests, so that armed circuits do not take them all. */
const shareOfRequests = 0.2;
const mostSaved = 20;
const savedAtStart = 5;
/** Leases asked for in one sync. */
const maxAsks = 64;
/** Requests within this time are traffic. */
const trafficMs = 1000;

/** An open circuit of this process. */
interface OpenCircuit {
  /** When it opened. */
  readonly since: number;
  /** When the fleet's next test may begin, as far as it is known here. */
  dueAt: number;
  /** `waiting` for its time, or for a response; `armed`: the next request makes the test; `testing`. */
  phase: 'waiting' | 'armed' | 'testing';
  /** The lease, while there is one. */
  term: string | undefined;
  leaseEndsAt: number;
  armedUntil: number;
  /** Not asked for before: another process shall have it. */
  askFrom: number;
}

/** What the metrics count of leases. */
export interface LeaseCounts {
  granted: number;
  denied: number;
  unused: number;
  lost: number;
}

/**
 * One test for all. At a circuit's deadline those with traffic ask the store for a lease; one gets it, and its next
 * request makes the test. The local deadline is kept a little later than the fleet's as long as the store
 * responds: when it does not, each process tests by itself, without a common decision.
 */
export class Tests {
  readonly counts: LeaseCounts = { granted: 0, denied: 0, unused: 0, lost: 0 };
  readonly #pool: SharedPool;
  readonly #settings: Settings;
  readonly #open = new Map<string, OpenCircuit>();
  #verdicts: { id: string; verdict: Omit<Verdict, 'field'> }[] = [];
  /** Tests that may be made by now. */
  #saved = savedAtStart;
  #picks: number;
  #pickedAt = -Infinity;

  constructor(pool: SharedPool, settings: Settings) {
    this.#pool = pool;
    this.#settings = settings;
    this.#picks = pool.picks;
  }

  has(id: string): boolean {
    return this.#open.has(id);
  }

  /** Whether this process is about to test it, or is testing it, for all. */
  holdsLease(id: string, now: number): boolean {
    const circuit = this.#open.get(id);
    return circuit?.term !== undefined && now < circuit.leaseEndsAt;
  }

  get hasVerdicts(): boolean {
    return this.#verdicts.length > 0;
  }

  /** When the fleet's next test of it may begin; undefined when it is not open here. */
  dueAt(id: string): number | undefined {
    return this.#open.get(id)?.dueAt;
  }

  /** When it opened here; undefined when it is not open. */
  openSince(id: string): number | undefined {
    return this.#open.get(id)?.since;
  }

  /** A circuit opened, here or elsewhere. The later deadline stands. `shared`: others are there to test it too. */
  opened(id: string, dueAt: number, shared: boolean): void {
    const known = this.#open.get(id);
    if (known !== undefined) {
      known.dueAt = Math.max(known.dueAt, dueAt);
      known.phase = 'waiting';
    } else {
      this.#open.set(id, {
        since: this.#pool.now(),
        dueAt,
        phase: 'waiting',
        term: undefined,
        leaseEndsAt: -Infinity,
        armedUntil: -Infinity,
        askFrom: -Infinity,
      });
    }
    if (shared) this.#keepBack(id);
  }

  /** A test failed here. Its deadline is the next period's. */
  failed(id: string, dueAt: number, shared: boolean): void {
    const known = this.#open.get(id);
    const term = known?.term;
    if (known !== undefined) {
      known.term = undefined;
      known.dueAt = dueAt;
    }
    this.opened(id, dueAt, shared);
    if (term !== undefined)
      this.#judge(id, { term, result: 'failed', remainingMs: dueAt - this.#pool.now() });
  }

  /** The circuit closed here. True: a lease stood behind it, so that the store tells the others. */
  closed(id: string, passed: boolean): boolean {
    const known = this.#open.get(id);
    this.#open.delete(id);
    if (known?.term === undefined) return false;
    const result = passed ? 'passed' : 'unused';
    this.#judge(id, { term: known.term, result, remainingMs: 0 });
    return passed;
  }

  /** A request makes the test. */
  testing(id: string): void {
    const known = this.#open.get(id);
    if (known !== undefined) known.phase = 'testing';
  }

  /** Whether requests came within the last second; counts those since it was last asked. */
  watch(now: number): boolean {
    const picks = this.#pool.picks - this.#picks;
    this.#picks += picks;
    if (picks > 0) this.#pickedAt = now;
    this.#saved = Math.min(mostSaved, this.#saved + shareOfRequests * picks);
    return now - this.#pickedAt <= trafficMs;
  }

  /** The circuits whose lease is to be asked for, the earliest first. */
  toAsk(now: number): string[] {
    if (!this.watch(now)) return [];
    const room = this.#room();
    if (room <= 0) return [];
    const due: [string, number][] = [];
    for (const [id, { dueAt, phase, term, askFrom }] of this.#open) {
      if (phase !== 'waiting' || term !== undefined || dueAt > now || askFrom > now) continue;
      due.push([id, dueAt]);
    }
    due.sort(([, a], [, b]) => a - b);
    return due.slice(0, room).map(([id]) => id);
  }

  /** A lease was given, at the earliest at `askedAt`. */
  granted(id: string, term: string, askedAt: number, now: number): void {
    this.counts.granted++;
    const { leaseMs, armMs } = this.#settings;
    const known = this.#open.get(id);
    const leaseEndsAt = askedAt + leaseMs;
    if (known === undefined || leaseEndsAt <= now) {
      this.#judge(id, { term, result: 'unused', remainingMs: 0 });
      return;
    }
    known.term = term;
    known.leaseEndsAt = leaseEndsAt;
    if (this.#pool.circuit(id)?.state === 'half_open' && known.phase === 'testing') return;
    if (this.#pool.arm(id)) {
      known.phase = 'armed';
      known.armedUntil = Math.min(now + armMs, leaseEndsAt);
      this.#saved--;
    } else this.#giveUp(id, known, now);
  }

  /** Another process has it, for so long at most: it is asked for again sooner, for that one may hand it back. */
  denied(id: string, remainingMs: number, now: number): void {
    this.counts.denied++;
    const known = this.#open.get(id);
    if (known === undefined || known.term !== undefined) return;
    known.dueAt = Math.max(known.dueAt, now + Math.min(remainingMs, this.#settings.armMs));
    this.#keepBack(id);
  }

  /** It works again, and closes within that time: no test of it is asked for. */
  recovering(id: string, until: number): void {
    const known = this.#open.get(id);
    if (known !== undefined) known.askFrom = until;
  }

  /** This process should make no tests for others: what is armed goes back. */
  disarm(now: number): void {
    for (const [id, circuit] of this.#open) {
      if (circuit.phase === 'armed' && this.#pool.disarm(id)) this.#giveUp(id, circuit, now);
    }
  }

  /** Time passes: leases that were not used go back, those that ended are lost. */
  tick(now: number): void {
    for (const [id, circuit] of this.#open) {
      if (circuit.phase === 'armed' && now >= circuit.armedUntil) {
        if (this.#pool.disarm(id)) this.#giveUp(id, circuit, now);
        else circuit.phase = 'testing';
      }
      if (circuit.term !== undefined && now >= circuit.leaseEndsAt) {
        this.counts.lost++;
        this.#pool.disarm(id);
        circuit.term = undefined;
        circuit.phase = 'waiting';
        circuit.dueAt = now;
        circuit.askFrom = now + this.#settings.armMs;
        // Its test has no say any more: another process may be making one.
        if (this.#pool.circuit(id)?.state === 'half_open') {
          this.#pool.adopt(id, 'open', { openMs: this.#graceMs() });
        }
      }
    }
  }

  /** The store has responded: circuits whose time has come wait for a lease, not for their own deadline. */
  renew(now: number): void {
    const { graceMs } = this.#settings;
    for (const [id, { dueAt, phase }] of this.#open) {
      if (phase !== 'waiting' || dueAt > now) continue;
      const at = this.#pool.circuit(id)?.nextTestAt;
      if (at !== undefined && at < now + graceMs) this.#keepBack(id);
    }
  }

  /** The next moment at which something is to be done; Infinity when there is none. What is due already waits for requests. */
  wakeAt(now: number): number {
    let at = Infinity;
    for (const { dueAt, phase, term, armedUntil, leaseEndsAt, askFrom } of this.#open.values()) {
      if (phase === 'armed') at = Math.min(at, armedUntil);
      else if (term !== undefined) at = Math.min(at, leaseEndsAt);
      else if (phase === 'waiting') {
        const askAt = Math.max(dueAt, askFrom);
        if (askAt > now) at = Math.min(at, askAt);
      }
    }
    return at;
  }

  /** Whether a lease should be asked for now: a test is due, and a request would make it. */
  isDue(now: number): boolean {
    if (!this.watch(now) || this.#room() <= 0) return false;
    for (const { dueAt, phase, term, askFrom } of this.#open.values()) {
      if (phase === 'waiting' && term === undefined && dueAt <= now && askFrom <= now) return true;
    }
    return false;
  }

  takeVerdicts() {
    const verdicts = this.#verdicts;
    this.#verdicts = [];
    return verdicts;
  }

  restoreVerdicts(verdicts: ReturnType<Tests['takeVerdicts']>): void {
    this.#verdicts.unshift(...verdicts);
  }

  /** Ends: what is armed is tested no more. */
  close(): void {
    for (const [id, { phase }] of this.#open) if (phase === 'armed') this.#pool.disarm(id);
    this.#open.clear();
  }

  /** Leases that may be asked for. */
  #room(): number {
    return Math.min(maxAsks, Math.floor(this.#saved));
  }

  #giveUp(id: string, circuit: OpenCircuit, now: number): void {
    this.counts.unused++;
    this.#judge(id, { term: circuit.term as string, result: 'unused', remainingMs: 0 });
    circuit.term = undefined;
    circuit.phase = 'waiting';
    circuit.askFrom = now + this.#settings.armMs;
    this.#keepBack(id);
  }

  #judge(id: string, verdict: Omit<Verdict, 'field'>): void {
    this.#verdicts.push({ id, verdict });
  }

  /** The local deadline: later than the fleet's, by a random time so that processes do not all test at once. */
  #keepBack(id: string): void {
    const circuit = this.#open.get(id) as OpenCircuit;
    this.#pool.hold(id, Math.max(circuit.dueAt, this.#pool.now()) + this.#graceMs());
  }

  #graceMs(): number {
    return this.#settings.graceMs * (1 + this.#pool.random());
  }
}
