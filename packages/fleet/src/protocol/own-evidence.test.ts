import { expect, it } from 'vitest';
import { bucketOf, buckets } from '../store.ts';
import { OwnEvidence } from './own-evidence.ts';

it('D33 a sync tells 500 rows of evidence at most, and the rest of a large part in later ones', () => {
  const evidence = new OwnEvidence({
    intervalMs: 250,
    evidenceIntervalMs: 10_000,
    keyTtlMs: 600_000,
  });
  const ids: string[] = [];
  for (let i = 0; ids.length < 1200; i++) if (bucketOf(`proxy-${i}`) === 3) ids.push(`proxy-${i}`);
  for (const id of ids) evidence.ended(id, true, 100);
  const told: string[] = [];
  let most = 0;
  for (let syncs = 0; syncs < 3 * buckets; syncs++) {
    const rows = evidence.take(0).evidence;
    most = Math.max(most, rows.length);
    told.push(...rows.map(({ id }) => id));
  }
  expect(most).toBe(500);
  expect(told).toEqual(ids);
});

it.each([
  [250, 60_000],
  [250, 600_000],
  [5000, 60_000],
  [5000, 600_000],
])(
  'D35 a sync each %i ms reads every part again before %i ms are over, which keeps it in the store',
  (intervalMs, keyTtlMs) => {
    const evidence = new OwnEvidence({ intervalMs, evidenceIntervalMs: 10_000, keyTtlMs });
    const readAt = new Map<number, number>();
    let longest = 0;
    for (let now = 0; now < 5 * keyTtlMs; now += intervalMs) {
      for (const part of evidence.take(now).buckets) {
        longest = Math.max(longest, now - (readAt.get(part) ?? now));
        readAt.set(part, now);
      }
    }
    expect(readAt.size).toBe(buckets);
    expect(longest).toBeLessThan(keyTtlMs);
  },
);
