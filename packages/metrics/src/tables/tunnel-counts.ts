import type { TunnelEnd } from '@whirl/events';

/** Tunnels since the start. Their requests and attempts are counted as all others are, up to the verdict. */
export interface TunnelTotals {
  /** Open at the moment. */
  readonly open: number;
  /** Those that have closed, by the side that ended them first. */
  readonly closed: Readonly<Record<TunnelEnd['closedBy'], number>>;
  /** Bytes to targets, of tunnels that have closed. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** First flights that were sent again through another proxy. */
  readonly replays: number;
}

/** What may end a tunnel. `satisfies Record` makes a word that the vocabulary gains or loses a type error here. */
const closers = {
  client: 0,
  target: 0,
  idle: 0,
  limit: 0,
  close: 0,
} as const satisfies Record<TunnelEnd['closedBy'], 0>;

/** Tunnels since the start, and those that are open. */
export class TunnelCounts {
  #open = 0;
  readonly #closed: Record<TunnelEnd['closedBy'], number> = { ...closers };
  #bytesUp = 0;
  #bytesDown = 0;
  #replays = 0;

  opened(): void {
    this.#open++;
  }

  ended({ closedBy, bytesUp, bytesDown, replays }: TunnelEnd): void {
    // Never below 0, though the start of a tunnel may have been missed.
    if (this.#open > 0) this.#open--;
    if (Object.hasOwn(this.#closed, closedBy)) this.#closed[closedBy]++;
    this.#bytesUp += count(bytesUp);
    this.#bytesDown += count(bytesDown);
    this.#replays += count(replays);
  }

  read(): TunnelTotals {
    return {
      open: this.#open,
      closed: { ...this.#closed },
      bytesUp: this.#bytesUp,
      bytesDown: this.#bytesDown,
      replays: this.#replays,
    };
  }
}

/** A number that can be added up: never negative, never NaN. */
function count(given: number): number {
  return given > 0 && given < Infinity ? given : 0;
}
