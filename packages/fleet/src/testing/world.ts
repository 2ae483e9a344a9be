import type { WhirlEvents } from '@whirl/events';
import type { Strategy } from '@whirl/selector';
import { createVirtualClock, seededRandom, type VirtualClock } from '@whirl/testkit';
import { join, type Fleet } from '../fleet.ts';
import type { FleetOptions } from '../fleet-options.ts';
import type { Timers } from '../timers.ts';
import { memoryStore } from '../memory-store.ts';
import type { FleetStore } from '../store.ts';
import { SimulatedPool, type Ending } from './simulated-pool.ts';

type FleetEvent = Extract<keyof WhirlEvents, `fleet:${string}`>;

/** One process of the world. */
export interface Process {
  readonly name: string;
  readonly pool: SimulatedPool;
  readonly fleet: Fleet;
  readonly events: { type: FleetEvent; event: WhirlEvents[FleetEvent] }[];
  /** What its requests come to. */
  ending: (id: string) => Ending;
  /** Milliseconds between its requests; 0: none. */
  everyMs: number;
  /** Of requests and of syncs. */
  stopped: boolean;
}

export interface WorldOptions {
  readonly ids?: readonly string[] | undefined;
  readonly store?: ((clock: VirtualClock) => FleetStore) | undefined;
  readonly strategy?: (() => Strategy) | undefined;
  readonly openMs?: number | undefined;
  readonly seed?: number | undefined;
}

export interface ProcessOptions extends Partial<Omit<FleetOptions, 'rotator' | 'store'>> {
  readonly everyMs?: number | undefined;
  /** How far its clock is from the others'. */
  readonly skewMs?: number | undefined;
  readonly credentials?: ((id: string) => string) | undefined;
  readonly store?: FleetStore | undefined;
}

/** Processes of one fleet on one virtual clock. Proxies named in `dead` fail for all of them. */
export class World {
  readonly clock = createVirtualClock();
  readonly store: FleetStore;
  readonly dead = new Set<string>();
  readonly processes: Process[] = [];
  /** Syncs that began. */
  syncs = 0;
  readonly #options: WorldOptions;
  readonly #random: () => number;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    this.#random = seededRandom(options.seed ?? 7);
    this.store = options.store?.(this.clock) ?? memoryStore({ now: () => this.clock.now() });
  }

  get ids(): readonly string[] {
    return this.#options.ids ?? ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
  }

  /** A process that joins now. */
  start(name: string, options: ProcessOptions = {}): Process {
    const { everyMs = 500, skewMs = 0, credentials, store = this.store, ...given } = options;
    const { clock } = this;
    const now = () => clock.now() + skewMs;
    const { strategy, openMs } = this.#options;
    const seed = 1000 + this.processes.length;
    const pool = new SimulatedPool({
      now,
      random: seededRandom(seed),
      ids: this.ids,
      strategy: strategy?.(),
      openMs,
      credentials,
    });
    const events: Process['events'] = [];
    for (const type of [
      'joined',
      'degraded',
      'recovered',
      'suspect',
      'cleared',
      'peers',
      'incompatible',
    ] as const) {
      pool.bus.on(`fleet:${type}`, (event) => events.push({ type: `fleet:${type}`, event }));
    }
    const counted: FleetStore = {
      sync: (ask) => {
        this.syncs++;
        return store.sync(ask);
      },
      close: () => store.close(),
    };
    const timers: Timers = {
      setTimeout: (call, ms) => clock.setTimeout(() => process.stopped || call(), ms),
      clearTimeout: (timer) => clock.clearTimeout(timer as number),
    };
    const process = {
      name,
      pool,
      events,
      everyMs,
      stopped: false,
      ending: (id: string): Ending => (this.dead.has(id) ? 'failure' : 'success'),
    } as unknown as Process;
    Object.assign(process, {
      fleet: join(
        {
          rotator: pool,
          pool: 'test',
          processId: name,
          witness: 'host',
          store: counted,
          leaseMs: 4000,
          ...given,
        },
        timers,
      ),
    });
    this.processes.push(process);
    if (everyMs > 0) clock.setTimeout(() => this.#traffic(process), this.#random() * everyMs);
    return process;
  }

  /** So many processes named p1, p2, … */
  startMany(count: number, options?: ProcessOptions): Process[] {
    return Array.from({ length: count }, (_, i) => this.start(`p${i + 1}`, options));
  }

  /** Lets time pass; promises settle every 5 ms. */
  async run(ms: number, each?: (now: number) => void): Promise<void> {
    for (let passed = 0; passed < ms; passed += 5) {
      this.clock.advance(Math.min(5, ms - passed));
      await new Promise((resolve) => setImmediate(resolve));
      each?.(this.clock.now());
    }
  }

  /** Lets time pass until that is so; throws after `withinMs`. Returns how long it took. */
  async until(what: () => boolean, withinMs: number): Promise<number> {
    const from = this.clock.now();
    while (!what()) {
      if (this.clock.now() - from > withinMs) throw new Error(`not so within ${withinMs} ms`);
      await this.run(5);
    }
    return this.clock.now() - from;
  }

  /** Processes whose circuit of that proxy is open. */
  open(id: string): Process[] {
    return this.processes.filter(({ pool }) => pool.circuits.peek(id)?.state !== 'closed');
  }

  /** Tests of that proxy's circuit, of all processes, in order. */
  tests(id: string): number[] {
    return this.processes
      .flatMap(({ pool }) => pool.tests.filter((test) => test.id === id).map(({ at }) => at))
      .sort((a, b) => a - b);
  }

  attempts(id: string): number {
    return this.processes.reduce((sum, { pool }) => sum + (pool.attempts.get(id) ?? 0), 0);
  }

  async end(): Promise<void> {
    for (const process of this.processes) {
      process.everyMs = 0;
      void process.fleet.close();
    }
    await this.run(200);
  }

  #traffic(process: Process): void {
    if (process.everyMs === 0) return;
    this.clock.setTimeout(() => this.#traffic(process), process.everyMs * (0.5 + this.#random()));
    if (process.stopped) return;
    const first = process.pool.request(process.ending);
    // A request that failed goes on through another proxy.
    if (first !== undefined && process.ending(first) !== 'success') {
      process.pool.request(process.ending, [first]);
    }
  }
}

export function types({ events }: Process): FleetEvent[] {
  return events.map(({ type }) => type);
}
