import { expect, it } from 'vitest';
import { bucketOf, buckets } from '../store.ts';
import { OwnEvidence } from './own-evidence.ts';

it('D33 a sync tells 500 rows of evidence at most, and the rest of a large part in later ones', () => {
  const evidence = new OwnEvidence({ intervalMs: 250, evidenceIntervalMs: 10_000 });
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
