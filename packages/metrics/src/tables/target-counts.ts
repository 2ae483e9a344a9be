import { outcomeIndex } from './label-sets.ts';
import { grown, other } from './name-table.ts';
import { attemptOutcomes } from './proxy-table.ts';

/** Targets counted apart, the first that are seen; all later ones count as `other`. */
export const maxTargets = 1000;
const firstCapacity = 16;
const outcomeCount = attemptOutcomes.length;

/** Attempts by target since the start. A target keeps its row, so no count ever falls or moves. */
export class TargetCounts {
  readonly #rows = new Map<string, number>();
  readonly #names = [other];
  #outcomes = new Float64Array(firstCapacity * outcomeCount);

  /** One attempt; `outcome` as a number of the closed set. Returns the row of the target, 0 for `other`. */
  record(origin: string, outcome: number): number {
    const column = outcome < outcomeCount ? outcome : outcomeIndex.failure;
    const row = this.#row(origin);
    this.#outcomes[row * outcomeCount + column]! += 1;
    return row;
  }

  /** Every row with a name, `other` first. */
  *rows(): Generator<readonly [row: number, origin: string]> {
    yield [0, other];
    for (const [origin, row] of this.#rows) yield [row, origin];
  }

  /** The target of a row. */
  nameOf(row: number): string {
    return this.#names[row]!;
  }

  /** Attempts of a row, by a number of `attemptOutcomes`. */
  outcomeCount(row: number, outcome: number): number {
    return this.#outcomes[row * outcomeCount + outcome]!;
  }

  #row(origin: string): number {
    const known = this.#rows.get(origin);
    if (known !== undefined) return known;
    if (this.#rows.size >= maxTargets || origin === other) return 0;
    const row = this.#rows.size + 1;
    this.#rows.set(origin, row);
    this.#names.push(origin);
    const needed = (row + 1) * outcomeCount;
    if (needed > this.#outcomes.length) {
      const most = (maxTargets + 1) * outcomeCount;
      this.#outcomes = grown(this.#outcomes, Math.min(2 * this.#outcomes.length, most));
    }
    return row;
  }
}
