import type { Histogram } from './histogram.ts';
import { bucketCount } from './latency-scale.ts';

/**
 * The shares whose latencies are kept of a finished hour, denser where percentiles are read. Each is
 * kept as its bucket on the latency scale: one byte.
 */
const shares = [
  0, 0.02, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.997, 1,
];

/** Bytes in a sketch. */
export const sketchSize = shares.length;

/** Writes the sketch of a row of bucket counts that holds at least one latency. */
export function writeSketch(
  counts: Uint16Array,
  countsAt: number,
  sketches: Uint8Array,
  sketchAt: number,
): void {
  let total = 0;
  for (let bucket = 0; bucket < bucketCount; bucket++) total += counts[countsAt + bucket]!;
  let seen = 0;
  let point = 0;
  for (let bucket = 0; bucket < bucketCount && point < sketchSize; bucket++) {
    const count = counts[countsAt + bucket]!;
    if (count === 0) continue;
    seen += count;
    while (point < sketchSize && seen >= shares[point]! * total) {
      sketches[sketchAt + point++] = bucket;
    }
  }
}

/**
 * Adds `weight` latencies, distributed as the sketch says, to a histogram: between two neighbouring
 * points they are spread evenly over the buckets from the one to the other. Reading a kept share
 * back from one sketch gives exactly its bucket.
 */
export function addSketch(
  sketches: Uint8Array,
  sketchAt: number,
  weight: number,
  into: Histogram,
): void {
  for (let point = 1; point < sketchSize; point++) {
    const low = sketches[sketchAt + point - 1]!;
    const high = sketches[sketchAt + point]!;
    into.addToBuckets(low, high, (shares[point]! - shares[point - 1]!) * weight);
  }
}
