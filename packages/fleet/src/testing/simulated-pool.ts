import { createRetryBudget } from '@whirl/backoff';
import { CircuitBreakerGroup } from '@whirl/circuit-breaker';
import { createBus, type CircuitTransition, type WhirlEvents } from '@whirl/events';
import { Selector, roundRobin, type Strategy } from '@whirl/selector';
import { createHmac } from 'node:crypto';
import type { Shareable, SharedPool } from '../shared-pool.ts';

/** How an attempt ends. */
export type Ending = 'success' | 'failure' | 'timeout' | 'unauthorized' | 'neutral';

export interface SimulatedOptions {
  readonly now: () => number;
  readonly random: () => number;
  readonly ids: readonly string[];
  readonly strategy?: Strategy | undefined;
  readonly openMs?: number | undefined;
  readonly failureThreshold?: number | undefined;
  readonly credentials?: ((id: string) => string) | undefined;
}

/** A circuit and a selector for each proxy, as a rotator has them, without its requests. */
export class SimulatedPool implements Shareable {
  readonly bus = createBus<WhirlEvents>();
  readonly selector: Selector;
  readonly circuits: CircuitBreakerGroup;
  readonly budget;
  /** Refused requests, because no proxy would take them. */
  refused = 0;
  attempts = new Map<string, number>();
  /** When the tests of circuits began, by proxy. */
  tests: { id: string; at: number }[] = [];
  transitions: CircuitTransition[] = [];
  readonly #options: SimulatedOptions;
  readonly #armed = new Set<string>();
  #picks = 0;

  constructor(options: SimulatedOptions) {
    this.#options = options;
    const { now, random, ids, strategy = roundRobin(), openMs = 4000, failureThreshold } = options;
    this.budget = createRetryBudget({ now });
    this.circuits = new CircuitBreakerGroup({
      now,
      random,
      openMs,
      failureThreshold,
      bus: this.bus,
    });
    this.selector = new Selector({ strategy, now, random, bus: this.bus });
    this.bus.on('circuit:transition', (event) => this.transitions.push(event));
    for (const id of ids) {
      this.selector.add({ id });
      this.circuits.get(id);
    }
  }

  /** A request: picks a proxy, and ends as `ending` says. Returns the proxy. */
  request(
    ending: (id: string) => Ending,
    exclude: readonly string[] = [],
    sessionId?: string,
  ): string | undefined {
    this.#picks++;
    for (const id of sessionId === undefined ? this.#armed : []) {
      this.#armed.delete(id);
      if (this.#attempt(id, ending)) return id;
    }
    for (const refused = [...exclude]; ;) {
      const pick = this.selector.select({ exclude: refused, sessionId });
      if (pick === undefined || refused.includes(pick.id)) break;
      if (this.#attempt(pick.id, ending)) return pick.id;
      refused.push(pick.id);
    }
    this.refused++;
    return undefined;
  }

  share(join: (pool: SharedPool) => () => void): () => void {
    return join(this.#shared());
  }

  #attempt(id: string, ending: (id: string) => Ending): boolean {
    const { now } = this.#options;
    const breaker = this.circuits.get(id);
    const tests = breaker.state !== 'closed';
    const ticket = breaker.acquire();
    if (ticket === 0) return false;
    if (tests) this.tests.push({ id, at: now() });
    this.attempts.set(id, (this.attempts.get(id) ?? 0) + 1);
    this.bus.emit('attempt:start', {
      requestId: 'r',
      attempt: 0,
      proxyId: id,
      origin: 'http://target.example',
      hedge: false,
      at: now(),
    });
    this.#settle(id, ticket, ending(id));
    return true;
  }

  #settle(id: string, ticket: number, ended: Ending): void {
    const breaker = this.circuits.get(id);
    if (ended === 'success') breaker.succeed(ticket);
    else if (ended === 'neutral') breaker.release(ticket);
    else breaker.fail(ticket);
    if (ended === 'unauthorized') breaker.trip({ reason: 'failures' });
    const failed = ended !== 'success' && ended !== 'neutral';
    this.bus.emit('attempt:end', {
      requestId: 'r',
      attempt: 0,
      proxyId: id,
      origin: 'http://target.example',
      outcome: ended === 'neutral' ? 'aborted' : ended === 'unauthorized' ? 'failure' : ended,
      blame: failed ? 'proxy' : 'none',
      phase: 'headers',
      statusCode: ended === 'success' ? 200 : ended === 'unauthorized' ? 407 : undefined,
      reason: ended === 'unauthorized' ? 'proxy_auth' : failed ? 'tcp' : undefined,
      latencyMs: 50,
      delayBeforeMs: 0,
      hedge: false,
      at: this.#options.now(),
    });
  }

  #shared(): SharedPool {
    const { selector, circuits, bus, budget } = this;
    const { now, random, failureThreshold = 5, credentials } = this.#options;
    const armed = this.#armed;
    const pool = this;
    const has = (id: string) => selector.has(id);
    const view = (id: string) => {
      const breaker = circuits.peek(id);
      return breaker && { id, state: breaker.state, nextTestAt: breaker.nextTestAt };
    };
    return {
      bus,
      now,
      random,
      get size() {
        return selector.size;
      },
      get picks() {
        return pool.#picks;
      },
      id: (name) => circuits.peek(name)?.name,
      ids: () => [...circuits.entries()].map(([id]) => id),
      *circuits() {
        for (const [id, { state, nextTestAt }] of circuits.entries()) {
          if (state !== 'closed') yield { id, state, nextTestAt };
        }
      },
      circuit: view,
      failureThreshold: () => failureThreshold,
      adopt: (id, state, options) => circuits.peek(id)?.adopt(state, options) ?? false,
      hold: (id, until) => circuits.peek(id)?.reschedule(until) ?? false,
      arm(id) {
        if (circuits.peek(id)?.reschedule(now()) !== true) return false;
        armed.add(id);
        return true;
      },
      disarm: (id) => armed.delete(id),
      overheard: (id, failures, latencyMs) => selector.overheard(id, failures, latencyMs),
      inform: (known) => selector.inform(known),
      avoid: (id, until) => selector.avoid(id, until),
      evidence: () => selector.evidence(),
      bans: () => selector.bans(),
      sessionMoves: (max) => selector.sessionMoves(max),
      moveSession: (move, at) => selector.moveSession(move, at),
      ban(id, until, target) {
        if (!has(id)) return;
        bus.emit('proxy:banned', { proxyId: id, target, until, rule: 'fleet', at: now() });
        if (target === undefined)
          circuits.peek(id)?.adopt('open', { openMs: Math.max(1, until - now()) });
      },
      force(id) {
        circuits.peek(id)?.forceOpen();
        return true;
      },
      reset(id) {
        circuits.peek(id)?.reset();
        return true;
      },
      share: (processes) => (budget.share = processes),
      fingerprint(id, key) {
        const secret = credentials?.(id);
        return secret && createHmac('sha256', key).update(`${id} ${secret}`).digest('base64url');
      },
    };
  }
}
