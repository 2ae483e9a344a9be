import {
  allOf,
  anyOf,
  CircuitBreakerGroup,
  consecutiveFailures,
  failureCount,
  failureRate,
} from '@whirl/circuit-breaker';
import { Selector } from '@whirl/selector';
import { seededRandom } from '@whirl/testkit';
import { TimeQueue } from '@whirl/testkit/simulation';
import type { Rule } from './rules.ts';

const endMs = 600_000;
const requestsPerSecond = 20;
const maxAttempts = 3;
/** How long a state of a proxy, a target or a ban lasts in the mean. */
const stateMs = 120_000;
const backoffMs = 1000;
/** Half of the failures take so long, the others 50 ms. */
const timeoutMs = 2000;

export interface Counts {
  /** Failures that were told right, wrong, and unknown. */
  right: number;
  wrong: number;
  unknown: number;
  /** Circuits of well proxies that opened. */
  goodOpened: number;
  /** Requests to well targets, and those of them that failed. */
  requests: number;
  lost: number;
  /** Requests to targets that are down, and attempts for them. */
  downRequests: number;
  downAttempts: number;
  /** Milliseconds from a proxy's death to its circuit opening, for those that were taken out. */
  takenOutMs: number[];
}

/** Something that changes its state now and then; each draw is a rate of failure. */
class Changing {
  rate: number;
  since = 0;
  /** Told out of rotation since its last change. */
  taken = false;
  #until = 0;
  readonly #draw: () => number;
  readonly #random: () => number;

  constructor(draw: () => number, random: () => number) {
    this.#draw = draw;
    this.#random = random;
    this.rate = draw();
    this.#until = this.#lasts();
  }

  at(now: number): this {
    while (now >= this.#until) {
      this.since = this.#until;
      this.taken = false;
      this.rate = this.#draw();
      this.#until += this.#lasts();
    }
    return this;
  }

  #lasts(): number {
    return -Math.log(1 - this.#random()) * stateMs;
  }
}

interface Request {
  readonly target: number;
  readonly tried: Set<string>;
  readonly wellAtStart: boolean;
  readonly downAtStart: boolean;
}

interface Running {
  readonly request: Request;
  readonly proxy: number;
  readonly ticket: number;
  readonly token: number;
  /** Whose failure it is; undefined: a response. */
  readonly causes: readonly ('proxy' | 'route' | 'target')[] | undefined;
  readonly latencyMs: number;
}

