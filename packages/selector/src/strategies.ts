import { best, type Candidate, type Strategy } from './strategy.ts';

/** Each in turn: the one picked least recently. */
export function roundRobin(): Strategy {
  return { name: 'roundRobin', pick: (all, _, random) => best(all, (c) => -c.lastPick, random) };
}

/** Any, with equal chance. */
export function random(): Strategy {
  return { name: 'random', pick: (all, _, chance) => all[Math.floor(chance() * all.length)] };
}

/** In proportion to weight; weight 0 never. */
export function weighted(): Strategy {
  return {
    name: 'weighted',
    pick(all, _, chance) {
      let total = 0;
      for (const { weight } of all) total += weight;
      if (total === 0) return undefined;
      let at = chance() * total;
      let last: Candidate | undefined;
      for (const candidate of all) {
        if (candidate.weight === 0) continue;
        last = candidate;
        at -= candidate.weight;
        if (at < 0) return candidate;
      }
      return last;
    },
  };
}

/** The one with the fewest picks; a newcomer starts at the pool's minimum. */
export function leastUsed(): Strategy {
  return { name: 'leastUsed', pick: (all, _, chance) => best(all, (c) => -c.picks, chance) };
}

/** 0.7 · successRate + 0.3 · (1 − latency ÷ the pool's largest); ×1.1 for a matching region. */
export function performanceScore(
  candidate: Candidate,
  largestMs: number,
  region: string | undefined,
): number {
  const { avgLatencyMs = 0 } = candidate;
  const latency = largestMs > 0 ? avgLatencyMs / largestMs : 0;
  const score = 0.7 * candidate.successRate + 0.3 * (1 - latency);
  return region !== undefined && candidate.region === region ? score * 1.1 : score;
}

export function largestLatency(candidates: Iterable<Candidate>): number {
  let largest = 0;
  for (const { avgLatencyMs = 0 } of candidates) if (avgLatencyMs > largest) largest = avgLatencyMs;
  return largest;
}

/** The documented score: highest wins, ties at random. */
export function performance(): Strategy {
  return {
    name: 'performance',
    pick(all, { region }, chance) {
      const largest = largestLatency(all);
      return best(all, (c) => performanceScore(c, largest, region), chance);
    },
  };
}

const prior = 10;
const looks = 5;
const exploration = 0.02;

/**
 * The least expected time to a success among five random looks:
 * cost = (L + (1 − p)/p · L) · (inFlight + 1), with p shrunk towards the looks' own mean.
 */
export function adaptive(): Strategy {
  return {
    name: 'adaptive',
    pick(all, { region }, chance) {
      const any = () => all[Math.floor(chance() * all.length)] as Candidate;
      if (chance() < exploration) return any();
      const seen = new Set<Candidate>();
      if (all.length <= looks) for (const each of all) seen.add(each);
      else for (let i = 0; i < looks; i++) seen.add(any());
      let rates = 0;
      let latencies = 0;
      let known = 0;
      for (const c of seen) {
        rates += c.samples === 0 ? 0.8 : c.successRate;
        if (c.avgLatencyMs !== undefined) {
          latencies += c.avgLatencyMs;
          known++;
        }
      }
      const meanRate = rates / seen.size;
      const meanMs = known === 0 ? 500 : latencies / known;
      return best(
        [...seen],
        (c) => {
          const p = (c.successRate * c.samples + prior * meanRate) / (c.samples + prior);
          const cost = ((c.avgLatencyMs ?? meanMs) / Math.max(p, 0.001)) * (c.inFlight + 1);
          return -(region !== undefined && c.region === region ? cost / 1.1 : cost);
        },
        chance,
      );
    },
  };
}
