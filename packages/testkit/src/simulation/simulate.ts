import type { Population, SimulatedAttempt } from './population.ts';
import { TimeQueue } from './time-queue.ts';

/** What is simulated: it picks proxies by number and is told how they did. */
export interface Chooser {
  /** A proxy, avoiding those tried by this request; −1 when there is none. */
  select(tried: readonly number[], now: number): number;
  started(proxy: number, now: number): void;
  ended(proxy: number, attempt: SimulatedAttempt, now: number): void;
}

export interface SimulationOptions {
  readonly population: Population;
  readonly chooser: Chooser;
  readonly random: () => number;
  /** Requests arrive by chance (Poisson) at this rate. */
  readonly requestsPerSecond: number;
  /** Requests that arrive after this time are measured. Milliseconds. */
  readonly settleMs: number;
  /** No request arrives after this time. Milliseconds. */
  readonly endMs: number;
  /** Per request, on distinct proxies where the chooser can. Default 3. */
  readonly maxAttempts?: number | undefined;
  /** Changes something at given times: pairs in ascending order of time. */
  readonly script?: readonly (readonly [atMs: number, change: () => void])[] | undefined;
}

export interface SimulationResult {
  readonly requests: number;
  readonly firstAttemptRatio: number;
  readonly successRatio: number;
  readonly attemptsPerRequest: number;
  /** From a request's arrival to its response, of those that succeeded. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** 1 ÷ Σ share², over all attempts measured. */
  readonly effectiveProxies: number;
  /** Attempts measured, by proxy. */
  readonly attempts: Uint32Array;
}

interface Request {
  arrivedAt: number;
  proxy: number;
  attempt: number;
  readonly tried: number[];
  readonly result: SimulatedAttempt;
}

/** Plays requests against a population on a virtual clock. Failed ones fail over at once. */
export function simulate(options: SimulationOptions): SimulationResult {
  const { population, chooser, random, requestsPerSecond, settleMs, endMs } = options;
  const { maxAttempts = 3, script = [] } = options;
  const queue = new TimeQueue();
  const live: Request[] = [];
  const free: number[] = [];
  const attempts = new Uint32Array(population.size);
  const durationsMs: number[] = [];
  let requests = 0;
  let firstSuccesses = 0;
  let attemptCount = 0;
  let scripted = 0;

  const attempt = (index: number, now: number) => {
    const request = live[index]!;
    const proxy = chooser.select(request.tried, now);
    if (proxy < 0) {
      free.push(index);
      return;
    }
    request.proxy = proxy;
    request.tried.push(proxy);
    chooser.started(proxy, now);
    population.attempt(proxy, now, request.result);
    if (request.arrivedAt >= settleMs) {
      attemptCount++;
      attempts[proxy]!++;
    }
    queue.push(now + request.result.latencyMs, index);
  };

  let arrival = 0;
  for (;;) {
    arrival -= (Math.log(1 - random()) / requestsPerSecond) * 1000;
    const next = arrival < endMs ? arrival : Infinity;
    while (queue.nextTime <= next) {
      const now = queue.nextTime;
      if (now === Infinity) break;
      const index = queue.pop();
      const request = live[index]!;
      population.inFlight[request.proxy]!--;
      chooser.ended(request.proxy, request.result, now);
      if (request.result.outcome === 'success') {
        if (request.arrivedAt >= settleMs) {
          if (request.attempt === 0) firstSuccesses++;
          durationsMs.push(now - request.arrivedAt);
        }
        free.push(index);
      } else if (++request.attempt < maxAttempts) attempt(index, now);
      else free.push(index);
    }
    if (next === Infinity) break;
    while (scripted < script.length && script[scripted]![0] <= arrival) script[scripted++]![1]();
    let index = free.pop();
    if (index === undefined) {
      index = live.length;
      const result: SimulatedAttempt = { outcome: 'failure', latencyMs: 0 };
      live.push({ arrivedAt: 0, proxy: -1, attempt: 0, tried: [], result });
    }
    const request = live[index]!;
    request.arrivedAt = arrival;
    request.attempt = 0;
    request.tried.length = 0;
    if (arrival >= settleMs) requests++;
    attempt(index, arrival);
  }

  durationsMs.sort((a, b) => a - b);
  const quantile = (ratio: number) => durationsMs[Math.floor(ratio * durationsMs.length)] ?? NaN;
  let squares = 0;
  for (const count of attempts) squares += count * count;
  return {
    requests,
    firstAttemptRatio: firstSuccesses / requests,
    successRatio: durationsMs.length / requests,
    attemptsPerRequest: attemptCount / requests,
    p50Ms: quantile(0.5),
    p95Ms: quantile(0.95),
    p99Ms: quantile(0.99),
    effectiveProxies: squares === 0 ? 0 : (attemptCount * attemptCount) / squares,
    attempts,
  };
}
