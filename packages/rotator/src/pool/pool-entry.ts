import type { AccessRules } from '../access-rules.ts';
import { InvalidProxyError } from '../errors.ts';
import { isGateway } from '../proxy/exit.ts';
import { parsingProxies } from '../proxy/proxy-list.ts';
import { parseProxy } from '../proxy/parse-proxy.ts';
import type { Proxy, ProxyInput, ProxyOptions } from '../proxy/proxy.ts';
import type { Steps } from '../steps.ts';
import { sameCircuit, type CircuitOptions } from './circuit-options.ts';
import type { Circuits } from './circuits.ts';
import type { CircuitSource } from './member.ts';

type WithCircuit = ProxyOptions & { readonly circuitBreaker?: CircuitOptions | false | undefined };

/** A proxy, and perhaps a circuit of its own (`false`: none for this proxy). */
export type PoolEntry = ProxyInput | WithCircuit;

/** A proxy that is to be a member. */
export interface Entry {
  readonly proxy: Proxy;
  /** Undefined: it has no circuit. */
  readonly circuits: CircuitSource | undefined;
}

/** Entries that are checked against the rules in one step. */
const entriesPerStep = 100;

/** Proxies that an error names, of those that the rules refuse. */
const maxRefusalsNamed = 20;

/** Understands one entry. Throws `InvalidProxyError`, or the error of bad circuit options. */
export function entryOf(given: PoolEntry, circuits: Circuits): Entry {
  if (!hasCircuit(given)) return { proxy: parseProxy(given), circuits: circuits.common };
  const { circuitBreaker, ...input } = given;
  const proxy = parseProxy(input);
  if (circuitBreaker === undefined) return { proxy, circuits: circuits.common };
  return { proxy, circuits: circuits.sourceFor(circuitBreaker) };
}

/** Understands a list, given as an array or as the content of a file. Throws as `entryOf`. */
export function* entriesOf(
  given: readonly PoolEntry[] | string,
  circuits: Circuits,
): Steps<Entry[]> {
  const { common } = circuits;
  if (typeof given === 'string' || !Array.isArray(given)) {
    const { proxies } = yield* parsingProxies(given as string);
    return proxies.map((proxy) => ({ proxy, circuits: common }));
  }
  const own = new Map<number, CircuitSource | undefined>();
  const inputs = (given as readonly PoolEntry[]).map((each, i) => {
    if (!hasCircuit(each)) return each;
    const { circuitBreaker, ...input } = each;
    if (circuitBreaker !== undefined) own.set(i + 1, circuits.sourceFor(circuitBreaker));
    return input;
  });
  const circuitAt = (at: number) => (own.has(at) ? own.get(at) : common);
  const { proxies, from } = yield* parsingProxies(inputs, (at, otherAt) =>
    sameCircuit(circuitAt(at)?.asked, circuitAt(otherAt)?.asked),
  );
  return proxies.map((proxy, i) => ({ proxy, circuits: circuitAt(from[i] as number) }));
}

/** Throws an `InvalidProxyError` that names the proxies that the rules refuse. Without rules every proxy may join. */
export function* checkAccess(
  entries: readonly Entry[],
  rules: AccessRules | undefined,
): Steps<void> {
  if (rules === undefined) return;
  const refusals: string[] = [];
  let count = 0;
  for (const [i, { proxy }] of entries.entries()) {
    if ((i + 1) % entriesPerStep === 0) yield;
    const refusal = rules.refusal(proxy.host, proxy.port);
    if (refusal === undefined || ++count > maxRefusalsNamed) continue;
    refusals.push(`the proxy ${proxy.host}:${proxy.port} ${refusal}`);
  }
  if (count === 0) return;
  const more = count > refusals.length ? `; and ${count - refusals.length} more` : '';
  throw new InvalidProxyError(refusals.join('; ') + more);
}

/**
 * Throws an `InvalidProxyError` for a proxy whose id an exit has or could get. `members` and `gateways` are those that
 * stay in the pool.
 */
export function checkIds(
  entries: readonly Entry[],
  members: Iterable<{ readonly id: string }>,
  gateways: Iterable<string>,
): void {
  const ids = new Set(gateways);
  for (const { proxy } of entries) if (isGateway(proxy)) ids.add(proxy.id);
  if (ids.size === 0) return;
  const check = (id: string) => {
    for (let at = id.indexOf('/'); at !== -1; at = id.indexOf('/', at + 1)) {
      const gateway = id.slice(0, at);
      if (!ids.has(gateway)) continue;
      throw new InvalidProxyError(
        `"${id}" is an id that exits of the gateway "${gateway}" have: give the proxy another one`,
      );
    }
  };
  for (const { proxy } of entries) check(proxy.id);
  for (const { id } of members) check(id);
}

function hasCircuit(given: PoolEntry): given is WithCircuit {
  return typeof given === 'object' && given !== null && 'circuitBreaker' in given;
}
