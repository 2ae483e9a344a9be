import {
  InvalidProxyError,
  type Proxy,
  type ProxyListReport,
  type ProxyRotator,
} from '@whirl/rotator';
import { ApiError } from '../http/errors.ts';
import { Turns } from '../listing/turns.ts';
import { inTurn } from './in-turn.ts';
import { readListAsync, type ListSettings } from './proxy-list.ts';

export const maxImportLines = 200_000;
const maxIdsShown = 20;
const maxIdsReturned = 1000;

export interface ImportOptions extends ListSettings {
  /** What a proxy does whose id the pool has already. */
  readonly onExisting: 'fail' | 'skip' | 'replace';
}

/** The result of an import, as the response has it. */
export interface Imported {
  readonly imported: number;
  /** The first 1,000. */
  readonly ids: readonly string[];
  readonly kind: ProxyListReport['kind'];
  readonly skipped: { count: number; first: { line: number; reason: string }[] };
  readonly duplicates: number;
  readonly conflicts: number;
  readonly existing: number;
}

/** The response to a list or a proxy that cannot be read. */
function invalidProxy(error: InvalidProxyError): ApiError {
  const { message, issues, issueCount } = error;
  const details = issueCount === 0 ? undefined : { issues, issue_count: issueCount };
  return new ApiError(400, 'invalid_proxy', message, { details });
}

/** What a reader returns; what it refuses gets a 400. */
export function understood<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw error instanceof InvalidProxyError ? invalidProxy(error) : error;
  }
}

/** Refuses proxies whose ids the pool has. */
function refuseTaken(taken: readonly Proxy[]): void {
  if (taken.length === 0) return;
  const first = taken.slice(0, 5).map(({ id }) => `"${id.slice(0, 100)}"`);
  const more = taken.length > 5 ? ` and ${taken.length - 5} more` : '';
  throw new ApiError(
    409,
    'proxy_exists',
    `the pool has ${first.join(', ')}${more} already; nothing was added`,
    {
      details: {
        ids: taken.slice(0, maxIdsShown).map(({ id }) => id.slice(0, 100)),
        count: taken.length,
      },
    },
  );
}

/** Adds one proxy, unless the pool has its id. Returns the id. */
export function addOne(rotator: ProxyRotator, proxy: Proxy): string {
  if (rotator.hasProxy(proxy.id)) refuseTaken([proxy]);
  return understood(() => rotator.addProxy(proxy));
}

function refuseLong(count: number): void {
  if (count <= maxImportLines) return;
  throw new ApiError(
    413,
    'too_many_proxies',
    `a list has at most ${maxImportLines.toLocaleString('en-US')} lines: split it`,
  );
}

/** Lines of a text, whatever ends them, without an array of them. */
function countLines(text: string): number {
  let lines = 1;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines++;
  for (let at = text.indexOf('\r'); at !== -1; at = text.indexOf('\r', at + 1)) {
    if (text[at + 1] !== '\n') lines++;
  }
  return lines;
}

/** The proxies whose ids the pool has, and the others. */
async function sorted(
  rotator: ProxyRotator,
  proxies: readonly Proxy[],
): Promise<{ known: Proxy[]; fresh: Proxy[] }> {
  const known: Proxy[] = [];
  const fresh: Proxy[] = [];
  const turns = new Turns();
  for (const proxy of proxies) {
    (rotator.hasProxy(proxy.id) ? known : fresh).push(proxy);
    if (turns.isDue) await turns.next();
  }
  return { known, fresh };
}

/**
 * Reads a list and adds all of it or nothing, in steps between which other requests are served. Other changes of
 * the pool wait until all of it is there. Rejects with an `ApiError`.
 */
export async function importProxies(
  rotator: ProxyRotator,
  text: string,
  { onExisting, ...settings }: ImportOptions,
): Promise<Imported> {
  refuseLong(countLines(text));
  let report: ProxyListReport;
  try {
    report = await readListAsync(text, settings);
  } catch (error) {
    throw error instanceof InvalidProxyError ? invalidProxy(error) : error;
  }
  const { proxies, kind, skipped, duplicates, conflicts } = report;
  refuseLong(proxies.length + skipped.count + duplicates + conflicts);
  return inTurn(rotator, async () => {
    const { known, fresh } = await sorted(rotator, proxies);
    if (onExisting === 'fail') refuseTaken(known);
    const chosen = onExisting === 'skip' ? fresh : proxies;
    await rotator.setProxiesAsync(chosen, { owned: new Set() }).catch((error: unknown) => {
      throw error instanceof InvalidProxyError ? invalidProxy(error) : error;
    });
    return {
      imported: chosen.length,
      ids: chosen.slice(0, maxIdsReturned).map(({ id }) => id),
      kind,
      skipped: { count: skipped.count, first: [...skipped.first] },
      duplicates,
      conflicts,
      existing: known.length,
    };
  });
}
