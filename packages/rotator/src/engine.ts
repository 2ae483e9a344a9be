import type { CircuitBreaker } from '@whirl/circuit-breaker';
import type { WhirlBus } from '@whirl/events';
import type { Selector } from '@whirl/selector';
import type { Clients } from './clients.ts';
import type { Operation } from './operation.ts';
import type { RetryPolicy } from './policy.ts';
import type { Proxy } from './proxy.ts';

/** A proxy with its circuit. */
export interface Member {
  readonly proxy: Proxy;
  readonly breaker: CircuitBreaker | undefined;
}

/** A member that admitted a request, and the ticket that its circuit wants back. */
export interface Admission {
  readonly member: Member;
  readonly ticket: number;
}

/** What an operation needs of the rotator. */
export interface Engine {
  readonly bus: WhirlBus;
  readonly selector: Selector;
  readonly clients: Clients;
  readonly members: ReadonlyMap<string, Member>;
  readonly operations: Map<string, Operation>;
  readonly origins: OriginFailures;
  readonly now: () => number;
  readonly wallNow: () => number;
  readonly random: () => number;
  readonly policy: RetryPolicy;
  readonly closed: boolean;
  nextRequestId(): string;
  unavailable(): Error;
}

const rememberedMs = 30_000;
const maxOrigins = 1000;

/** Which proxies lately failed to reach an origin: two different ones put the blame on it. */
export class OriginFailures {
  readonly #byOrigin = new Map<string, { proxyId: string; at: number }[]>();

  /** Notes a failure. True when another proxy failed for this origin within the last 30 s. */
  blamesTarget(origin: string, proxyId: string, at: number): boolean {
    const recent = (this.#byOrigin.get(origin) ?? []).filter(
      (each) => at - each.at <= rememberedMs && each.proxyId !== proxyId,
    );
    const others = recent.length > 0;
    recent.push({ proxyId, at });
    this.#byOrigin.delete(origin);
    this.#byOrigin.set(origin, recent.slice(-4));
    if (this.#byOrigin.size > maxOrigins) {
      for (const oldest of this.#byOrigin.keys()) {
        this.#byOrigin.delete(oldest);
        break;
      }
    }
    return others;
  }

  /** An answer from the origin proves it well. */
  clear(origin: string): void {
    if (this.#byOrigin.size > 0) this.#byOrigin.delete(origin);
  }
}

/** Asks the selector, then the circuit, until both agree on a proxy. */
export function admit(
  engine: Engine,
  ask: {
    tried: ReadonlySet<string>;
    target: string;
    region?: string | undefined;
    sessionId?: string | undefined;
    tags?: readonly string[] | undefined;
    proxyId?: string | undefined;
  },
): Admission | undefined {
  const enter = (id: string): Admission | undefined => {
    const member = engine.members.get(id);
    if (member === undefined) return undefined;
    const ticket = member.breaker === undefined ? 0 : member.breaker.acquire();
    return member.breaker !== undefined && ticket === 0 ? undefined : { member, ticket };
  };
  if (ask.proxyId !== undefined) return enter(ask.proxyId);
  let exclude = ask.tried;
  const refused = new Set<string>();
  for (;;) {
    const pick = engine.selector.select({
      exclude,
      target: ask.target,
      ...(ask.region === undefined ? {} : { region: ask.region }),
      ...(ask.sessionId === undefined ? {} : { sessionId: ask.sessionId }),
      ...(ask.tags === undefined ? {} : { tags: ask.tags }),
    });
    if (pick === undefined || refused.has(pick.id)) return undefined;
    const admission = enter(pick.id);
    if (admission !== undefined) return admission;
    refused.add(pick.id);
    exclude = new Set([...ask.tried, ...refused]);
  }
}
