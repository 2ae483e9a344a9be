import { time, type CircuitTransition } from './live-event.ts';
import type { WireCircuitEvent } from './wire.ts';

/** A change of a proxy's circuit, as the page lists it. */
export type Transition = Pick<
  CircuitTransition,
  'proxyId' | 'from' | 'to' | 'reason' | 'failureCount' | 'at'
>;

/** How many of the latest changes are listed. */
export const keptTransitions = 50;

/** A change that the server remembers. */
export function readTransition(event: WireCircuitEvent): Transition {
  return {
    proxyId: event.proxy_id,
    from: event.from_state,
    to: event.to_state,
    reason: event.reason ?? '',
    failureCount: event.failure_count,
    at: time(event.timestamp) ?? 0,
  };
}

/** Both lists as one, newest first; what was heard and read again stands there once. */
export function mergeTransitions(
  known: readonly Transition[],
  more: readonly Transition[],
): readonly Transition[] {
  const byKey = new Map<string, Transition>();
  for (const each of [...known, ...more]) byKey.set(`${each.at} ${each.proxyId} ${each.to}`, each);
  return [...byKey.values()].sort((a, b) => b.at - a.at).slice(0, keptTransitions);
}
