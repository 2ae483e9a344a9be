import { printTable } from '../table.ts';
import { byEvidence, everyProxy, twoProxies } from './rules.ts';
import { play, type Counts } from './world.ts';

const rules = {
  "every failure is the proxy's": everyProxy,
  "the target's, if two proxies meet it in 30 s": twoProxies,
  'whirl: by evidence': byEvidence,
};

/**
 * Random worlds on a virtual clock: 20 proxies, 10 targets, ten minutes of 20 requests a second.
 * `bench blame 5` plays five of them instead of twenty.
 */
export async function run([seeds = '20']: readonly string[]): Promise<void> {
  const worlds = Number(seeds);
  const rows = Object.entries(rules).map(([rule, make]) => {
    const all: Counts[] = [];
    for (let seed = 1; seed <= worlds; seed++) all.push(play(seed, make));
    const sum = (name: Exclude<keyof Counts, 'takenOutMs'>) =>
      all.reduce((total, counts) => total + counts[name], 0);
    const failures = sum('right') + sum('wrong') + sum('unknown');
    const times = all.flatMap(({ takenOutMs }) => takenOutMs).sort((a, b) => a - b);
    return {
      rule,
      'right %': (100 * sum('right')) / failures,
      'wrong %': (100 * sum('wrong')) / failures,
      'unknown %': (100 * sum('unknown')) / failures,
      'good circuits opened / world': sum('goodOpened') / worlds,
      'lost at good targets %': (100 * sum('lost')) / sum('requests'),
      'attempts / request at down targets': sum('downAttempts') / sum('downRequests'),
      'bad proxy out after s': (times[Math.floor(times.length / 2)] ?? NaN) / 1000,
    };
  });
  printTable(`Who is to blame: ${worlds} random worlds`, rows);
}
