import { Availability } from './availability.ts';
import { CandidateRows } from './candidate-rows.ts';
import { CandidateTable } from './candidate-table.ts';
import { Estimates } from './estimates.ts';
import { LatencyHistory } from './latency-history.ts';
import { OutcomeHistory } from './outcome-history.ts';

/** Everything known of the candidates, by slot. */
export abstract class CandidateData {
  readonly table = new CandidateTable();
  readonly availability: Availability;
  protected readonly rows = new CandidateRows();
  readonly outcomes = new OutcomeHistory(this.rows);
  readonly estimates = new Estimates(this.rows);
  readonly random: () => number;
  /** Kept from the first time a strategy wants it. */
  latencies: LatencyHistory | undefined;
  /** The time of the pick or fact that is at work. Epoch milliseconds. */
  now = 0;
  /** Whether the target of the pick that is being made avoids a candidate. */
  avoided: (slot: number) => boolean = () => false;

  constructor(random: () => number) {
    this.random = random;
    this.availability = new Availability(this.rows, (slot, available) =>
      this.offered(slot, available),
    );
  }

  /** A candidate can be picked from now on, or no longer. */
  protected abstract offered(slot: number, available: boolean): void;

  /** Latencies are kept from now on. */
  keepLatencies(): LatencyHistory {
    if (this.latencies === undefined) {
      this.latencies = new LatencyHistory();
      for (let slot = 0; slot < this.table.slots; slot++) {
        this.latencies.reset(slot);
        // What was learned before stands for one success.
        const averageMs = this.avgLatencyMs(slot);
        if (averageMs !== undefined && this.table.holds(slot)) {
          this.latencies.record(slot, averageMs);
        }
      }
    }
    return this.latencies;
  }

  /** Mean latency of its successes in milliseconds; undefined without any. */
  avgLatencyMs(slot: number): number | undefined {
    if (this.outcomes.successes(slot) === 0) return undefined;
    const averageMs = this.latencies?.average(slot) ?? 0;
    return averageMs > 0 ? averageMs : this.estimates.ownSuccessMs(slot);
  }
}
