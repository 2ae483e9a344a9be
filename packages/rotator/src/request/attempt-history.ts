import type { AttemptRecord } from '../attempt-record.ts';
import type { Judge } from '../blame/judge.ts';
import type { Target } from '../blame/targets.ts';
import type { Member } from '../pool/member.ts';
import type { Pool } from '../pool/pool.ts';

/** A failed attempt whose blame the evidence left undecided. */
interface Undecided {
  readonly member: Member;
  readonly record: AttemptRecord;
  /** Its circuit has counted it already. */
  readonly counted: boolean;
}

/** The records of one request's attempts. Most requests have one, and make no array. */
export class AttemptHistory {
  #first: AttemptRecord | undefined;
  #others: AttemptRecord[] | undefined;
  #undecided: Undecided[] | undefined;

  /** Attempts that have ended. */
  get size(): number {
    return this.#first === undefined ? 0 : 1 + (this.#others?.length ?? 0);
  }

  add(record: AttemptRecord): void {
    if (this.#first === undefined) this.#first = record;
    else (this.#others ??= []).push(record);
  }

  /** In the order of their numbers, with the record of an attempt that has not ended. */
  list(provisional: AttemptRecord | undefined): AttemptRecord[] {
    if (this.#others === undefined && provisional === undefined) {
      return this.#first === undefined ? [] : [this.#first];
    }
    const all = this.#first === undefined ? [] : [this.#first, ...(this.#others ?? [])];
    const known = all.some(({ attempt }) => attempt === provisional?.attempt);
    if (provisional !== undefined && !known) all.push(provisional);
    return all.sort((a, b) => a.attempt - b.attempt);
  }

  /** The evidence does not tell what is to blame for that attempt. */
  undecided(member: Member, record: AttemptRecord, counted: boolean): void {
    (this.#undecided ??= []).push({ member, record, counted });
  }

  /** The target has responded through `member`: where other proxies failed before, it is not to blame. */
  responded(member: Member, at: number, target: Target, judge: Judge, pool: Pool): void {
    if (this.#undecided === undefined) return;
    for (const { member: failed, record, counted } of this.#undecided) {
      if (failed === member) continue;
      const blame = judge.settled(failed, target, at);
      if (blame === undefined) continue;
      const { outcome, latencyMs } = record;
      this.#replace(record, { ...record, blame });
      pool.convict(failed, blame, { outcome, latencyMs, origin: target.origin, counted });
    }
    this.#undecided = undefined;
  }

  #replace(record: AttemptRecord, by: AttemptRecord): void {
    if (this.#first === record) this.#first = by;
    else if (this.#others !== undefined) this.#others[this.#others.indexOf(record)] = by;
  }
}
