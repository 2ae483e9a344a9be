/** Something to measure: does `count` operations. */
export type Subject = (count: number) => void | Promise<void>;

/**
 * Nanoseconds an operation takes, the median over rounds. The subjects take turns within each round,
 * so that a noisy moment of the machine meets all of them.
 */
export async function compareNs<Name extends string>(
  subjects: Record<Name, Subject>,
  { count = 20_000, rounds = 25, warmUpRounds = 5 } = {},
): Promise<Record<Name, number>> {
  const names = Object.keys(subjects) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    number[]
  >;
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (const name of names) {
      const start = process.hrtime.bigint();
      await subjects[name](count);
      const ns = Number(process.hrtime.bigint() - start) / count;
      if (round >= 0) samples[name].push(ns);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(samples[name])])) as Record<
    Name,
    number
  >;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

/** The value below which a share of the sorted values lies. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
