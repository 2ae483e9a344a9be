import { createBus, type WhirlBus, type WhirlEvents } from '@whirl/events';
import type { Lesson } from './lessons.ts';
import type { Ask } from './proxy-query.ts';

type Shared = Lesson | 'circuit:transition' | 'proxy:removed';

/** What a pool keeps for a fleet or a warm start that shares it. */
export class Sharing {
  /** Proxies whose test the next request shall make. */
  readonly #armed = new Set<string>();
  #feed: WhirlBus | undefined;

  /** Where they hear of this pool alone; made for the first one. */
  get feed(): WhirlBus {
    return (this.#feed ??= createBus<WhirlEvents>());
  }

  /** Whether one of them hears of facts of that type. */
  hears(type: Shared): boolean {
    return this.#feed?.has(type) === true;
  }

  tell<Type extends Shared>(type: Type, event: WhirlEvents[Type]): void {
    this.#feed?.emit(type, event);
  }

  arm(id: string): void {
    this.#armed.add(id);
  }

  disarm(id: string): boolean {
    return this.#armed.delete(id);
  }

  /** The proxy whose test this request shall make: not one that has a wish of its own, or cannot be sent twice. */
  armedFor({ tried, mayTest, proxyId, prefer, sessionId }: Ask): string | undefined {
    if (this.#armed.size === 0 || mayTest !== true) return undefined;
    if (proxyId !== undefined || prefer !== undefined || sessionId !== undefined) return undefined;
    for (const id of this.#armed) if (!tried.has(id)) return id;
    return undefined;
  }
}