/** Plays one random world: 20 proxies and 10 targets that fail, recover, and ban each other. */
export function play(
  seed: number,
  makeRule: (proxies: number, targets: number) => Rule,
  proxies = 20,
  targets = 10,
): Counts {
  const random = seededRandom(seed);
  let now = 0;
  const pick = (chances: readonly (readonly [number, number])[]) => () => {
    let left = random();
    for (const [chance, rate] of chances) if ((left -= chance) < 0) return rate;
    return 0;
  };
  const each = Array.from(
    { length: proxies },
    () =>
      new Changing(
        pick([
          [0.65, 0.02],
          [0.2, 0.25],
          [0.15, 0.98],
        ]),
        random,
      ),
  );
  const origins = Array.from(
    { length: targets },
    () =>
      new Changing(
        pick([
          [0.7, 0.01],
          [0.1, 0.5],
          [0.2, 1],
        ]),
        random,
      ),
  );
  const bans = Array.from(
    { length: proxies * targets },
    () =>
      new Changing(
        pick([
          [0.95, 0],
          [0.05, 1],
        ]),
        random,
      ),
  );
  const rule = makeRule(proxies, targets);
  const selector = new Selector({ now: () => now, random });
  const counts: Counts = {
    right: 0,
    wrong: 0,
    unknown: 0,
    goodOpened: 0,
    requests: 0,
    lost: 0,
    downRequests: 0,
    downAttempts: 0,
    takenOutMs: [],
  };
  const limit = { threshold: 5, windowMs: 60_000 };
  const circuits = new CircuitBreakerGroup({
    now: () => now,
    random,
    trip: allOf(
      failureCount(limit),
      anyOf(failureRate({ ratio: 0.5, windowMs: 60_000, minimumCalls: 1 }), consecutiveFailures(5)),
    ),
    bus: {
      has: () => true,
      emit: (_type, event) => {
        const transition = event as Parameters<Selector['circuitChanged']>[0] & { from: string };
        selector.circuitChanged(transition);
        if (transition.to !== 'open' || transition.from !== 'closed') return;
        const proxy = each[Number(transition.name)]!.at(now);
        if (proxy.rate < 0.1) counts.goodOpened++;
        else if (proxy.rate > 0.9 && !proxy.taken) {
          proxy.taken = true;
          counts.takenOutMs.push(now - proxy.since);
        }
      },
    },
  });
  for (let i = 0; i < proxies; i++) selector.add({ id: `${i}` });

  const queue = new TimeQueue();
  const jobs: (() => void)[] = [];
  const later = (ms: number, job: () => void) => queue.push(now + ms, jobs.push(job) - 1);

  const attempt = (request: Request) => {
    const { target, tried } = request;
    const choice = selector.select({ exclude: tried, target: `t${target}` });
    const ticket = choice === undefined ? 0 : circuits.get(choice.id).acquire();
    if (choice === undefined || ticket === 0) {
      if (request.wellAtStart) counts.lost++;
      return;
    }
    tried.add(choice.id);
    const proxy = Number(choice.id);
    selector.started(choice.id);
    if (request.downAtStart) counts.downAttempts++;
    const causes: ('proxy' | 'route' | 'target')[] = [];
    if (random() < each[proxy]!.at(now).rate) causes.push('proxy');
    if (bans[proxy * targets + target]!.at(now).rate > 0) causes.push('route');
    if (random() < origins[target]!.at(now).rate) causes.push('target');
    const failed = causes.length > 0;
    const latencyMs = failed ? (random() < 0.5 ? 50 : timeoutMs) : 150 + random() * 300;
    const token = rule.begun(target);
    const running = {
      request,
      proxy,
      ticket,
      token,
      latencyMs,
      causes: failed ? causes : undefined,
    };
    later(latencyMs, () => end(running));
  };

  const end = ({ request, proxy, ticket, token, causes, latencyMs }: Running) => {
    const { target, tried, wellAtStart } = request;
    const id = `${proxy}`;
    const breaker = circuits.get(id);
    selector.settled(id);
    rule.ended(target, token);
    if (causes === undefined) {
      rule.responded(proxy, target, now);
      breaker.succeed(ticket);
      selector.record({ id, outcome: 'success', latencyMs, target: `t${target}` });
      return;
    }
    const blame = rule.failed(proxy, target, now, latencyMs === timeoutMs);
    if (blame === 'unknown') counts.unknown++;
    else if (causes.includes(blame)) counts.right++;
    else counts.wrong++;
    if (blame === 'proxy') breaker.fail(ticket);
    else breaker.release(ticket);
    selector.record({ id, outcome: 'failure', latencyMs, target: `t${target}`, blame });
    const braked = (blame === 'target' || blame === 'unknown') && rule.brakes(target);
    if (tried.size >= maxAttempts || braked) {
      if (wellAtStart) counts.lost++;
    } else later(blame === 'target' ? backoffMs : 0, () => attempt(request));
  };

  const arrive = () => {
    const target = Math.floor(random() ** 2 * targets);
    const { rate } = origins[target]!.at(now);
    const request: Request = {
      target,
      tried: new Set(),
      wellAtStart: rate < 0.1,
      downAtStart: rate === 1,
    };
    if (request.wellAtStart) counts.requests++;
    if (request.downAtStart) counts.downRequests++;
    attempt(request);
    later((-Math.log(1 - random()) * 1000) / requestsPerSecond, arrive);
  };
  arrive();
  while (queue.nextTime < endMs) {
    now = queue.nextTime;
    const job = queue.pop();
    const call = jobs[job]!;
    jobs[job] = () => {};
    call();
  }
  return counts;
}
