import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SyncRequest, FleetStore } from '../store.ts';
import { syncRequest } from './sync-request.test-kit.ts';

/** A store under test, and how time passes for it. */
export interface StoreUnderTest {
  readonly store: FleetStore;
  wait(ms: number): Promise<void>;
  close(): Promise<void>;
}

let pools = 0;

/** What a store has to do: the same for all of them. `make` is called for each test. */
export function storeContract(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`D39 ${name}`, () => {
    let under: StoreUnderTest;
    let scope: string;
    beforeEach(async () => {
      under = await make();
      scope = `whirl-test:{${process.pid}-${++pools}}:v1`;
    });
    afterEach(() => under.close());

    const sync = (process: string, more: Partial<SyncRequest> = {}) =>
      under.store.sync(
        syncRequest({
          process,
          witness: `host-of-${process}`,
          scope,
          newEpoch: `epoch-of-${process}`,
          ...more,
        }),
      );
    const field = '["o","c"]';
    const leases = [{ field, leaseMs: 400 }];

    it('the first process names the epoch, the others learn it', async () => {
      expect((await sync('a')).epoch).toBe('epoch-of-a');
      expect((await sync('b')).epoch).toBe('epoch-of-a');
    });

    it('a batch reaches every other process once, with its sender and its age', async () => {
      const b = await sync('b');
      await sync('a', { batch: 'one ✓' });
      await under.wait(100);
      const next = { epoch: b.epoch, position: b.position };
      const first = await sync('b', next);
      expect(first.entries).toEqual([
        { process: 'a', witness: 'host-of-a', batch: 'one ✓', ageMs: expect.any(Number) },
      ]);
      expect(first.entries[0]!.ageMs).toBeGreaterThanOrEqual(95);
      expect(first.entries[0]!.ageMs).toBeLessThan(2000);
      const again = await sync('b', { ...next, position: first.position });
      expect([again.entries, again.position]).toEqual([[], first.position]);
      expect((await sync('a')).entries).toEqual([]);
    });

    it('what is sent in the sync that reads is not lost for the others', async () => {
      const a = await sync('a');
      const told = await sync('a', { epoch: a.epoch, position: a.position, batch: 'one' });
      await sync('b', { batch: 'two' });
      const { entries } = await sync('a', { epoch: a.epoch, position: told.position });
      expect(entries.map(({ batch }) => batch)).toEqual(['two']);
    });

    it('D18 a position beyond the end starts again from the beginning', async () => {
      const { epoch } = await sync('a', { batch: 'one' });
      const { entries } = await sync('b', { epoch, position: '99999999999999-0' });
      expect(entries).toHaveLength(1);
    });

    it('a process that comes from another epoch gets everything again, whatever its position', async () => {
      await sync('a', { batch: 'one' });
      const { epoch, position } = await sync('a', { batch: 'two' });
      const later = await sync('b', { epoch: 'another', position });
      expect(later.entries.map(({ batch }) => batch)).toEqual(['one', 'two']);
      expect((await sync('b', { epoch, position: later.position })).entries).toEqual([]);
    });

    it('of very many entries one response holds 500, and a flag for more', async () => {
      for (let i = 0; i < 501; i++) await sync('a', { batch: `${i}` });
      const first = await sync('b');
      expect([first.entries.length, first.more]).toEqual([500, true]);
      const rest = await sync('b', { epoch: first.epoch, position: first.position });
      expect([rest.entries.map(({ batch }) => batch), rest.more]).toEqual([['500'], false]);
    });

    it('live processes are counted; the list comes when the count has changed, or is asked for', async () => {
      await sync('a');
      const { live, peers } = await sync('b', { live: 1 });
      expect(live).toBe(2);
      expect(peers?.map((each) => `${each.process} ${each.witness}`).sort()).toEqual([
        'a host-of-a',
        'b host-of-b',
      ]);
      expect((await sync('b', { live: 2 })).peers).toBeUndefined();
      expect((await sync('b', { live: -1 })).peers).toHaveLength(2);
    });

    it('one that is silent for memberTtlMs, or leaves, is gone', async () => {
      await sync('a');
      await sync('b', { leaving: true });
      expect((await sync('c')).live).toBe(2);
      await under.wait(300);
      expect((await sync('c', { memberTtlMs: 200 })).live).toBe(1);
    });

    it('D3 of many that ask in the same moment one gets the lease, 100 times', async () => {
      for (let round = 0; round < 100; round++) {
        const wanted = [{ field: `["o","${round}"]`, leaseMs: 400 }];
        const responses = await Promise.all(
          ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((each) => sync(each, { leases: wanted })),
        );
        expect(responses.flatMap(({ grants }) => grants)).toHaveLength(1);
        expect(responses.flatMap(({ denials }) => denials)).toHaveLength(7);
      }
    });

    it('D5 a lease ends by itself, not earlier; the next one has a later term', async () => {
      const [first] = (await sync('a', { leases })).grants;
      const [denied] = (await sync('b', { leases })).denials;
      expect(denied!.remainingMs).toBeGreaterThan(0);
      expect(denied!.remainingMs).toBeLessThanOrEqual(400);
      await under.wait(denied!.remainingMs + 5);
      const [second] = (await sync('b', { leases })).grants;
      expect(Number(second!.term)).toBeGreaterThan(Number(first!.term));
    });

    it('D4 a failed test: no process gets the lease before the next deadline', async () => {
      const [grant] = (await sync('a', { leases })).grants;
      await sync('a', { verdicts: [{ ...grant!, result: 'failed', remainingMs: 300 }] });
      const { denials, holds } = await sync('b', { leases });
      expect(denials[0]!.remainingMs).toBeGreaterThan(100);
      expect(denials[0]!.remainingMs).toBeLessThanOrEqual(300);
      expect(holds.map((each) => each.field)).toEqual([field]);
      await under.wait(denials[0]!.remainingMs + 5);
      expect((await sync('b', { leases })).grants).toHaveLength(1);
    });

    it('a passed test is sent to all by the store, and lifts the hold', async () => {
      await sync('b', { holds: [{ field, remainingMs: 50 }] });
      await under.wait(60);
      const [grant] = (await sync('a', { leases })).grants;
      const { epoch, position } = await sync('b');
      await sync('a', { verdicts: [{ ...grant!, result: 'passed', remainingMs: 0 }] });
      const heard = await sync('b', { epoch, position, leases });
      expect(heard.entries).toMatchObject([{ process: 'a', witness: 'host-of-a', passed: field }]);
      expect(heard.denials).toHaveLength(1);
      expect((await sync('c')).holds).toEqual([]);
    });

    it('one that was not used is free at once, and so are those of a process that leaves', async () => {
      const [grant] = (await sync('a', { leases })).grants;
      await sync('a', { verdicts: [{ ...grant!, result: 'unused', remainingMs: 0 }] });
      expect((await sync('b', { leases })).grants).toHaveLength(1);
      await sync('b', { leaving: true });
      expect((await sync('c', { leases })).grants).toHaveLength(1);
    });

    it('D6 a verdict with another term, of another process, or too late changes nothing', async () => {
      const [grant] = (await sync('a', { leases })).grants;
      const passed = { ...grant!, result: 'passed', remainingMs: 0 } as const;
      await sync('a', { verdicts: [{ ...passed, term: '1' }] });
      await sync('b', { verdicts: [passed] });
      expect((await sync('c')).entries).toEqual([]);
      await under.wait(420);
      await sync('a', { verdicts: [passed] });
      expect((await sync('c')).entries).toEqual([]);
      expect((await sync('c', { leases })).grants).toHaveLength(1);
    });

    it('holds come to a process that knows nothing yet, with two marks of different hosts', async () => {
      const holds = [{ field, remainingMs: 5000 }];
      await sync('a', { holds, witness: 'host-1' });
      await sync('b', { holds: [{ field, remainingMs: 100 }], witness: 'host-1' });
      await sync('c', { holds, witness: 'host-2' });
      await sync('d', { holds, witness: 'host-2' });
      const { epoch, holds: known } = await sync('newcomer');
      expect(known[0]!.marks).toEqual([
        { process: 'a', witness: 'host-1' },
        { process: 'c', witness: 'host-2' },
      ]);
      expect(known[0]!.remainingMs).toBeGreaterThan(4000);
      expect((await sync('newcomer', { epoch })).holds).toEqual([]);
    });

    it('a hold keeps tests back; released it is gone; one without end has none', async () => {
      await sync('a', { holds: [{ field, remainingMs: 5000 }] });
      expect((await sync('b', { leases })).denials[0]!.remainingMs).toBeGreaterThan(4000);
      await sync('a', { releases: [field] });
      expect((await sync('b', { leases })).grants).toHaveLength(1);
      await sync('a', { holds: [{ field: '["x","d"]', remainingMs: Infinity }] });
      expect((await sync('c')).holds.find((each) => each.field === '["x","d"]')?.remainingMs).toBe(
        Infinity,
      );
    });

    it('evidence adds up, by part', async () => {
      const row = { bucket: 33, id: 'p 1\n', successes: 3, failures: 1, successMs: 100, run: 2 };
      // The part that this id is in.
      const { bucketOf } = await import('../store.ts');
      const bucket = bucketOf('p 1');
      const told = { ...row, bucket, id: 'p 1' };
      await sync('a', { evidence: [told] });
      await sync('b', { evidence: [{ ...told, successMs: 300, run: -1 }] });
      const { evidence } = await sync('c', { buckets: [bucket] });
      expect(evidence).toHaveLength(1);
      expect(evidence[0]!.id).toBe('p 1');
      expect(evidence[0]!.successes).toBeCloseTo(6, 1);
      expect(evidence[0]!.failures).toBeCloseTo(2, 1);
      expect(evidence[0]!.successMs).toBeCloseTo(200, 0);
      expect(evidence[0]!.run).toBe(-1);
      expect((await sync('c', { buckets: [(bucket + 1) % 64] })).evidence).toEqual([]);
    });

    it('the mean of many small reports is theirs, not the least of them', async () => {
      const row = { bucket: 47, id: 'p', successes: 1, failures: 0, successMs: 50, run: 1 };
      await sync('a', { evidence: [{ ...row, successes: 200 }] });
      for (const successMs of Array.from({ length: 40 }, () => [40, 60]).flat())
        await sync('a', { evidence: [{ ...row, successMs }] });
      const { evidence } = await sync('b', { buckets: [47] });
      expect(evidence[0]!.successMs).toBeCloseTo(50, 0);
    });

    it('old failures fade, however often successes are reported', async () => {
      const row = { bucket: 47, id: 'p', successes: 1, failures: 0, successMs: 50, run: 1 };
      await sync('a', { evidence: [{ ...row, failures: 150 }] });
      for (let i = 0; i < 50; i++) {
        await under.wait(20);
        await sync('a', { evidence: [row] });
      }
      const { evidence } = await sync('b', { buckets: [47] });
      // 150 × 0.5^(1/120), or less where a wait takes longer.
      expect(evidence[0]!.failures).toBeLessThan(149.2);
      expect(evidence[0]!.failures).toBeGreaterThan(100);
    });

    it('D34 other pools see nothing of it; other versions are named', async () => {
      await sync('a', { batch: 'one', holds: [{ field, remainingMs: 5000 }] });
      const other = await sync('b', { scope: scope.replace('}', '-2}') });
      expect([other.entries, other.holds, other.live]).toEqual([[], [], 1]);
      await sync('c', { scope: scope.replace('v1', 'v2'), version: 'v2', live: -1 });
      expect((await sync('a', { live: -1 })).versions).toEqual(['v2']);
      expect((await sync('a', { live: 1 })).versions).toEqual([]);
    });

    it('names with every kind of character come back as they were', async () => {
      const name = `${'ü"\\,|:~'.repeat(3)}✓`;
      await sync(name, { batch: '[["f","a\\nb",1,1,1]]' });
      const { entries, peers } = await sync('b');
      expect(entries[0]).toMatchObject({ process: name, batch: '[["f","a\\nb",1,1,1]]' });
      expect(peers?.map(({ process }) => process)).toContain(name);
    });
  });
}
