import { Selector, type Strategy } from '@whirl/selector';
import { seededRandom } from '@whirl/testkit';
import { compareNs, type Subject } from '../measure.ts';
import { printTable } from '../table.ts';

const small = 100;
const large = 100_000;

/** Candidates with half of the circuits open, a tenth with a tag, and some history. */
function pool(strategy: Strategy, size: number): { selector: Selector; ids: readonly string[] } {
  const random = seededRandom(size);
  let now = 1_000_000;
  const selector = new Selector({ strategy, random, now: () => (now += 0.01) });
  const ids = Array.from({ length: size }, (_, i) => `${i}`);
  ids.forEach((id, i) =>
    selector.add({ id, weight: 1 + (i % 3), tags: i % 20 < 2 ? ['few'] : [] }),
  );
  for (let i = 0; i < size; i += 2) selector.circuitChanged({ name: `${i}`, to: 'forced_open' });
  for (let i = 0; i < 2 * size; i++) {
    const id = ids[Math.floor(random() * size)] as string;
    const outcome = random() < 0.9 ? 'success' : 'failure';
    selector.record({ id, outcome, latencyMs: 100 + 1000 * random() });
  }
  return { selector, ids };
}

/** Prints what operations cost at 100,000 candidates over what they cost at 100. */
export async function printScale(strategies: Record<string, () => Strategy>): Promise<void> {
  const few = { tags: ['few'] };
  const rows = [];
  for (const [strategy, create] of Object.entries(strategies)) {
    const pick: Record<string, Subject> = {};
    const filtered: Record<string, Subject> = {};
    const cycle: Record<string, Subject> = {};
    const record: Record<string, Subject> = {};
    const churn: Record<string, Subject> = {};
    for (const size of [small, large]) {
      const { selector, ids } = pool(create(), size);
      pick[size] = (count) => {
        for (let i = 0; i < count; i++) selector.select();
      };
      filtered[size] = (count) => {
        for (let i = 0; i < count; i++) selector.select(few);
      };
      cycle[size] = (count) => {
        for (let i = 0; i < count; i++) {
          const id = selector.select()?.id ?? '';
          selector.started(id);
          selector.settled(id);
          selector.record({ id, outcome: i % 10 === 0 ? 'failure' : 'success', latencyMs: 300 });
        }
      };
      const drawn = seededRandom(size + 1);
      record[size] = (count) => {
        for (let i = 0; i < count; i++) {
          const id = ids[Math.floor(drawn() * size)] as string;
          selector.record({ id, outcome: i % 10 === 0 ? 'failure' : 'success', latencyMs: 300 });
        }
      };
      churn[size] = (count) => {
        for (let i = 0; i < count; i++) {
          const id = ids[i % small] as string;
          selector.remove(id);
          selector.add({ id });
        }
      };
    }
    const options = { count: 5000, rounds: 25, warmUpRounds: 3 };
    const pickNs = await compareNs(pick, options);
    const ratio = (ns: Record<string, number>) => (ns[large] ?? NaN) / (ns[small] ?? NaN);
    rows.push({
      strategy,
      'ns per pick at 100': Math.round(pickNs[small] ?? NaN),
      'at 100,000': Math.round(pickNs[large] ?? NaN),
      'pick ×': ratio(pickNs).toFixed(2),
      'filtered ×': ratio(await compareNs(filtered, options)).toFixed(2),
      'cycle ×': ratio(await compareNs(cycle, options)).toFixed(2),
      'record ×': ratio(await compareNs(record, options)).toFixed(2),
      'remove + add ×': ratio(await compareNs(churn, options)).toFixed(2),
    });
  }
  printTable('Cost at 100,000 candidates over 100, half of the circuits open', rows);
}

/** Prints the memory that candidates take, when nothing else has left garbage yet. */
export function printMemory(): void {
  globalThis.gc?.();
  const before = process.memoryUsage();
  const ids = Array.from({ length: large }, (_, i) => `proxy-${i}.example:8080`);
  for (const id of ids) id.charCodeAt(0);
  globalThis.gc?.();
  const withIds = process.memoryUsage();
  const selector = new Selector();
  for (const id of ids) selector.add({ id });
  selector.select();
  globalThis.gc?.();
  const after = process.memoryUsage();
  const mb = (from: NodeJS.MemoryUsage, to: NodeJS.MemoryUsage) =>
    ((to.heapUsed + to.arrayBuffers - from.heapUsed - from.arrayBuffers) / 1e6).toFixed(1);
  console.log(
    `\n${selector.size.toLocaleString('en-US')} candidates under adaptive(): ${mb(withIds, after)} MB, their ids ${mb(before, withIds)} MB`,
  );
}
