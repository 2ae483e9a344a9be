/** Buckets to an octave: neighbours differ by the factor 2^(1/8) = 1.09. */
const perOctave = 8;

/** Octaves covered: 1 ms to 2^17 ms, a little over 2 minutes. */
const octaves = 17;

/** One bucket for everything up to 1 ms, then 8 to the octave; a bucket's number fits in a byte. */
export const bucketCount = octaves * perOctave + 1;

/**
 * The bucket of a latency: 0 up to 1 ms, else the b with 2^((b−1)/8) < ms ≤ 2^(b/8). What is longer
 * than 2^17 ms falls into the last.
 */
export function bucketOf(ms: number): number {
  if (!(ms > 1)) return 0;
  const bucket = Math.ceil(Math.log2(ms) * perOctave);
  return bucket < bucketCount ? bucket : bucketCount - 1;
}

/**
 * The latency that stands for a bucket: its geometric middle, so that anything in it is at most
 * 2^(1/16) − 1 = 4.4 % away.
 */
export function middleOf(bucket: number): number {
  return bucket === 0 ? 1 : 2 ** ((bucket - 0.5) / perOctave);
}
