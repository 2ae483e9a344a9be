import type { Report, Rest } from './member.ts';
import { slopeOf } from './slope.ts';
import type { Store, StoreSize } from './store.ts';
import { ascending, equal, verdict, type Verdict } from './verdict.ts';

/** A look at all members while they rest. */
export interface Sample {
  readonly reports: readonly Report[];
  readonly store: StoreSize | undefined;
}

/** Of the heap, in bytes for 100,000 requests, once caches, pools and compiled code have settled. */
const maxSlope = 1_000_000;
/** Below this a slope says nothing: the heap is still warming up. */
const least = { requests: 10_000, samples: 8 };
/** Keys of a fleet, whatever it has been through: 64 of evidence, and those of the protocol. */
const maxKeys = 80;
const maxStoreBytes = 32e6;
const maxShown = 40;

/** How much more memory a member holds for each 100,000 requests, from the first third of the samples on. */
export function heapOf(member: string, place: number, samples: readonly Sample[]): Verdict {
  const points = warm(samples).map(({ reports }): [number, number] => {
    const { events, heapBytes } = reports[place] as Report;
    return [events.requestsBegun / 100_000, heapBytes];
  });
  const requests = 100_000 * ((points.at(-1)?.[0] ?? 0) - (points[0]?.[0] ?? 0));
  const what = `${member}: heap, MB for 100,000 requests (< 1)`;
  if (requests < least.requests || points.length < least.samples) {
    return verdict(what, 'too short to tell', true);
  }
  const slope = slopeOf(points);
  return verdict(what, (slope / 1e6).toFixed(2), slope < maxSlope);
}

/** The samples from the first third on. */
export function warm(samples: readonly Sample[]): readonly Sample[] {
  return samples.slice(Math.floor(samples.length / 3));
}

/** What a process holds when it has closed everything. */
export function restOf(
  member: string,
  { rest, exitCode }: { readonly rest: Rest; readonly exitCode: number | null },
): Verdict[] {
  return [
    equal(`${member}: sockets at the end`, rest.sockets, 0),
    equal(`${member}: servers at the end`, rest.servers, 0),
    equal(`${member}: timers at the end`, rest.timers, 0),
    verdict(`${member}: ends by itself`, `exit code ${exitCode}`, exitCode === 0),
  ];
}

export function storeOf(samples: readonly Sample[]): Verdict[] {
  const keys = Math.max(...samples.map(({ store }) => store?.keys ?? 0));
  const bytes = Math.max(...samples.map(({ store }) => store?.bytes ?? 0));
  return [
    ascending('keys in Redis, at most', [keys, maxKeys]),
    verdict('memory of Redis, at most', `${(bytes / 1e6).toFixed(1)} MB`, bytes <= maxStoreBytes),
  ];
}

/** After restarts of the store all are members of one fleet again. */
export function fleetOf(reports: readonly Report[], { restarts }: Store): Verdict[] {
  return reports.flatMap(({ fleetState, processes, events: { fleet } }, i) => [
    verdict(
      `member ${i + 1}: state of the fleet, and processes in it`,
      `${fleetState}, ${processes}`,
      fleetState === 'joined' && processes === reports.length,
    ),
    equal(`member ${i + 1}: store lost = found again`, fleet.degraded, fleet.recovered),
    ascending(`member ${i + 1}: restarts of the store ≤ lost`, [restarts, fleet.degraded]),
  ]);
}

/** What must hold in each member, in one line. */
export function inEach(verdicts: readonly Verdict[]): Verdict[] {
  const byKind = new Map<string, Verdict[]>();
  for (const each of verdicts) {
    const kind = each.what.replace(/^member \d+: /, '');
    byKind.set(kind, [...(byKind.get(kind) ?? []), each]);
  }
  return [...byKind].map(([what, all]) => ({
    what,
    value: all.map(({ value, holds }) => (holds ? short(value) : value)).join('; '),
    holds: all.every(({ holds }) => holds),
  }));
}

function short(value: string): string {
  return value.length > maxShown ? 'the same' : value;
}
