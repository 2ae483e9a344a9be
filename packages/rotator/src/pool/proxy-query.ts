import type { Member } from './member.ts';

/** What a request wants of the pool. */
export interface Ask {
  /** Proxies to avoid while another is available. */
  readonly tried: ReadonlySet<string>;
  readonly target: string;
  readonly region: string | undefined;
  /** No proxy of another region will do. */
  /** The caller names no region: `region` is the one that failed last, which is preferred. */
  readonly anyRegion?: boolean | undefined;
  readonly strictRegion?: boolean | undefined;
  /** The proxy to take while it is available. */
  readonly prefer?: string | undefined;
  readonly sessionId: string | undefined;
  readonly tags: readonly string[] | undefined;
  readonly proxyId: string | undefined;
  /** It may be sent twice: a test of a circuit may be given to it. */
  readonly mayTest?: boolean | undefined;
}

/** Whether it is for every member; then the counts of the pool suffice, without a look at each. */
export function takesAny({ proxyId, tags, strictRegion }: Ask): boolean {
  return proxyId === undefined && tags === undefined && strictRegion !== true;
}

/** The pinned member, or those that have all tags and the region. Which of them the strategy leaves shows only when it picks. */
export function* matching(
  members: ReadonlyMap<string, Member>,
  { proxyId, tags = [], region, strictRegion = false }: Ask,
): Generator<Member, void, undefined> {
  if (proxyId !== undefined) {
    const pinned = members.get(proxyId);
    if (pinned !== undefined) yield pinned;
    return;
  }
  for (const member of members.values()) {
    if (meets(member, { tags, region, strictRegion })) yield member;
  }
}

/** Whether a member has all tags, and the region. */
export function meets(
  { proxy }: Member,
  { tags = [], region, strictRegion = false }: Pick<Ask, 'tags' | 'region' | 'strictRegion'>,
): boolean {
  if (strictRegion && proxy.region !== region) return false;
  return tags.every((tag) => proxy.tags.includes(tag));
}

/** The region that the caller names. */
export function namedRegion({ region, anyRegion }: Ask): string | undefined {
  return anyRegion === true ? undefined : region;
}
