import type { FactCounts } from './protocol/parts.ts';
import type { FleetOptions } from './fleet-options.ts';
import { resolveOptions } from './fleet-options.ts';
import { Loop } from './loop.ts';
import type { FleetProcess } from './protocol/peers.ts';
import { Protocol, type FleetState } from './protocol/protocol.ts';
import type { LeaseCounts } from './protocol/tests.ts';
import type { Shareable } from './shared-pool.ts';
import type { Peer } from './store.ts';
import type { Timers } from './timers.ts';

/** What happened so far; times in milliseconds. */
export interface FleetMetrics {
  /** In the fleet, this one included; 0 before the store's first response. */
  readonly processes: number;
  readonly state: FleetState;
  readonly syncs: { readonly ok: number; readonly failed: number };
  /** Of the last sync that got a response. */
  readonly syncMs: number;
  /** From a fact to its arrival here, of the last one. */
  readonly lagMs: number;
  readonly rows: { readonly sent: number; readonly received: number; readonly delayed: number };
  readonly adopted: Readonly<FactCounts['adopted']>;
  readonly ignored: Readonly<FactCounts['ignored']>;
  readonly leases: Readonly<LeaseCounts>;
}

/** What one process last said of a proxy that fails for one of them at least. Instants are epoch milliseconds. */
export interface FleetReport extends Peer {
  readonly proxyId: string;
  /** Failures in a row; 0: it works there. */
  readonly failuresInARow: number;
  readonly failedAt: number | undefined;
  readonly workedAt: number | undefined;
  /** Until when its circuit is open there; undefined: it is not. */
  readonly openUntil: number | undefined;
}

/** A process's place in a fleet. */
export interface Fleet {
  readonly state: FleetState;
  /** This process, the others as far as they are known here, and those that became silent in the last ten minutes. */
  processes(): FleetProcess[];
  /** What each process, this one included, said of a proxy, or of all, within about a minute. */
  reports(proxyId?: string): FleetReport[];
  metrics(): FleetMetrics;
  /** Takes a proxy out of rotation in every process, until `reset`. */
  forceOpen(id: string): void;
  /** Closes its circuit in every process and lifts `forceOpen`. */
  reset(id: string): void;
  /** Leaves: within `deadlineMs`, whether the store responds or not. */
  close(): Promise<void>;
}

/** Those that are in a fleet, and what asks its store. */
const members = new WeakMap<Shareable, Loop>();

/**
 * Joins a rotator to the processes that use the same pool. Returns at once and never fails for want of the store: the
 * store is asked between requests, and no request waits for it.
 *
 * @throws {TypeError | RangeError} On an option that is unknown, of a wrong type or out of its bounds, and on a rotator that
 * is in a fleet already: its failures would count as those of two processes.
 */
export function joinFleet(options: FleetOptions): Fleet {
  return join(options);
}

/** @internal The same with timers of a virtual clock. */
export function join(options: FleetOptions, timers?: Timers): Fleet {
  const settings = resolveOptions(options);
  const { rotator } = options;
  if (members.has(rotator)) throw new TypeError('rotator must be in one fleet; close() the other');
  const member: { loop?: Loop; protocol?: Protocol } = {};
  let syncMs = 0;
  const leave = rotator.share((pool) => {
    const protocol = new Protocol(pool, settings);
    const loop = new Loop({
      protocol,
      store: options.store,
      now: () => pool.now(),
      deadlineMs: settings.deadlineMs,
      intervalMs: settings.intervalMs,
      onResponse: (tookMs) => (syncMs = tookMs),
      timers,
    });
    protocol.onHurry = () => loop.nudge();
    Object.assign(member, { loop, protocol });
    return () => {
      if (members.get(rotator) === loop) members.delete(rotator);
      void loop.close();
    };
  });
  const { loop, protocol } = member;
  if (loop === undefined || protocol === undefined) {
    throw new TypeError('rotator.share() must hand over its pool at once');
  }
  members.set(rotator, loop);
  const { parts, heard, counts } = protocol;
  return {
    get state() {
      return protocol.state;
    },
    processes: () => {
      const list = parts.peers.list(parts.pool.now());
      const { isSuspect } = parts.selfCheck;
      return list.map((each) =>
        isSuspect && each.process === settings.process ? { ...each, state: 'suspect' } : each,
      );
    },
    reports(proxyId) {
      const now = parts.pool.now();
      return Array.from(parts.ledger.reports(proxyId), (report) => ({
        proxyId: report.proxyId,
        process: report.process,
        witness: parts.peers.hostOf(report.process),
        failuresInARow: report.run,
        failedAt: report.failedAt > -Infinity ? report.failedAt : undefined,
        workedAt: report.workingAt > -Infinity ? report.workingAt : undefined,
        openUntil: report.openUntil > now ? report.openUntil : undefined,
      }));
    },
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
