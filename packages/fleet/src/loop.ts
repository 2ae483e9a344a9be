import type { Protocol } from './protocol/protocol.ts';
import { abandonMs } from './protocol/settings.ts';
import type { SyncResponse, SyncRequest, FleetStore } from './store.ts';
import { systemTimers, type Timers } from './timers.ts';

/** A timer may fire a little early; and no loop is to spin. */
const leastWaitMs = 1;
const longestWaitMs = 1000;

/** A sync that is under way. */
interface Pending {
  readonly ask: SyncRequest;
  readonly at: number;
  /** When it, or the wait for it, next counts as a miss. */
  missAt: number;
}

export interface LoopOptions {
  readonly protocol: Protocol;
  readonly store: FleetStore;
  readonly now: () => number;
  readonly deadlineMs: number;
  readonly intervalMs: number;
  /** Hears how long each response took. */
  readonly onResponse: (tookMs: number) => void;
  readonly timers?: Timers | undefined;
}

/** Wakes the protocol, and asks the store for it: one sync at a time, none repeated. */
export class Loop {
  readonly #options: LoopOptions;
  readonly #timers: Timers;
  #timer: unknown;
  #pending: Pending | undefined;
  #closed = false;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
    this.#wait(0);
  }

  /** Something may have changed when the protocol wants to be woken. */
  nudge(): void {
    if (!this.#closed) this.#schedule();
  }

  /** One last sync, which frees what this process holds; it is waited for no longer than a deadline. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timers.clearTimeout(this.#timer);
    const { protocol, store, now, deadlineMs } = this.#options;
    protocol.close();
    let timer: unknown;
    const late = new Promise<void>((resolve) => {
      timer = this.#timers.setTimeout(resolve, deadlineMs);
    });
    const last = this.#ask(protocol.ask(now(), true)).then(
      () => {},
      () => {},
    );
    await Promise.race([last, late]);
    this.#timers.clearTimeout(timer);
    store.close();
  }

  #run(): void {
    const { protocol, now } = this.#options;
    const at = now();
    this.#noticeMisses(at);
    if (protocol.tick(at) && this.#pending === undefined) this.#sync(at);
    this.#schedule();
  }

  #noticeMisses(at: number): void {
    const { protocol, intervalMs } = this.#options;
    const pending = this.#pending;
    if (pending === undefined || at < pending.missAt) return;
    protocol.missed(pending.ask, 'timeout', at);
    pending.missAt = at + intervalMs;
    if (at - pending.at >= abandonMs) this.#pending = undefined;
  }

  #sync(at: number): void {
    const { protocol, now, deadlineMs, onResponse } = this.#options;
    const ask = protocol.ask(at);
    const pending: Pending = { ask, at, missAt: at + deadlineMs };
    this.#pending = pending;
    const over = () => {
      if (this.#pending === pending) this.#pending = undefined;
    };
    this.#ask(ask)
      .then((response) => {
        over();
        if (this.#closed) return;
        const respondedAt = now();
        onResponse(respondedAt - at);
        protocol.responded(ask, response, at, respondedAt);
        this.#schedule();
      })
      // A response that cannot be understood is none: no store may end the process.
      .catch((error: unknown) => {
        over();
        if (this.#closed) return;
        protocol.missed(ask, codeOf(error), now());
        this.#schedule();
      });
  }

  /** A store that throws is one that rejects. */
  async #ask(ask: SyncRequest): Promise<SyncResponse> {
    return this.#options.store.sync(ask);
  }

  #schedule(): void {
    const { protocol, now } = this.#options;
    const at = now();
    const wakeAt = this.#pending === undefined ? protocol.wakeAt(at) : this.#wakeWhilePending(at);
    this.#wait(Math.min(longestWaitMs, Math.max(leastWaitMs, wakeAt - at)));
  }

  /** The next ask waits for the response to this one; everything else goes on. */
  #wakeWhilePending(at: number): number {
    const wakeAt = this.#options.protocol.wakeAt(at);
    const { missAt } = this.#pending as Pending;
    return wakeAt > at ? Math.min(wakeAt, missAt) : missAt;
  }

  #wait(ms: number): void {
    this.#timers.clearTimeout(this.#timer);
    this.#timer = this.#timers.setTimeout(() => this.#run(), ms);
  }
}

/** Codes that databases begin their messages with, wherever a script or a client has put them. */
const words =
  /\b(READONLY|OOM|LOADING|NOPERM|NOAUTH|WRONGPASS|DENIED|WRONGTYPE|MOVED|ASK|CLUSTERDOWN|MASTERDOWN|BUSY|NOREPLICAS|MISCONF|UNKILLABLE|TRYAGAIN)\b/;

/** What an error is called: never its message, which may hold an address. */
export function codeOf(error: unknown): string {
  const { message, code } = (error ?? {}) as { message?: unknown; code?: unknown };
  const word = (typeof message === 'string' && words.exec(message)?.[1]) || code;
  return typeof word === 'string' && /^[A-Z][A-Z0-9_]{1,40}$/.test(word) ? word : 'error';
}
