import type { SessionMoved, WhirlBus } from '@whirl/events';

/** Sessions remembered; beyond it the least recently used is forgotten, and may get another exit. */
const maxSessions = 10_000;

/** Which of the caller's sessions goes through which exit. */
export class ExitSessions {
  readonly #bus: WhirlBus;
  readonly #now: () => number;
  /** Ids of exits, those used last at the end. */
  readonly #exits = new Map<string, string>();
  readonly #byExit = new Map<string, Set<string>>();

  constructor(bus: WhirlBus, now: () => number) {
    this.#bus = bus;
    this.#now = now;
  }

  /** The exit of a session, which is used now. */
  exitOf(sessionId: string): string | undefined {
    const id = this.#exits.get(sessionId);
    if (id !== undefined) {
      this.#exits.delete(sessionId);
      this.#exits.set(sessionId, id);
    }
    return id;
  }

  /** The session goes through that exit from now on. */
  use(sessionId: string, id: string): void {
    const before = this.#exits.get(sessionId);
    if (before === id) return;
    this.forget(sessionId);
    this.#exits.set(sessionId, id);
    let own = this.#byExit.get(id);
    if (own === undefined) this.#byExit.set(id, (own = new Set()));
    own.add(sessionId);
    if (before !== undefined) this.#tell(sessionId, id, 'unavailable');
    if (this.#exits.size > maxSessions) this.forget(this.#exits.keys().next().value as string);
  }

  /** The exit has a new session at the provider: those that went through it are told. */
  renewed(id: string, reason: SessionMoved['reason']): void {
    for (const sessionId of this.#byExit.get(id) ?? []) this.#tell(sessionId, id, reason);
  }

  /** The exit has left the pool. */
  left(id: string): void {
    for (const sessionId of this.#byExit.get(id) ?? []) this.#exits.delete(sessionId);
    this.#byExit.delete(id);
  }

  forget(sessionId: string): void {
    const id = this.#exits.get(sessionId);
    if (id === undefined) return;
    this.#exits.delete(sessionId);
    const own = this.#byExit.get(id);
    own?.delete(sessionId);
    if (own?.size === 0) this.#byExit.delete(id);
  }

  #tell(sessionId: string, proxyId: string, reason: SessionMoved['reason']): void {
    if (!this.#bus.has('session:moved')) return;
    this.#bus.emit('session:moved', { sessionId, proxyId, reason, at: this.#now() });
  }
}
