import {
  createBus,
  type Outcome,
  type Phase,
  type FailureReason,
  type WhirlEvents,
} from '@whirl/events';
import { roundRobin, type Strategy } from '@whirl/selector';
import type { Failure } from '../blame/failure.ts';
import type { CircuitOptions } from './circuit-options.ts';
import type { Admission } from './member.ts';
import { Pool } from './pool.ts';
import type { PoolEntry } from './pool-entry.ts';
import type { Ask } from './proxy-query.ts';

interface Told {
  readonly type: keyof WhirlEvents;
  readonly event: never;
}

interface Setup {
  readonly strategy?: Strategy;
  readonly circuitBreaker?: CircuitOptions | false;
  readonly random?: () => number;
}

/** A pool on a virtual clock, whose attempts end as a test says. */
export function setupPool(entries: readonly PoolEntry[] | string, setup: Setup = {}) {
  const clock = { at: 1_700_000_000_000 };
  let seed = 1;
  const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  const bus = createBus<WhirlEvents>();
  const told: Told[] = [];
  const types = [
    ...(['proxy:added', 'proxy:removed', 'proxy:renewed', 'session:moved'] as const),
    ...(['circuit:transition', 'group:transition'] as const),
  ];
  for (const type of types) bus.on(type, (event) => told.push({ type, event: event as never }));
  const gone: string[] = [];
  const pool = new Pool({
    access: undefined,
    bus,
    strategy: setup.strategy ?? roundRobin(),
    circuitBreaker: setup.circuitBreaker ?? {},
    now: () => clock.at,
    random: setup.random ?? random,
    onGone: (id) => gone.push(id),
    onLeft: () => {},
  });
  pool.set(entries);
  const ask = (wish: Partial<Ask> = {}): Ask => ({
    ...{ tried: new Set(), target: 'https://a.test', region: undefined, sessionId: undefined },
    ...{ tags: undefined, proxyId: undefined, mayTest: true },
    ...wish,
  });
  const admit = (wish?: Partial<Ask>) => pool.admit(ask(wish));
  const take = (wish?: Partial<Ask>): Admission => {
    const admission = admit(wish);
    if (admission === undefined) throw new Error('no proxy was admitted');
    return admission;
  };
  const end = (admission: Admission, failure?: Failure) => {
    pool.circuits.settle(admission, failure, 1, clock.at);
    pool.free(admission.member);
  };
  return {
    ...{ pool, clock, bus, told, gone, admit, take, end },
    /** The events of one type. */
    events: <Type extends keyof WhirlEvents>(type: Type): WhirlEvents[Type][] =>
      told.filter((each) => each.type === type).map(({ event }) => event),
    /** What the exits are sent with, by id. */
    sent: () => new Map([...pool.members].map(([id, { proxy }]) => [id, proxy.username])),
  };
}

/** A failure for which the proxy is to blame for certain, in some phase. */
export function failureIn(phase: Phase, more: Partial<Failure> = {}): Failure {
  return {
    outcome: 'failure' satisfies Outcome,
    phase,
    reason: (phase === 'headers' ? 'status' : phase) as FailureReason,
    blame: 'proxy',
    error: new Error(`failed in ${phase}`),
    ...more,
  };
}
