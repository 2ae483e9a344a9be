import { joinFleet, memoryStore, type FleetOptions, type MemoryStoreOptions } from '@whirl/fleet';
import { warmStart, type WarmStartOptions } from '@whirl/fleet/file';
import { renderFleetPrometheus, type FleetPageOptions } from '@whirl/fleet/prometheus';
import { flag, func, number, refusing, text, withMethods, ratio, labels, at } from './refusing.ts';

const pool = { share: () => () => {} };

const named = text('', 'a b', 'x'.repeat(201));
const joined = { rotator: pool, pool: 'p', store: memoryStore() };
const onOff = flag;

/** What the options of the package refuse. */
export const fleet = [
  refusing<FleetOptions>(
    { ...at('FleetOptions', '', (options) => joinFleet(options)), besides: joined },
    {
      rotator: withMethods,
      pool: named,
      store: withMethods,
      processId: named,
      witness: named,
      intervalMs: number(49, 5001, NaN),
      deadlineMs: number(9, 5001),
      witnesses: number(0, 11),
      suspectRatio: ratio,
      graceMs: number(99),
      armMs: number(9),
      leaseMs: number(99),
      closeSpreadMs: number(-1),
      rowsPerSecond: number(0),
      evidenceIntervalMs: number(999),
      memberTtlMs: number(499),
      keyTtlMs: number(59_999),
      prefix: named,
      hashIds: flag,
      share: { types: [5, null, 'a', []] },
    },
  ),
  refusing<Required<NonNullable<FleetOptions['share']>>>(
    at('FleetOptions.share', 'share', (share) => joinFleet({ ...joined, share })),
    {
      circuits: onOff,
      failures: onOff,
      bans: onOff,
      evidence: onOff,
      sessions: onOff,
      budget: onOff,
    },
  ),
  refusing<MemoryStoreOptions>(
    at('MemoryStoreOptions', '', (options) => memoryStore(options)),
    { now: func },
  ),
  refusing<WarmStartOptions>(
    {
      ...at('WarmStartOptions', '', (options) => warmStart(options)),
      besides: { rotator: pool, pool: 'p', path: '/nowhere/pool.json' },
    },
    {
      rotator: withMethods,
      pool: named,
      path: text(''),
      saveEveryMs: number(999, 3_600_001),
      maxAgeMs: number(999, NaN),
      onError: func,
    },
  ),
  refusing<FleetPageOptions>(
    at('FleetPageOptions', '', (options) => renderFleetPrometheus({} as never, options)),
    { labels },
  ),
];
