import { AllProxiesUnavailableError } from '../errors.ts';
import type { Member } from './member.ts';
import type { OpenCircuits } from './open-circuits.ts';
import { matching, takesAny, type Ask } from './proxy-query.ts';

/** The error for a request that no proxy of the pool takes. `silentMs`: how long the target has not responded. */
export function unavailable(
  members: ReadonlyMap<string, Member>,
  openCircuits: OpenCircuits,
  ask: Ask,
  now: number,
  silentMs: number,
): AllProxiesUnavailableError {
  const { target } = ask;
  if (members.size === 0) {
    return new AllProxiesUnavailableError('NO_PROXIES', 'the pool has no proxies');
  }
  if (takesAny(ask) && openCircuits.shut === members.size) {
    const { firstDueAt } = openCircuits;
    return new AllProxiesUnavailableError(
      'ALL_PROXIES_UNAVAILABLE',
      `the circuits of all ${members.size} proxies are open${doubt(members.values(), target, silentMs)}`,
      firstDueAt === undefined ? undefined : Math.max(0, firstDueAt - now),
    );
  }
  let count = 0;
  let admitting = 0;
  let waitMs: number | undefined;
  for (const member of matching(members, ask)) {
    count++;
    if (member.admits) {
      if (member.full) {
        return new AllProxiesUnavailableError(
          'PROXIES_BUSY',
          'every proxy that may be used is at its maxConcurrent',
        );
      }
      admitting++;
    } else {
      const each = member.retryAfterMs;
      if (each !== undefined && (waitMs === undefined || each < waitMs)) waitMs = each;
    }
  }
  if (count === 0) {
    return new AllProxiesUnavailableError('NO_PROXIES', `no proxy has ${wishes(ask)}`);
  }
  return admitting > 0
    ? new AllProxiesUnavailableError(
        'ALL_PROXIES_UNAVAILABLE',
        `the strategy offers none of ${count} proxies for this request`,
      )
    : new AllProxiesUnavailableError(
        'ALL_PROXIES_UNAVAILABLE',
        `the circuits of all ${count} proxies that match are open${doubt(matching(members, ask), target, silentMs)}`,
        waitMs,
      );
}

/** A hint for the message: that one machine is behind all proxies, or that the target may be down. */
function doubt(members: Iterable<Member>, target: string, silentMs: number): string {
  for (const { provisional, group } of members) {
    if (group?.isShut === true) return `: the machine of the group "${group.name}" fails`;
    if (!provisional) continue;
    const seconds = Math.round(silentMs / 1000);
    return `: no proxy has had a response from ${target} for ${seconds} s; it may be the target`;
  }
  return '';
}

/** For a message: the wish of the request that no proxy fulfils. */
function wishes({ proxyId, tags, region, strictRegion }: Ask): string {
  if (proxyId !== undefined) return `the id "${proxyId}"`;
  const wanted = strictRegion === true ? [`the region "${region}"`] : [];
  if (tags !== undefined) wanted.push(`the tags ${tags.join(', ')}`);
  return wanted.join(' and ');
}
