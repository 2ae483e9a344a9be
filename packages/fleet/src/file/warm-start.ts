import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { checkOptions, func, number, or, string, type Kind } from '@whirl/check';
import { keyParts, rotators } from '../kinds.ts';
import { systemTimers, type Timers } from '../timers.ts';
import type { Shareable, SharedPool } from '../shared-pool.ts';
import { Memory } from './memory.ts';
import { removeLeftovers, replaceFile } from './replace-file.ts';

/**
 * The options of `warmStart()`. One that is unknown, of a wrong type or out of its bounds is refused with a TypeError or
 * RangeError that names it.
 */
export interface WarmStartOptions {
  /** What remembers: a rotator, or anything else with `share()`. Its proxies are there already. */
  readonly rotator: Shareable;
  /** The name of the pool: a file of another pool is not read. 1 to 200 characters without spaces and braces. */
  readonly pool: string;
  /** The file. One process writes it; its folder exists. */
  readonly path: string;
  /** Milliseconds between two saves. 1,000 to 3,600,000, default 60,000. */
  readonly saveEveryMs?: number | undefined;
  /** Milliseconds after which a file is too old to be read. ≥ 1,000 or Infinity, default 86,400,000: a day. */
  readonly maxAgeMs?: number | undefined;
  /**
   * Hears why the file could not be read, or not be written: once for each cause. Default: a process warning with the code
   * `WHIRL_WARM_START`.
   */
  readonly onError?: ((error: Error) => void) | undefined;
}

const kinds: Readonly<Record<keyof WarmStartOptions, Kind>> = {
  rotator: rotators,
  pool: keyParts,
  path: string,
  saveEveryMs: number(1000, 3_600_000),
  maxAgeMs: or(Infinity, number(1000)),
  onError: func,
};

export interface WarmStart {
  /** Proxies of which the file knew something. */
  readonly known: number;
  /** Saves a last time, and ends. Never rejects. */
  close(): Promise<void>;
}

/**
 * Remembers in a file which proxies did best, and what is banned, so that the next process on this machine starts warm. Reads
 * it at once, saves it every minute and in `close()`; it is never saved while the process exits. Circuits, sessions and failures
 * are not kept: what they say is over after a restart. The file holds ids of proxies and origins of targets, and no
 * passwords.
 *
 * @throws {TypeError | RangeError} On an option that is unknown, of a wrong type or out of its bounds; a file that cannot be read
 *   is reported to `onError`.
 */
export function warmStart(options: WarmStartOptions): WarmStart {
  return startWarm(options, systemTimers);
}

/** @internal The same with timers of a virtual clock. */
export function startWarm(options: WarmStartOptions, timers: Timers): WarmStart {
  checkOptions('', options, kinds, ['rotator', 'pool', 'path']);
  const { pool, saveEveryMs = 60_000, maxAgeMs = 86_400_000, onError = warn } = options;
  const path = resolve(options.path);

  const reported = new Set<string>();
  const report = (doing: string, error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    const cause = `${doing} ${code ?? message}`;
    if (reported.has(cause)) return;
    reported.add(cause);
    onError(
      new Error(`the file of the warm start could not be ${doing}: ${message}`, { cause: error }),
    );
  };

  const file = new WarmFile(path, pool, report);
  let known = 0;
  const leave = options.rotator.share((shared) => {
    known = file.load(shared, maxAgeMs);
    file.startSaving(shared, saveEveryMs, timers);
    return () => void file.close();
  });
  return {
    known,
    async close() {
      const closing = file.close();
      leave();
      await closing;
    },
  };
}

function warn(error: Error): void {
  process.emitWarning(error.message, { code: 'WHIRL_WARM_START' });
}

type Report = (doing: 'read' | 'written', error: unknown) => void;

class WarmFile {
  readonly #path: string;
  readonly #pool: string;
  readonly #report: Report;
  #memory = new Memory();
  #saving: Promise<void> = Promise.resolve();
  #close: (() => Promise<void>) | undefined;

  constructor(path: string, pool: string, report: Report) {
    this.#path = path;
    this.#pool = pool;
    this.#report = report;
  }

  /** Tells the pool what the file knows; returns of how many proxies that is. */
  load(shared: SharedPool, maxAgeMs: number): number {
    const now = shared.now();
    try {
      const text = readFileSync(this.#path, 'utf8');
      this.#memory = Memory.read(text, this.#pool, maxAgeMs, now) ?? this.#memory;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#report('read', error);
    }
    this.#memory.keepOnly((id) => shared.id(id) !== undefined);
    const priors = [...this.#memory.priors(now)];
    shared.inform(priors);
    for (const { id, target, until } of this.#memory.bans(now)) shared.ban(id, until, target);
    return priors.length;
  }

  startSaving(shared: SharedPool, everyMs: number, timers: Timers): void {
    let timer: unknown;
    const wait = () => {
      timer = timers.setTimeout(() => {
        void this.#save(shared);
        wait();
      }, everyMs);
    };
    wait();
    void removeLeftovers(this.#path).catch(() => {});
    this.#close = () => {
      timers.clearTimeout(timer);
      return this.#save(shared);
    };
  }

  /** The last save; the same one however often it is called. */
  close(): Promise<void> {
    const close = this.#close;
    this.#close = undefined;
    return close?.() ?? this.#saving;
  }

  /** One at a time: the content is what is known when its turn begins. */
  #save(shared: SharedPool): Promise<void> {
    const memory = this.#memory;
    this.#saving = this.#saving.then(async () => {
      try {
        memory.learn(shared.evidence(), shared.bans());
        memory.keepOnly((id) => shared.id(id) !== undefined);
        await replaceFile(this.#path, memory.write(this.#pool, shared.size, shared.now()));
      } catch (error) {
        this.#report('written', error);
      }
    });
    return this.#saving;
  }
}
