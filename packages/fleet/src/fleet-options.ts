import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { checkFlag, checkMethod, checkName, checkNames, checkNumber } from './check-options.ts';
import type { FleetShare, Settings } from './protocol/settings.ts';
import type { Shareable } from './shared-pool.ts';
import type { FleetStore } from './store.ts';

/** The options of `joinFleet()`. Durations are milliseconds. */
export interface FleetOptions {
  /** What joins: a rotator, or anything else with `share()`. */
  readonly rotator: Shareable;
  /** The name of the pool: all processes that give the same one learn together. Not empty. */
  readonly pool: string;
  /** Where the processes meet. */
  readonly store: FleetStore;
  /** Names this process in the fleet. Default: the host, the process id and chance. */
  readonly processId?: string | undefined;
  /** Processes of one witness may share a dead network, and count as one. Default: the host's name. */
  readonly witness?: string | undefined;
  /** Between two syncs, 50 to 5,000. Default 250. */
  readonly intervalMs?: number | undefined;
  /** After which a sync counts as missed, 10 to 5,000. Default 100. */
  readonly deadlineMs?: number | undefined;
  /** How many have to report that a proxy fails before others open its circuit, 1 to 10. Default 2. */
  readonly witnesses?: number | undefined;
  /** If more than this share of the proxies tried fail at once, this process reports no failures. 0 to 1, default 0.6. */
  readonly suspectRatio?: number | undefined;
  /** How much later than the fleet a process tests by itself; up to twice as long. ≥ 100, default 1,000. */
  readonly graceMs?: number | undefined;
  /** How long a lease waits for a request. ≥ 10, default 1,000. */
  readonly armMs?: number | undefined;
  /** How long a test may take before another process may test. ≥ 100, default 30,000. */
  readonly leaseMs?: number | undefined;
  /** Circuits of the other processes close within this time after a test passed. ≥ 0, default 2,000. */
  readonly closeSpreadMs?: number | undefined;
  /** Failing proxies that the whole fleet reports in a second at most. ≥ 1, default 2,000. */
  readonly rowsPerSecond?: number | undefined;
  /** In which a process tells all its outcomes. ≥ 1,000, default 10,000. */
  readonly evidenceIntervalMs?: number | undefined;
  /** A process that is silent for so long has left. ≥ 500, default 3,000. */
  readonly memberTtlMs?: number | undefined;
  /** A fleet without processes is forgotten after so long. ≥ 60,000, default 600,000. */
  readonly keyTtlMs?: number | undefined;
  /** What all keys begin with. Default `whirl`. */
  readonly prefix?: string | undefined;
  /** Whether the store gets hashes instead of ids: where these hold user names. Default false. */
  readonly hashIds?: boolean | undefined;
  /** What is shared. Default: all of it. */
  readonly share?: { readonly [Name in keyof FleetShare]?: boolean | undefined } | undefined;
}

type NumberName = {
  [Name in keyof Settings]: Settings[Name] extends number ? Name : never;
}[keyof Settings];

/** Bounds and default of each number. */
const numbers: Readonly<Record<NumberName, readonly [min: number, max: number, fallback: number]>> =
  {
    intervalMs: [50, 5000, 250],
    deadlineMs: [10, 5000, 100],
    witnesses: [1, 10, 2],
    suspectRatio: [0, 1, 0.6],
    graceMs: [100, 3_600_000, 1000],
    armMs: [10, 3_600_000, 1000],
    leaseMs: [100, 3_600_000, 30_000],
    closeSpreadMs: [0, 3_600_000, 2000],
    rowsPerSecond: [1, 1_000_000, 2000],
    evidenceIntervalMs: [1000, 3_600_000, 10_000],
    memberTtlMs: [500, 3_600_000, 3000],
    keyTtlMs: [60_000, 86_400_000, 600_000],
  };

const flags = {
  circuits: true,
  failures: true,
  bans: true,
  evidence: true,
  sessions: true,
  budget: true,
};
const names = [
  ...Object.keys(numbers),
  ...'rotator pool store processId witness prefix hashIds share'.split(' '),
];

/** Checks the options and fills in the defaults. */
export function resolveOptions(options: FleetOptions): Settings {
  checkNames('joinFleet()', options, names);
  const { rotator, store, share = {}, hashIds = false } = options;
  checkMethod('rotator', rotator, 'share');
  checkMethod('store', store, 'sync');
  checkMethod('store', store, 'close');
  checkFlag('hashIds', hashIds);
  checkNames('share', share, Object.keys(flags));
  const all = eachOf(flags, (name, value) => checkFlag(`share.${name}`, share[name] ?? value));
  return {
    pool: checkName('pool', options.pool, ''),
    process: checkName('processId', options.processId, ownName()),
    witness: checkName('witness', options.witness, hostname() || 'host'),
    ...eachOf(numbers, (name, bounds) => checkNumber(name, options[name], bounds)),
    prefix: checkName('prefix', options.prefix, 'whirl'),
    hashIds,
    share: all,
  };
}

/** The same names, with what comes of each value. */
function eachOf<Name extends string, Value, Result>(
  table: Readonly<Record<Name, Value>>,
  resultOf: (name: Name, value: Value) => Result,
): Record<Name, Result> {
  const entries = Object.entries(table) as [Name, Value][];
  return Object.fromEntries(
    entries.map(([name, value]) => [name, resultOf(name, value)]),
  ) as Record<Name, Result>;
}

function ownName(): string {
  return `${hostname() || 'host'}-${process.pid}-${randomBytes(3).toString('hex')}`;
}
