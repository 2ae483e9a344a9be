import { seededRandom } from '@whirl/testkit';
import { Population, simulate, type SimulationOptions } from '@whirl/testkit/simulation';
import { printTable } from '../table.ts';
import type { CreateChooser } from './choosers.ts';

const seeds = [1, 2, 3];

interface Scenario {
  readonly size: number;
  readonly success: number;
  readonly failures: 'fast' | 'mixed';
  readonly requestsPerSecond: number;
  readonly settleMs: number;
  readonly endMs: number;
  readonly script?: (population: Population) => SimulationOptions['script'];
}

/** Equal proxies of 300 ms, one of which may change; attempts by proxy, and requests that succeeded. */
function play(scenario: Scenario, create: CreateChooser, seed: number) {
  const { size, success, failures, script } = scenario;
  const random = seededRandom(seed * 7919);
  const kinds = [
    { share: 1, success: [success, success], medianMs: [300, 300], failures },
  ] as const;
  const population = new Population({ size, kinds, random, redrawMs: Infinity });
  const chooser = create({ population, random: seededRandom(seed) });
  const result = simulate({
    ...scenario,
    population,
    chooser,
    random,
    script: script?.(population),
  });
  const fair = result.attempts.reduce((sum, each) => sum + each) / size;
  return { ...result, shares: [...result.attempts].map((each) => each / fair) };
}

const blackHole: Scenario = {
  size: 10,
  success: 0.99,
  failures: 'mixed',
  requestsPerSecond: 20,
  settleMs: 10_000,
  endMs: 260_000,
  script: (population) => [[0, () => population.set(0, 0, 300, 'fast')]],
};

/** 64 at a time by Little's law: 64 ÷ 0.434 s a request. */
const herd: Scenario = {
  size: 50,
  success: 0.99,
  failures: 'fast',
  requestsPerSecond: 147,
  settleMs: 30_000,
  endMs: 98_000,
};

/** 85 in flight on average, and room for 100. */
const narrow: Scenario = {
  size: 5,
  success: 0.95,
  failures: 'mixed',
  requestsPerSecond: 90,
  settleMs: 30_000,
  endMs: 150_000,
};

/** One falls from .95 to .05 at 200 s and recovers at 400 s. */
const change = (settleMs: number, endMs: number): Scenario => ({
  size: 20,
  success: 0.95,
  failures: 'mixed',
  requestsPerSecond: 50,
  settleMs,
  endMs,
  script: (population) => [
    [200_000, () => population.set(0, 0.05, 300, 'mixed')],
    [400_000, () => population.set(0, 0.95, 300, 'mixed')],
  ],
});

/** Prints how each does in the situations of S10, S11 and S12, the mean of three seeds. */
export function printScenarios(subjects: Record<string, CreateChooser>): void {
  const rows = Object.entries(subjects).map(([strategy, create]) => {
    const mean = (scenario: Scenario, of: (result: ReturnType<typeof play>) => number) =>
      seeds.reduce((sum, seed) => sum + of(play(scenario, create, seed)), 0) / seeds.length;
    const ofFair = (scenario: Scenario) => mean(scenario, ({ shares }) => shares[0] ?? 0);
    return {
      strategy,
      'black hole %': (10 * ofFair(blackHole)).toFixed(1),
      'herd, least': mean(herd, ({ shares }) => Math.min(...shares)).toFixed(2),
      'herd, most': mean(herd, ({ shares }) => Math.max(...shares)).toFixed(2),
      'narrow, final %': (100 * mean(narrow, ({ successRatio }) => successRatio)).toFixed(1),
      'fallen, of fair': ofFair(change(220_000, 400_000)).toFixed(2),
      'recovered, of fair': ofFair(change(460_000, 560_000)).toFixed(2),
    };
  });
  printTable(
    'S10 to S12: one of 10 fails at once; 50 equals, 64 in flight; 5 with room for 20; one of 20 falls, recovers',
    rows,
  );
}
