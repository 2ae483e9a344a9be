/** Good for a while, then in trouble for a while, again and again. Milliseconds since the start. */
export interface Wave {
  /** When trouble first comes. */
  readonly firstMs: number;
  /** How long it stays. */
  readonly lastsMs: number;
  /** From one trouble to the next; more than `lastsMs`. */
  readonly everyMs: number;
}

export interface Turn {
  readonly troubled: boolean;
  /** Until the next turn. */
  readonly leftMs: number;
}

/** Where a wave stands. */
export function turnOf({ firstMs, lastsMs, everyMs }: Wave, elapsedMs: number): Turn {
  if (elapsedMs < firstMs) return { troubled: false, leftMs: firstMs - elapsedMs };
  const intoMs = (elapsedMs - firstMs) % everyMs;
  const troubled = intoMs < lastsMs;
  return { troubled, leftMs: (troubled ? lastsMs : everyMs) - intoMs };
}
