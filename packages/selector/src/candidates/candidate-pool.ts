import { CandidateData } from './candidate-data.ts';
import type { Ban, Evidence } from './candidate-stats.ts';
import type { CandidateOptions } from './candidate-table.ts';
import { CandidateView, type ViewRegistry } from './candidate-view.ts';

/** Filtered views held at once; the least recently used one goes. */
const maxViews = 256;

/** The candidates, what is known of them, and the views that strategies pick from. */
export class CandidatePool extends CandidateData implements ViewRegistry {
  readonly root: CandidateView;
  /** The number of the pick that is being made. */
  pickNumber = 0;
  /** Withheld from the pick that is being made. */
  readonly hidden: number[] = [];
  readonly #views: CandidateView[] = [];
  /** Views that take part in it, beside the root. */
  readonly #touched: CandidateView[] = [];

  constructor(random: () => number) {
    super(random);
    this.root = new CandidateView(this, undefined);
    this.#views.push(this.root);
  }

  protected offered(slot: number, available: boolean): void {
    if (available) this.root.enter(slot);
    else this.root.leave(slot);
  }

  add(options: CandidateOptions): void {
    const slot = this.table.add(options);
    this.rows.reserve(slot);
    this.outcomes.reset(slot);
    this.estimates.reset(slot);
    this.latencies?.reset(slot);
    this.availability.add(slot, options.maxConcurrent ?? Infinity, this.now);
  }

  /**
   * Replaces what was said of a candidate. It keeps its place in the views that still hold it, or strategies
   * would forget whose turn it is.
   */
  update(slot: number, options: CandidateOptions): void {
    for (const view of this.#views) view.changing(slot);
    this.table.describe(slot, options);
    // Parents first: a view stands behind the one that it was made from.
    for (const view of this.#views) view.changed(slot);
    this.availability.rebind(slot, options.maxConcurrent ?? Infinity, this.now);
  }

  remove(slot: number): void {
    this.availability.remove(slot);
    for (const view of this.#views) view.removed(slot);
    this.latencies?.reset(slot);
    this.table.remove(slot);
  }

  record(slot: number, success: boolean, weight: number, latencyMs: number): void {
    this.outcomes.record(slot, success);
    if (success) this.latencies?.record(slot, latencyMs);
    this.estimates.record(slot, success, weight, latencyMs, this.now);
    if (this.availability.isOffered(slot)) this.root.recorded(slot);
  }

  /** Others have seen it succeed at that rate, worth as many attempts. */
  inform(slot: number, rate: number, successMs: number | undefined, weight: number): void {
    this.estimates.inform(slot, rate, successMs, weight, this.now);
    if (this.availability.isOffered(slot)) this.root.informed(slot);
  }

  /** Others saw it fail so many times in a row. */
  overhear(slot: number, failures: number, latencyMs: number): void {
    this.estimates.overhear(slot, failures, latencyMs, this.now);
    if (this.availability.isOffered(slot)) this.root.recorded(slot);
  }

  /** What attempts taught about each candidate that was tried, faded to `now`. */
  *evidence(now: number): IterableIterator<Evidence> {
    const { table, estimates } = this;
    for (let slot = 0; slot < table.slots; slot++) {
      const known = table.holds(slot) ? estimates.evidence(slot, now) : undefined;
      if (known !== undefined) yield { id: table.id(slot), ...known };
    }
  }

  /** The bans for all targets that hold at `now`. */
  *bans(now: number): IterableIterator<Ban> {
    const { table, availability } = this;
    for (let slot = 0; slot < table.slots; slot++) {
      const until = table.holds(slot) ? availability.bannedUntil(slot) : -Infinity;
      if (until > now) yield { id: table.id(slot), target: undefined, until };
    }
  }

  /** A pick begins: nothing is hidden. */
  begin(): void {
    this.pickNumber++;
    this.root.usedAt = this.pickNumber;
  }

  /** A view takes part in the pick that is being made. */
  touch(view: CandidateView): void {
    if (view.usedAt === this.pickNumber) return;
    view.usedAt = this.pickNumber;
    this.#touched.push(view);
    for (const slot of this.hidden) view.hide(slot);
  }

  /** Withholds a candidate from the pick that is being made, if it could be picked at all. */
  hide(slot: number): void {
    if (!this.root.has(slot)) return;
    this.hidden.push(slot);
    this.root.hide(slot);
    for (const view of this.#touched) view.hide(slot);
  }

  /** Offers it again before the pick ends. */
  show(slot: number): void {
    const at = this.hidden.indexOf(slot);
    if (at < 0) return;
    this.hidden.splice(at, 1);
    this.root.show(slot);
    for (const view of this.#touched) view.show(slot);
  }

  /** The pick has been made: what was hidden is offered again, and the candidate is counted. */
  end(slot: number): void {
    if (this.hidden.length > 0) {
      this.root.showAll();
      for (const view of this.#touched) view.showAll();
      this.hidden.length = 0;
    }
    // Only where there are any: setting a length costs as much as all else here.
    if (this.#touched.length > 0) this.#touched.length = 0;
    if (slot < 0) return;
    this.availability.picked(slot, this.pickNumber, this.now);
  }

  /** Forgets what strategies keep about the candidates; what is known of the candidates stays. */
  dropIndices(): void {
    for (const view of this.#views) view.dropIndices();
  }

  /** Keeps a new view up to date from now on. */
  keep(view: CandidateView): void {
    this.#views.push(view);
    if (this.#views.length <= maxViews) return;
    let oldest = this.#views[1] as CandidateView;
    for (const each of this.#views) {
      if (each !== this.root && each.usedAt < oldest.usedAt) oldest = each;
    }
    oldest.forget();
  }

  drop(view: CandidateView): void {
    const at = this.#views.indexOf(view);
    if (at > 0) this.#views.splice(at, 1);
  }
}
