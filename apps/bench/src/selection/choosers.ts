import { allOf, CircuitBreaker, failureCount, failureRate } from '@whirl/circuit-breaker';
import { createBus, type WhirlEvents } from '@whirl/events';
import { Selector, type Strategy } from '@whirl/selector';
import type { Chooser, Population } from '@whirl/testkit/simulation';

/** What a chooser may need: an oracle looks into the population, the others only draw chance. */
export interface ChooserContext {
  readonly population: Population;
  readonly random: () => number;
}

export type CreateChooser = (context: ChooserContext) => Chooser;

/** A selector of whirl, with the rotator's default circuits or without any. */
export function whirl(strategy: Strategy, { circuits = false } = {}): CreateChooser {
  return ({ population, random }) => {
    let clock = 0;
    const now = () => clock;
    const bus = createBus<WhirlEvents>();
    const selector = new Selector({ strategy, now, random, bus });
    const ids = Array.from({ length: population.size }, (_, i) => `${i}`);
    for (const id of ids) selector.add({ id });
    const trip = allOf(
      failureCount({ threshold: 5, windowMs: 60_000 }),
      failureRate({ ratio: 0.5, windowMs: 60_000, minimumCalls: 1 }),
    );
    const breakers = circuits
      ? ids.map((name) => new CircuitBreaker({ name, trip, openMs: 30_000, now, bus }))
      : [];
    const tickets = ids.map((): number[] => []);
    return {
      select(tried, at) {
        clock = at;
        let exclude = tried.map(String);
        for (;;) {
          const pick = selector.select(exclude.length === 0 ? undefined : { exclude });
          if (pick === undefined) return -1;
          const proxy = Number(pick.id);
          const breaker = breakers[proxy];
          if (breaker === undefined) return proxy;
          const ticket = breaker.acquire();
          if (ticket !== 0) {
            tickets[proxy]?.push(ticket);
            return proxy;
          }
          if (pick.reused) return -1;
          exclude = [...exclude, pick.id];
        }
      },
      started(proxy, at) {
        clock = at;
        selector.started(`${proxy}`);
      },
      ended(proxy, { outcome, latencyMs }, at) {
        clock = at;
        const ticket = tickets[proxy]?.shift();
        if (ticket !== undefined) {
          if (outcome === 'success') breakers[proxy]?.succeed(ticket);
          else breakers[proxy]?.fail(ticket);
        }
        selector.settled(`${proxy}`);
        selector.record({ id: `${proxy}`, outcome, latencyMs });
      },
    };
  };
}

const looks = 8;

/** Draws that avoid what the request has tried, as far as a few draws can. */
function draw(size: number, tried: readonly number[], random: () => number): number {
  let proxy = Math.floor(random() * size);
  for (let i = 0; i < 20 && tried.includes(proxy); i++) proxy = Math.floor(random() * size);
  return proxy;
}

function ofLooks(
  { population, random }: ChooserContext,
  tried: readonly number[],
  count: number,
  cost: (proxy: number) => number,
): number {
  let best = -1;
  let least = Infinity;
  for (let i = 0; i < count; i++) {
    const proxy = draw(population.size, tried, random);
    const each = cost(proxy);
    if (each < least) {
      best = proxy;
      least = each;
    }
  }
  return best;
}

/** Knows every proxy's probability and latency, and takes the least cost of eight random looks. */
export const oracle: CreateChooser = (context) => {
  const { population } = context;
  return {
    select: (tried, now) =>
      ofLooks(
        context,
        tried,
        looks,
        (proxy) => population.costMs(proxy, now) * ((population.inFlight[proxy] ?? 0) + 1),
      ),
    started() {},
    ended() {},
  };
};

/**
 * The rules of scrapy-rotating-proxies: any proxy that is not dead at random; a failure makes it dead
 * until a random moment within min(300 s · 2^(failures in a row), 3,600 s); a success revives it. With
 * with none alive, all are tried again.
 */
export const scrapyRules: CreateChooser = ({ population, random }) => {
  const backMs = new Float64Array(population.size);
  const failures = new Uint8Array(population.size);
  const alive = (proxy: number, now: number) => (backMs[proxy] ?? 0) <= now;
  return {
    select(tried, now) {
      for (let i = 0; i < 200; i++) {
        const proxy = draw(population.size, tried, random);
        if (alive(proxy, now)) return proxy;
      }
      return draw(population.size, tried, random);
    },
    started() {},
    ended(proxy, { outcome }, now) {
      if (outcome === 'success') backMs[proxy] = failures[proxy] = 0;
      else {
        const count = Math.min((failures[proxy] ?? 0) + 1, 100);
        failures[proxy] = count;
        backMs[proxy] = now + random() * Math.min(300_000 * 2 ** count, 3_600_000);
      }
    },
  };
};

/**
 * Peak EWMA with two random choices: the load times an average of latency (whatever the outcome) that
 * jumps to a peak at once and decays over 10 s. It knows no failures.
 */
export const peakEwma: CreateChooser = (context) => {
  const { population } = context;
  const averageMs = new Float64Array(population.size).fill(500);
  const at = new Float64Array(population.size);
  return {
    select: (tried) =>
      ofLooks(
        context,
        tried,
        2,
        (proxy) => (averageMs[proxy] ?? 0) * ((population.inFlight[proxy] ?? 0) + 1),
      ),
    started() {},
    ended(proxy, { latencyMs }, now) {
      const old = averageMs[proxy] ?? 0;
      const kept = Math.exp((at[proxy]! - now) / 10_000);
      averageMs[proxy] = latencyMs > old ? latencyMs : old * kept + latencyMs * (1 - kept);
      at[proxy] = now;
    },
  };
};
