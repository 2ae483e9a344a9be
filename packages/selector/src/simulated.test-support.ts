import { seededRandom } from '@whirl/testkit';
import {
  Population,
  simulate,
  type ProxyKind,
  type SimulationOptions,
  type SimulationResult,
} from '@whirl/testkit/simulation';
import { adaptive, Selector, type Strategy } from './index.ts';

export interface Simulated {
  readonly selector: Selector;
  readonly population: Population;
  readonly result: SimulationResult;
}

type Script = (population: Population, selector: Selector) => SimulationOptions['script'];

/** Plays a pool against a selector, as `apps/bench` does, smaller. Ids are the proxies' numbers. */
export function play(
  options: {
    size: number;
    kinds: readonly ProxyKind[];
    requestsPerSecond: number;
    settleMs: number;
    endMs: number;
    seed?: number;
    redrawMs?: number;
    maxInFlight?: number;
    strategy?: Strategy;
  },
  script?: Script,
): Simulated {
  const { size, seed = 1, strategy = adaptive() } = options;
  const chance = seededRandom(seed);
  const population = new Population({ ...options, random: chance });
  let now = 0;
  const selector = new Selector({ strategy, now: () => now, random: seededRandom(seed + 1) });
  for (let i = 0; i < size; i++) selector.add({ id: `${i}` });
  const result = simulate({
    ...options,
    population,
    random: chance,
    script: script?.(population, selector),
    chooser: {
      select(tried, at) {
        now = at;
        const pick = selector.select(tried.length === 0 ? {} : { exclude: tried.map(String) });
        return pick === undefined ? -1 : Number(pick.id);
      },
      started(proxy, at) {
        now = at;
        selector.started(`${proxy}`);
      },
      ended(proxy, { outcome, latencyMs }, at) {
        now = at;
        selector.settled(`${proxy}`);
        selector.record({ id: `${proxy}`, outcome, latencyMs });
      },
    },
  });
  return { selector, population, result };
}
