import type { FactCounts } from './protocol/parts.ts';
import type { FleetOptions } from './fleet-options.ts';
import { resolveOptions } from './fleet-options.ts';
import { Loop, type Timers } from './loop.ts';
import { Protocol, type FleetState } from './protocol/protocol.ts';
import type { LeaseCounts } from './protocol/tests.ts';
import type { Peer } from './store.ts';

/** What happened so far; times in milliseconds. */
export interface FleetMetrics {
  /** In the fleet, this one included; 0 before the store's first response. */
  readonly processes: number;
  readonly state: FleetState;
  readonly syncs: { readonly ok: number; readonly failed: number };
  /** The last sync that was answered. */
  readonly syncMs: number;
  /** From a fact to its arrival here, of the last one. */
  readonly lagMs: number;
  readonly rows: { readonly sent: number; readonly received: number; readonly delayed: number };
  readonly adopted: Readonly<FactCounts['adopted']>;
  readonly ignored: Readonly<FactCounts['ignored']>;
  readonly leases: Readonly<LeaseCounts>;
}

/** A process's place in a fleet. */
export interface Fleet {
  readonly state: FleetState;
  /** The processes of the fleet, as far as is known here. */
  processes(): Peer[];
  metrics(): FleetMetrics;
  /** Takes a proxy out of rotation in every process, until `reset`. */
  forceOpen(id: string): void;
  /** Closes its circuit in every process and lifts `forceOpen`. */
  reset(id: string): void;
  /** Leaves: within `deadlineMs`, whether the store responds or not. */
  close(): Promise<void>;
}

/**
 * Joins a rotator to the processes that use the same pool. Returns at once and never fails for want of the store: the
 * store is asked between requests, and no request waits for it.
 *
 * @throws {TypeError | RangeError} On an option that is unknown, of a wrong type or out of its bounds.
 */
export function joinFleet(options: FleetOptions): Fleet {
  return join(options);
}

/** @internal The same with timers of a virtual clock. */
export function join(options: FleetOptions, timers?: Timers): Fleet {
  const settings = resolveOptions(options);
  const member: { loop?: Loop; protocol?: Protocol } = {};
  let syncMs = 0;
  const leave = options.rotator.share((pool) => {
    const protocol = new Protocol(pool, settings);
    const loop = new Loop({
      protocol,
      store: options.store,
      now: () => pool.now(),
      deadlineMs: settings.deadlineMs,
      intervalMs: settings.intervalMs,
      onAnswer: (tookMs) => (syncMs = tookMs),
      timers,
    });
    protocol.onHurry = () => loop.nudge();
    Object.assign(member, { loop, protocol });
    return () => void loop.close();
  });
  const { loop, protocol } = member;
  if (loop === undefined || protocol === undefined) {
    throw new TypeError('rotator.share() must hand over its pool at once');
  }
  const { parts, heard, counts } = protocol;
  return {
    get state() {
      return protocol.state;
    },
    processes: () => parts.peers.list(),
    metrics: () => ({
      processes: parts.peers.live,
      state: protocol.state,
      syncs: { ok: counts.ok, failed: counts.failed },
      syncMs,
      lagMs: heard.lagMs,
      rows: { sent: counts.sent, received: heard.rows, delayed: counts.delayed },
      adopted: { ...parts.counts.adopted },
      ignored: { ...parts.counts.ignored },
      leases: { ...parts.tests.counts },
    }),
    forceOpen(id) {
      parts.pool.force(id);
      protocol.override('forced', id);
    },
    reset(id) {
      parts.pool.reset(id);
      protocol.override('reset', id);
    },
    async close() {
      const closing = loop.close();
      leave();
      await closing;
    },
  };
}
