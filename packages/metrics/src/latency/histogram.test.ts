import { seededRandom } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { Histogram } from './histogram.ts';
import { bucketCount, bucketOf, middleOf } from './latency-scale.ts';

/** exp(μ + σ·z) by Box and Muller. */
function logNormal(random: () => number, medianMs: number, sigma: number): number {
  const z = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return medianMs * Math.exp(sigma * z);
}

describe('Histogram', () => {
  it('M7 quantiles are within 7 % of exact on a million log-normal samples', () => {
    const random = seededRandom(7);
    const samples = Float64Array.from({ length: 1_000_000 }, () => logNormal(random, 300, 1));
    const histogram = new Histogram();
    for (const ms of samples) histogram.record(ms);
    samples.sort();
    expect(histogram.count).toBe(1_000_000);
    for (const q of [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999]) {
      const exact = samples[Math.ceil(q * samples.length) - 1]!;
      expect(Math.abs(histogram.quantile(q)! / exact - 1), `q ${q}`).toBeLessThanOrEqual(0.07);
    }
  });

  it('M7 the documented error, 4.4 %, holds for every single latency from 1 ms to 2 minutes', () => {
    for (let ms = 1; ms <= 120_000; ms *= 1.003) {
      const histogram = new Histogram();
      histogram.record(ms);
      expect(Math.abs(histogram.quantile(0.5)! / ms - 1)).toBeLessThanOrEqual(
        2 ** (1 / 16) - 1 + 1e-9,
      );
    }
  });

  it('is empty at first: no mean, no quantile', () => {
    const histogram = new Histogram();
    expect([histogram.count, histogram.meanMs, histogram.quantile(0.5)]).toEqual([0, null, null]);
  });

  it('takes the nearest rank, and the exact mean', () => {
    const histogram = new Histogram();
    for (const ms of [10, 10, 10, 1000]) histogram.record(ms);
    expect(histogram.meanMs).toBe(257.5);
    expect(histogram.quantile(0)).toBe(middleOf(bucketOf(10)));
    expect(histogram.quantile(0.75)).toBe(middleOf(bucketOf(10)));
    expect(histogram.quantile(0.76)).toBe(middleOf(bucketOf(1000)));
    expect(histogram.quantile(1)).toBe(middleOf(bucketOf(1000)));
  });

  it('merges to what one histogram of all would be, and clears', () => {
    const [a, b, all] = [new Histogram(), new Histogram(), new Histogram()];
    for (let ms = 1; ms < 1000; ms += 7) {
      (ms % 2 === 0 ? a : b).record(ms);
      all.record(ms);
    }
    a.merge(b);
    expect([a.count, a.meanMs]).toEqual([all.count, all.meanMs]);
    for (const q of [0.1, 0.5, 0.99]) expect(a.quantile(q)).toBe(all.quantile(q));
    a.clear();
    expect([a.count, a.meanMs, a.quantile(0.5)]).toEqual([0, null, null]);
  });
});

describe('latency scale', () => {
  it('has inclusive upper bounds at powers of 2^(1/8), and ends that take in the rest', () => {
    expect([0, 0.5, 1].map(bucketOf)).toEqual([0, 0, 0]);
    expect([1.0001, 2, 2.0001, 1024].map(bucketOf)).toEqual([1, 8, 9, 80]);
    expect([131_072, 200_000, Infinity].map(bucketOf)).toEqual([136, 136, 136]);
    expect(bucketOf(NaN)).toBe(0);
    expect(bucketCount).toBe(137);
  });
});
