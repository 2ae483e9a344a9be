import { known, number } from './validate.ts';

/** Bounds retries to a share of the requests, so that retries never multiply an outage. */
export interface RetryBudget {
  /** A request (or a success): earns `ratio` of a retry. */
  deposit(): void;
  /** Spends one retry. False, and counted in `refused`, when nothing is left. */
  tryWithdraw(): boolean;
  /** Retries that could be made now. */
  readonly balance: number;
  readonly refused: number;
}

export interface RetryBudgetOptions {
  /** Retries per deposit, 0 to 1,000. Default 0.2. */
  readonly ratio?: number | undefined;
  /** Retries granted each second besides, ≥ 0. Default 10. */
  readonly minPerSecond?: number | undefined;
  /** How long a deposit lasts, ≥ 1. Default 10,000. */
  readonly ttlMs?: number | undefined;
  /** The most that deposits can save up, ≥ 1. Default 500. */
  readonly capacity?: number | undefined;
  /** Epoch ms; never stepping back. */
  readonly now?: (() => number) | undefined;
}

const slots = 10;

/** A budget after Finagle's: credit in ten slots of time that expire one by one. */
export function createRetryBudget(options: RetryBudgetOptions = {}): RetryBudget {
  known(options, ['ratio', 'minPerSecond', 'ttlMs', 'capacity', 'now']);
  const ratio = number('ratio', options.ratio ?? 0.2, 0, 1000);
  const minPerSecond = number('minPerSecond', options.minPerSecond ?? 10, 0);
  const ttlMs = number('ttlMs', options.ttlMs ?? 10_000, 1);
  const capacity = number('capacity', options.capacity ?? 500, 1);
  const { now = () => performance.timeOrigin + performance.now() } = options;
  const slotMs = ttlMs / slots;
  const credit = new Float64Array(slots);
  let slot = Math.floor(now() / slotMs);
  let saved = 0;
  let reserve = minPerSecond;
  let reservedAt = now();
  let refused = 0;

  const expire = () => {
    const at = now();
    if (at > reservedAt) {
      const most = Math.max(minPerSecond, (minPerSecond * ttlMs) / 1000);
      reserve = Math.min(most, reserve + (minPerSecond * (at - reservedAt)) / 1000);
      reservedAt = at;
    }
    const current = Math.floor(at / slotMs);
    for (let i = Math.max(slot + 1, current - slots + 1); i <= current; i++) {
      saved -= credit[i % slots] as number;
      credit[i % slots] = 0;
    }
    if (current > slot) slot = current;
  };
  // Sums of ratios such as 0.2 must still make whole retries.
  const almost = 1 - 1e-9;

  return {
    deposit() {
      expire();
      const earned = Math.min(ratio, capacity - saved);
      if (earned <= 0) return;
      credit[slot % slots] = (credit[slot % slots] as number) + earned;
      saved += earned;
    },
    tryWithdraw() {
      expire();
      if (saved + reserve < almost) {
        refused++;
        return false;
      }
      let wanted = 1;
      for (let i = slot - slots + 1; i <= slot && wanted > 0; i++) {
        const at = ((i % slots) + slots) % slots;
        const taken = Math.min(wanted, credit[at] as number);
        credit[at] = (credit[at] as number) - taken;
        saved -= taken;
        wanted -= taken;
      }
      reserve = Math.max(0, reserve - wanted);
      return true;
    },
    get balance() {
      expire();
      return Math.floor(saved + reserve + 1e-9);
    },
    get refused() {
      return refused;
    },
  };
}
