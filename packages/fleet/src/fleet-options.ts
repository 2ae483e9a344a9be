import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { resolveBriefly, type BriefKind } from '@whirl/check';
import { methods } from './methods.ts';
import type { FleetShare, Settings } from './protocol/settings.ts';
import type { Shareable } from './shared-pool.ts';
import type { FleetStore } from './store.ts';

/**
 * The options of `joinFleet()`. Durations are milliseconds. One that is unknown, of a wrong type or out of its bounds is
 * refused with a TypeError or RangeError that names it. Names have 1 to 200 characters without spaces and braces.
 */
export interface FleetOptions {
  /** What joins: a rotator, or anything else with `share()`. It can be in one fleet at a time. */
  readonly rotator: Shareable;
  /** The name of the pool: all processes that give the same one learn together. */
  readonly pool: string;
  /** Where the processes meet: `memoryStore()`, `redisStore()` or a store of your own. */
  readonly store: FleetStore;
  /** Names this process in the fleet. Default: the host, the process id and chance. */
  readonly processId?: string | undefined;
  /** Processes of one witness may share a dead network, and count as one. Default: the host's name. */
  readonly witness?: string | undefined;
  /** The time between two syncs. 50 to 5,000, default 250. */
  readonly intervalMs?: number | undefined;
  /** The time after which a sync counts as missed. 10 to 5,000, default 100. */
  readonly deadlineMs?: number | undefined;
  /** How many witnesses have to report that a proxy fails before the others open its circuit. 1 to 10, default 2. */
  readonly witnesses?: number | undefined;
  /** If more than this share of the proxies tried fail at once, this process reports no failures. 0 to 1, default 0.6. */
  readonly suspectRatio?: number | undefined;
  /** How much later than the fleet a process tests by itself; up to twice as long. 100 to 3,600,000, default 1,000. */
  readonly graceMs?: number | undefined;
  /** How long a lease waits for a request. 10 to 3,600,000, default 1,000. */
  readonly armMs?: number | undefined;
  /** How long a test may take before another process may test. 100 to 3,600,000, default 30,000. */
  readonly leaseMs?: number | undefined;
  /** Circuits of the other processes close within this time after a test passed. 0 to 3,600,000, default 2,000. */
  readonly closeSpreadMs?: number | undefined;
  /** Failing proxies that the whole fleet reports in a second at most. 1 to 1,000,000, default 2,000. */
  readonly rowsPerSecond?: number | undefined;
  /** The time in which a process reports all its outcomes once. 1,000 to 3,600,000, default 10,000. */
  readonly evidenceIntervalMs?: number | undefined;
  /** A process that is silent for so long, and for three intervals, has left. 500 to 3,600,000, default 3,000. */
  readonly memberTtlMs?: number | undefined;
  /** A fleet without processes is forgotten after so long. 60,000 to 86,400,000, default 600,000. */
  readonly keyTtlMs?: number | undefined;
  /** What all keys begin with. Default `whirl`. */
  readonly prefix?: string | undefined;
  /** Whether the store gets hashes instead of ids: where these hold user names. Default false. */
  readonly hashIds?: boolean | undefined;
  /** What is shared, each `true` or `false`. Default: all of it. */
  readonly share?: { readonly [Name in keyof FleetShare]?: boolean | undefined } | undefined;
}

const number = (min: number, max: number, fallback: number): BriefKind => [
  `a number from ${min} to ${max}`,
  'number',
  fallback,
  (value: number) => value >= min && value <= max,
];

/** Names are parts of keys: braces would move them to another slot. */
const name = (fallback?: string): BriefKind => [
  'a string of 1 to 200 characters without spaces and braces',
  'string',
  fallback,
  (value: string) => /^[^{}\s]{1,200}$/.test(value),
];

const flag = (fallback: boolean): BriefKind => ['true or false', 'boolean', fallback];

/** Checks the options and fills in the defaults. */
export function resolveOptions(options: FleetOptions): Settings {
  const { processId, share, ...others } = resolveBriefly('', options, {
    rotator: methods('a rotator', 'share'),
    pool: name(),
    store: methods('a store', 'sync', 'close'),
    processId: name(ownName()),
    witness: name(hostname() || 'host'),
    prefix: name('whirl'),
    hashIds: flag(false),
    share: ['an object', 'object', {}],
    intervalMs: number(50, 5000, 250),
    deadlineMs: number(10, 5000, 100),
    witnesses: number(1, 10, 2),
    suspectRatio: number(0, 1, 0.6),
    graceMs: number(100, 3_600_000, 1000),
    armMs: number(10, 3_600_000, 1000),
    leaseMs: number(100, 3_600_000, 30_000),
    closeSpreadMs: number(0, 3_600_000, 2000),
    rowsPerSecond: number(1, 1_000_000, 2000),
    evidenceIntervalMs: number(1000, 3_600_000, 10_000),
    memberTtlMs: number(500, 3_600_000, 3000),
    keyTtlMs: number(60_000, 86_400_000, 600_000),
  } satisfies Record<keyof FleetOptions, BriefKind>);
  const on = flag(true);
  return {
    ...others,
    process: processId,
    share: resolveBriefly('share', share, {
      circuits: on,
      failures: on,
      bans: on,
      evidence: on,
      sessions: on,
      budget: on,
    } satisfies Record<keyof FleetShare, BriefKind>),
  } as unknown as Settings;
}

function ownName(): string {
  return `${hostname() || 'host'}-${process.pid}-${randomBytes(3).toString('hex')}`;
}
