import { seededRandom } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { Histogram } from './histogram.ts';
import { bucketCount, bucketOf } from './latency-scale.ts';
import { addSketch, sketchSize, writeSketch } from './quantile-sketch.ts';

function countsOf(latenciesMs: readonly number[]): Uint16Array {
  const counts = new Uint16Array(bucketCount);
  for (const ms of latenciesMs) counts[bucketOf(ms)]! += 1;
  return counts;
}

function histogramOf(latenciesMs: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const ms of latenciesMs) histogram.record(ms);
  return histogram;
}

function sketchInto(latenciesMs: readonly number[], into: Histogram): void {
  const sketch = new Uint8Array(sketchSize);
  writeSketch(countsOf(latenciesMs), 0, sketch, 0);
  addSketch(sketch, 0, latenciesMs.length, into);
}

describe('quantile sketch', () => {
  it('gives the kept shares back exactly', () => {
    const random = seededRandom(1);
    const latenciesMs = Array.from({ length: 5000 }, () => 20 + 3000 * random() ** 3);
    const back = new Histogram();
    sketchInto(latenciesMs, back);
    const exact = histogramOf(latenciesMs);
    expect(back.count).toBeCloseTo(5000, 6);
    for (const q of [0.02, 0.1, 0.5, 0.9, 0.95, 0.99]) {
      expect(back.quantile(q), `q ${q}`).toBe(exact.quantile(q));
    }
  });

  it('M7 23 different hours merged are within 7 % at the percentiles that are read', () => {
    const random = seededRandom(2);
    const merged = new Histogram();
    const all: number[] = [];
    for (let hour = 0; hour < 23; hour++) {
      const latenciesMs = Array.from({ length: 2000 }, () => {
        const z = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
        return (200 + 20 * hour) * Math.exp(0.5 * z);
      });
      all.push(...latenciesMs);
      sketchInto(latenciesMs, merged);
    }
    all.sort((a, b) => a - b);
    for (const q of [0.5, 0.95, 0.99]) {
      const exact = all[Math.ceil(q * all.length) - 1]!;
      expect(Math.abs(merged.quantile(q)! / exact - 1), `q ${q}`).toBeLessThanOrEqual(0.07);
    }
  });

  it('holds a single latency', () => {
    const back = new Histogram();
    sketchInto([250], back);
    expect(back.quantile(0.99)).toBe(histogramOf([250]).quantile(0.99));
  });
});
