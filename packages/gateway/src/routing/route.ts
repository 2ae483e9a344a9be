import type { WhirlBus } from '@whirl/events';
import type { RoutingOptions } from '@whirl/rotator';
import { Sessions } from './sessions.ts';
import type { ParsedUsername } from './username.ts';

/** How one request of a client is to go through the pool. */
export interface Route {
  readonly options: RoutingOptions;
  /** The proxy that served it is the one of its session from now on. */
  keep(proxyId: string): void;
  /** The same for a request through the dispatcher, which `send` makes: its proxy is heard of on the bus. */
  watch(bus: WhirlBus, send: () => void): void;
}

/** What a client asks for, as options of the rotator. */
export function routed(
  { sessions }: { readonly sessions: Sessions },
  { name, wishes }: ParsedUsername,
): Route {
  const { session, region, tags, proxyId, ttlMs, strict = true } = wishes;
  const key = session === undefined ? undefined : Sessions.key(name, session);
  const keep = (id: string) => {
    if (key !== undefined) sessions.keep(key, id, ttlMs);
  };
  return {
    options: {
      region,
      strictRegion: region !== undefined && strict,
      sessionId: key,
      tags,
      proxyId,
      prefer: key === undefined ? undefined : sessions.proxyOf(key),
    },
    keep,
    watch(bus, send) {
      if (key === undefined) {
        send();
        return;
      }
      let requestId: string | undefined;
      const offStart = bus.on('request:start', (event) => (requestId ??= event.requestId));
      const offAttempt = bus.on('attempt:end', (event) => {
        if (event.requestId === requestId && event.outcome === 'success') keep(event.proxyId);
      });
      const offEnd = bus.on('request:end', (event) => {
        if (event.requestId !== requestId) return;
        offAttempt();
        offEnd();
      });
      try {
        send();
      } finally {
        offStart();
        if (requestId === undefined) {
          offAttempt();
          offEnd();
        }
      }
    },
  };
}
