import { roundRobin } from '@whirl/selector';
import type { WhirlEvents } from '@whirl/events';
import {
  startProxy,
  startTarget,
  type Behaviour,
  type FlakyProxy,
  type Target,
} from '@whirl/testkit';
import { ProxyRotator, type RotatorOptions } from '../../src/index.ts';
import { use } from './rig.ts';

/** A fact that the rotator told. */
export type Fact = {
  [Type in keyof WhirlEvents]: { readonly type: Type } & WhirlEvents[Type];
}[keyof WhirlEvents];

export interface Rig {
  readonly target: Target;
  readonly proxies: readonly FlakyProxy[];
  readonly rotator: ProxyRotator;
  readonly facts: Fact[];
  /** The facts of one type, in their order. */
  told<Type extends keyof WhirlEvents>(type: Type): WhirlEvents[Type][];
  /** The next fact of one type. */
  next<Type extends keyof WhirlEvents>(type: Type): Promise<WhirlEvents[Type]>;
}

/**
 * Real proxies on loopback that behave as told, a real target behind them, and a rotator that takes
 * the proxies in their order and fails over without waiting.
 */
export async function rig(
  behaviours: readonly Behaviour[],
  options: RotatorOptions = {},
  { tls = false }: { tls?: boolean } = {},
): Promise<Rig> {
  const target = use(await startTarget({ tls }));
  const proxies = await Promise.all(
    behaviours.map(async (behaviour) => use(await startProxy({ behaviour }))),
  );
  const rotator = new ProxyRotator({
    proxies: proxies.map(({ url }) => url),
    retryPolicy: fast,
    strategy: roundRobin(),
    random: () => 0.999,
    tls: { ca: target.ca },
    ...options,
  });
  use({ close: () => rotator.destroy() });
  const facts: Fact[] = [];
  rotator.bus.on('*', (type, event) => facts.push({ type, ...event } as Fact));
  return {
    target,
    proxies,
    rotator,
    facts,
    told: <Type extends keyof WhirlEvents>(type: Type) =>
      facts.filter((fact) => fact.type === type) as unknown as WhirlEvents[Type][],
    next: <Type extends keyof WhirlEvents>(type: Type) =>
      new Promise<WhirlEvents[Type]>((resolve) => {
        rotator.bus.once(type, resolve);
      }),
  };
}

/** No wait when another proxy takes over, the shortest allowed one otherwise. */
export const fast = { failoverDelay: 'none', baseDelayMs: 100, backoffStrategy: 'fixed' } as const;

/** What a promise rejected with. */
export async function errorOf(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error('it did not reject');
}

/** M1: attempts = requests + retries + hedges = the sum over the proxies. */
export function sums(rotator: ProxyRotator) {
  const metrics = rotator.getRetryMetrics();
  const { totalRequests, totalAttempts, totalRetries, totalHedges } = metrics.getSummary();
  const byProxy = Object.values(metrics.getByProxy());
  return {
    attempts: totalAttempts,
    parts: totalRequests + totalRetries + totalHedges,
    proxies: byProxy.reduce((sum, each) => sum + each.totalAttempts, 0),
  };
}
