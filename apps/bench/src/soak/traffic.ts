import { setTimeout as wait } from 'node:timers/promises';
import type { ProxyRotator, RetryPolicyOptions, RotatorView } from '@whirl/rotator';
import { ask, visit as visitGateway, type Visits } from './clients.ts';
import type { Addresses } from './far-side.ts';
import type { ClientCounts } from './ledger.ts';
import { dispatched, fetches } from './visits/fetches.ts';
import { discards, downloads, requests, uploads } from './visits/requests.ts';
import { agents, asked, connects } from './visits/tunnels.ts';
import type { Ending, Kind, LeavesAt } from './visits/visit.ts';

/** Every kind of traffic whose requests can be told apart by the name of their policy. */
export const kinds: readonly Kind[] = [
  requests,
  uploads,
  downloads,
  discards,
  fetches,
  dispatched,
  agents,
  connects,
];
/** What the requests of a kind are named that their clients leave. */
export const leftName = (kind: string) => `${kind}, left`;
/** Of requests whose signal had been aborted before they were made. */
export const unsentName = 'aborted before';
/** Of agents that keep their connections: how many requests share one is not their clients' to know. */
export const keptName = 'agents, kept';

const gatewayShare = 0.2;
const leavesRatio = 0.25;
const unsentRatio = 0.01;
const keptRatio = 0.05;
const maxLeaveMs = 300;

export interface TrafficOptions {
  readonly rotator: ProxyRotator;
  readonly at: Addresses;
  readonly gateway: number;
  readonly policy: RetryPolicyOptions;
  readonly random: () => number;
  readonly clients: number;
  /** Visits that all clients begin in a second, at most. */
  readonly perSecond: number;
}

/** The clients of one process: what they do, and what they have counted. */
export class Traffic {
  readonly counts: Record<string, ClientCounts> = {};
  readonly gateway: Visits = { completed: 0, left: 0, torn: 0, failed: 0, refused: 0, wrong: 0 };
  readonly gatewayBytes = { sent: 0, received: 0 };
  #running = 0;
  #paused = false;
  #ended = false;
  readonly #options: TrafficOptions;
  readonly #views = new Map<string, RotatorView>();
  readonly #kept;
  readonly #totalWeight = kinds.reduce((sum, { weight }) => sum + weight, 0);

  constructor(options: TrafficOptions) {
    this.#options = options;
    const { rotator, policy } = options;
    for (const { name } of kinds) {
      for (const each of [name, leftName(name)]) {
        this.#views.set(each, rotator.with({ retryPolicy: { ...policy, name: each } }));
      }
    }
    this.#views.set(unsentName, rotator.with({ retryPolicy: { ...policy, name: unsentName } }));
    this.#kept = rotator.agents({ retryPolicy: { ...policy, name: keptName } });
  }

  start(): void {
    for (let i = 0; i < this.#options.clients; i++) void this.#client();
  }

  /** Resolves when no client is within a visit; none begins one until `resume()`. */
  async pause(): Promise<void> {
    this.#paused = true;
    while (this.#running > 0) await wait(10);
  }

  resume(): void {
    this.#paused = false;
  }

  /** After `pause()`. */
  end(): void {
    this.#ended = true;
    this.letGo();
  }

  /** Ends the connections that agents keep by now: one is kept a moment after its response. They can still open others. */
  letGo(): void {
    this.#kept.http.destroy();
    this.#kept.https.destroy();
  }

  async #client(): Promise<void> {
    const { clients, perSecond, random } = this.#options;
    const periodMs = (1000 * clients) / perSecond;
    await wait(random() * periodMs);
    while (!this.#ended) {
      const from = performance.now();
      if (!this.#paused) {
        this.#running++;
        await this.#visit();
        this.#running--;
      }
      const leftMs = periodMs * (0.5 + random()) - (performance.now() - from);
      await wait(Math.max(this.#paused ? 10 : 0, leftMs));
    }
  }

  async #visit(): Promise<void> {
    const { at, gateway, random } = this.#options;
    const chance = random();
    if (chance < gatewayShare) {
      const ways = { gateway, random, bytes: this.gatewayBytes };
      if (random() < 0.3) await ask({ ...ways, target: port(at.plain) }, this.gateway);
      else await visitGateway({ ...ways, target: at.echoPort }, this.gateway);
    } else if (chance < gatewayShare + unsentRatio) await this.#unsent();
    else if (chance < gatewayShare + unsentRatio + keptRatio) await this.#askKept();
    else await this.#one(this.#kind(), random() < leavesRatio);
  }

  #kind(): Kind {
    let at = this.#options.random() * this.#totalWeight;
    return kinds.find(({ weight }) => (at -= weight) < 0) ?? requests;
  }

  async #one(kind: Kind, leaves: boolean): Promise<void> {
    const { at, random } = this.#options;
    const name = leaves ? leftName(kind.name) : kind.name;
    const view = this.#views.get(name) as RotatorView;
    const left = new AbortController();
    const chance = random();
    const leavesAt: LeavesAt = chance < 0.7 ? 'time' : chance < 0.85 ? 'headers' : 'body';
    const reached = (phase: LeavesAt) => {
      if (leaves && phase === leavesAt) left.abort();
    };
    const timer = setTimeout(() => reached('time'), random() * random() * maxLeaveMs);
    const { signal } = left;
    await this.#count(name, signal, () => kind.visit({ view, at, random, signal, reached }));
    clearTimeout(timer);
  }

  /** A request that its caller gave up before it was made. */
  async #unsent(): Promise<void> {
    const view = this.#views.get(unsentName) as RotatorView;
    const signal = AbortSignal.abort();
    await this.#count(unsentName, signal, async () => {
      await view.get(this.#options.at.plain, { signal });
      return 'wrong';
    });
  }

  async #askKept(): Promise<void> {
    const { at, random } = this.#options;
    const { signal } = new AbortController();
    const to = random() < 0.5 ? at.secure : at.plain;
    await this.#count(keptName, signal, () => asked({ at, reached() {} }, this.#kept, to));
  }

  async #count(name: string, signal: AbortSignal, visit: () => Promise<Ending>): Promise<void> {
    const none = { issued: 0, succeeded: 0, failed: 0, aborted: 0, wrong: 0 };
    const counts = (this.counts[name] ??= none);
    counts.issued++;
    let ending: Ending;
    try {
      ending = await visit();
    } catch {
      ending = 'failed';
    }
    // One that was left and ended well all the same was left too late.
    counts[ending === 'failed' && signal.aborted ? 'aborted' : ending]++;
  }
}

function port(origin: string): number {
  return Number(new URL(origin).port);
}
