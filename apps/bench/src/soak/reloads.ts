import { setTimeout as wait } from 'node:timers/promises';
import type { PoolEntry, ProxyRotator } from '@whirl/rotator';
import type { Addresses } from './far-side.ts';
import { oneOf } from './visits/visit.ts';

/** Between two changes, on average. */
const everyMs = 1500;
const exits = 8;
/** Proxies that a list names at the least: among fewer none may work. */
const least = 9;

/** Changes the pool while it works, in each way that there is. */
export class Reloads {
  /** Changes made. */
  count = 0;
  readonly #rotator: ProxyRotator;
  readonly #at: Addresses;
  readonly #random: () => number;
  #resting: Promise<void> | undefined;
  #resume: (() => void) | undefined;
  #changing: Promise<void> = Promise.resolve();

  constructor(rotator: ProxyRotator, at: Addresses, random: () => number) {
    this.#rotator = rotator;
    this.#at = at;
    this.#random = random;
    rotator.setProxies(this.#all());
  }

  start(): void {
    void this.#run();
  }

  /** Resolves when no change is under way. */
  async pause(): Promise<void> {
    this.#resting ??= new Promise((resolve) => (this.#resume = resolve));
    await this.#changing;
  }

  resume(): void {
    this.#resume?.();
    this.#resting = undefined;
  }

  async #run(): Promise<void> {
    for (;;) {
      // It keeps no process alive: there is no end but the process's.
      await wait(everyMs * (0.5 + this.#random()), undefined, { ref: false });
      await this.#resting;
      this.#changing = this.#change();
      await this.#changing;
      this.count++;
    }
  }

  async #change(): Promise<void> {
    const rotator = this.#rotator;
    const id = oneOf([...rotator.proxyIds()], this.#random);
    const ways: readonly (() => unknown)[] = [
      () => rotator.setProxies(this.#some()),
      () => rotator.setProxies(this.#at.proxies.join('\n')),
      () => rotator.setProxiesAsync(this.#some()),
      () => rotator.setProxiesAsync(this.#all(), { owned: new Set(rotator.proxyIds()) }),
      () => rotator.removeProxy(id) && this.#restore(),
      () => rotator.clearUnhealthyProxies().length > 0 && this.#restore(),
      () => rotator.clearUnhealthyProxiesAsync().then(() => this.#restore()),
      () => rotator.forceOpenCircuitBreaker(id),
      () => rotator.resetCircuitBreaker(id),
      () => {
        const { retryPolicy } = rotator;
        rotator.retryPolicy = { ...retryPolicy, maxAttempts: 3 + Math.floor(this.#random() * 3) };
      },
    ];
    await oneOf(ways, this.#random)();
  }

  /** What was forced open or removed comes back with the next whole list. */
  #restore(): void {
    this.#rotator.setProxies(this.#all());
    for (const id of this.#rotator.proxyIds()) this.#rotator.resetCircuitBreaker(id);
  }

  #entry(url: string, place: number): PoolEntry {
    const region = place % 2 === 0 ? 'eu' : 'us';
    const weight = 1 + Math.floor(this.#random() * 3);
    const open = this.#random() < 0.2 ? { circuitBreaker: { openMs: 1500 } } : {};
    return { url, region, weight, ...open };
  }

  #all(): PoolEntry[] {
    const proxies = this.#at.proxies.map((url, place) => this.#entry(url, place));
    return [...proxies, { url: this.#at.gateway, exits, sessionTtlMs: 20_000 }];
  }

  #some(): PoolEntry[] {
    const all = this.#all();
    while (all.length > least && this.#random() < 0.6) {
      all.splice(Math.floor(this.#random() * all.length), 1);
    }
    return all;
  }
}
