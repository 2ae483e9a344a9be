import {
  adaptive,
  costAware,
  geo,
  leastUsed,
  performance,
  random,
  roundRobin,
  sticky,
  weighted,
  type Strategy,
} from '@whirl/selector';
import { seededRandom } from '@whirl/testkit';
import { Population, realisticPool, scrapedPool, simulate } from '@whirl/testkit/simulation';
import { parseArgs } from 'node:util';
import { printTable } from '../table.ts';
import { oracle, peakEwma, scrapyRules, whirl, type CreateChooser } from './choosers.ts';
import { printMemory, printScale } from './scale.ts';
import { printScenarios } from './scenarios.ts';

const settleMs = 300_000;

/** The pools of S16, and a scraped public list. */
const pools = {
  '20': { size: 20, kinds: realisticPool, requestsPerSecond: 50, endMs: 1_500_000, seeds: 12 },
  '1000': { size: 1000, kinds: realisticPool, requestsPerSecond: 100, endMs: 900_000, seeds: 3 },
  '100000': {
    size: 100_000,
    kinds: realisticPool,
    requestsPerSecond: 500,
    endMs: 600_000,
    seeds: 1,
  },
  scraped: { size: 5000, kinds: scrapedPool, requestsPerSecond: 100, endMs: 900_000, seeds: 3 },
};

const plain: Record<string, () => Strategy> = {
  random,
  roundRobin,
  weighted,
  leastUsed,
  performance,
  'sticky(random)': () => sticky(random()),
  'geo(adaptive)': () => geo(adaptive()),
  'costAware(adaptive)': () => costAware(adaptive()),
  adaptive,
};

const subjects: Record<string, CreateChooser> = {
  ...Object.fromEntries(
    Object.entries(plain).map(([name, create]): [string, CreateChooser] => [
      name,
      (context) => whirl(create())(context),
    ]),
  ),
  'adaptive + circuits': (context) => whirl(adaptive(), { circuits: true })(context),
  "scrapy's rules": scrapyRules,
  'peak EWMA': peakEwma,
  'oracle (8 looks)': oracle,
};

/**
 * `npm run bench selection -- [20] [1000] [100000] [scraped] [scenarios] [scale] [--strategy adaptive] [--seed 1]`: how well
 * each strategy does in simulated pools, on a virtual clock with seeded chance, and what a pick costs at two pool sizes.
 * `--seed` is that of the first run of a pool, `--strategy` leaves out the others.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { seed: { type: 'string', default: '1' }, strategy: { type: 'string' } },
  });
  const known = [...Object.keys(pools), 'scenarios', 'scale'];
  const unknown = positionals.find((arg) => !known.includes(arg));
  if (unknown !== undefined) {
    throw new RangeError(`unknown pool ${unknown}; known are ${known.join(', ')}`);
  }
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 1) {
    throw new RangeError(`--seed must be a whole number from 1 on, got ${values.seed}`);
  }
  const compared = only(values.strategy);
  const chosen = positionals.length === 0 ? known : positionals;
  if (chosen.includes('scale')) printMemory();
  for (const [name, pool] of Object.entries(pools)) {
    if (chosen.includes(name)) printPool(name, pool, compared, seed);
  }
  if (chosen.includes('scenarios')) printScenarios(compared);
  if (chosen.includes('scale')) await printScale(plain);
}

/** All strategies, or the one of that name. */
function only(name: string | undefined): Record<string, CreateChooser> {
  if (name === undefined) return subjects;
  const subject = subjects[name];
  if (subject === undefined) {
    throw new RangeError(`unknown strategy ${name}; known are ${Object.keys(subjects).join(', ')}`);
  }
  return { [name]: subject };
}

function printPool(
  name: string,
  pool: (typeof pools)[keyof typeof pools],
  compared: Record<string, CreateChooser>,
  firstSeed: number,
): void {
  const rows = Object.entries(compared).map(([strategy, create]) => {
    const sums = { first: 0, final: 0, attempts: 0, p50: 0, p95: 0, p99: 0, effective: 0 };
    for (let seed = firstSeed; seed < firstSeed + pool.seeds; seed++) {
      const chance = seededRandom(seed * 7919);
      const population = new Population({ ...pool, random: chance });
      const chooser = create({ population, random: seededRandom(seed) });
      const result = simulate({ ...pool, population, chooser, random: chance, settleMs });
      sums.first += result.firstAttemptRatio / pool.seeds;
      sums.final += result.successRatio / pool.seeds;
      sums.attempts += result.attemptsPerRequest / pool.seeds;
      sums.p50 += result.p50Ms / pool.seeds;
      sums.p95 += result.p95Ms / pool.seeds;
      sums.p99 += result.p99Ms / pool.seeds;
      sums.effective += result.effectiveProxies / pool.seeds;
    }
    return {
      strategy,
      'first %': (sums.first * 100).toFixed(2),
      'final %': (sums.final * 100).toFixed(2),
      'attempts/request': sums.attempts.toFixed(4),
      'p50 ms': Math.round(sums.p50),
      'p95 ms': Math.round(sums.p95),
      'p99 ms': Math.round(sums.p99),
      'effective proxies': Math.round(sums.effective),
    };
  });
  printTable(`${name}: ${pool.size} proxies, ${pool.requestsPerSecond} requests a second`, rows);
}
