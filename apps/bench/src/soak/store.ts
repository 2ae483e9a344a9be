import { spawnSync } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { RedisServer } from '../../../../packages/fleet/server/redis-server.ts';

/** How long it is away. */
export const outageMs = 3000;

/** What the store holds; undefined while it is away. */
export interface StoreSize {
  readonly keys: number | undefined;
  readonly bytes: number | undefined;
}

/** The fleet's redis-server, which is restarted empty, or stops for a while. */
export class Store {
  restarts = 0;
  pauses = 0;
  readonly #server: RedisServer;
  readonly #random: () => number;

  private constructor(server: RedisServer, random: () => number) {
    this.#server = server;
    this.#random = random;
  }

  /** Undefined where no redis-server is installed. */
  static async start(random: () => number): Promise<Store | undefined> {
    if (spawnSync('redis-server', ['--version']).status !== 0) return undefined;
    return new Store(await RedisServer.start(), random);
  }

  get port(): number {
    return this.#server.port;
  }

  /** Of the process that runs at the moment. */
  get pid(): number {
    return this.#server.pid;
  }

  /** Resolves when it is back. */
  async outage(): Promise<void> {
    if (this.#random() < 0.5) {
      this.pauses++;
      this.#server.pause();
      await wait(outageMs);
      this.#server.resume();
    } else {
      this.restarts++;
      await this.#server.kill();
      await wait(outageMs);
      await this.#server.restart();
    }
  }

  async size(): Promise<StoreSize> {
    try {
      const keys = Number((await this.#server.command('DBSIZE')).slice(1));
      const memory = await this.#server.command('INFO', 'memory');
      const bytes = Number(/^used_memory:(\d+)/m.exec(memory)?.[1]);
      if (keys >= 0 && bytes >= 0) return { keys, bytes };
    } catch {
      // It is away.
    }
    return { keys: undefined, bytes: undefined };
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }
}
