import { memoryStore } from '@whirl/fleet';
import { adaptive } from '@whirl/selector';
import { World } from '../../../../packages/fleet/src/testing/world.ts';
import { median } from '../measure.ts';

const processes = 8;
const seeds = 11;
const warmUpMs = 30_000;
const outageMs = 40_000;

/** Attempts that the processes waste on a proxy that dies, without the tests of its circuit. */
async function wasted(
  seed: number,
  options: { together: boolean; learns: boolean },
): Promise<number> {
  const world = new World({ seed, strategy: options.learns ? adaptive : undefined });
  for (let i = 1; i <= processes; i++) {
    const store = options.together ? world.store : memoryStore({ now: () => world.clock.now() });
    world.start(`p${i}`, { store, everyMs: 250 });
  }
  await world.run(warmUpMs);
  const before = world.attempts('c');
  world.dead.add('c');
  await world.run(outageMs);
  const count = world.attempts('c') - before - world.tests('c').length;
  await world.end();
  return count;
}

/** One of ten proxies dies, on a virtual clock: what eight processes learn alone, and what a fleet learns. */
export async function worlds() {
  const rows = [];
  for (const learns of [false, true]) {
    const counts = async (together: boolean) => {
      const all = [];
      for (let seed = 1; seed <= seeds; seed++) all.push(await wasted(seed, { together, learns }));
      return median(all);
    };
    rows.push({
      strategy: learns ? 'adaptive()' : 'in turn',
      'each alone': await counts(false),
      'as a fleet': await counts(true),
    });
  }
  return rows;
}
