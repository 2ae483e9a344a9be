import type { ProxyProtocol } from '@whirl/rotator';
import { candidates, detect, type Found, type Trial } from './detect.ts';
import { whyUnreachable } from './reach.ts';
import type { ListedProxy } from '../pool/read-list.ts';
import type { Tester } from './tester.ts';

/** Silence after which the next protocol is tried as well: this share of the time, and a second at least. */
const staggerShare = 1 / 3;
const leastStaggerMs = 1000;

/** With less time left no further protocol is tried. */
const leastMs = 100;

/**
 * Tests one proxy within `timeoutMs` in all; a bare one with every protocol until one fits. `signal` ends what the
 * close of the tester does not.
 */
export async function testProxy(
  tester: Tester,
  { proxy, bare }: ListedProxy,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Found> {
  const { protocol } = proxy;
  if (!bare) return { protocol, outcome: await tester.test(proxy, protocol, timeoutMs) };
  const until = performance.now() + timeoutMs;
  const unreachable = await whyUnreachable(proxy, timeoutMs, signal);
  if (unreachable !== undefined) return { protocol: undefined, outcome: unreachable };
  const begin = (candidate: ProxyProtocol): Trial | undefined => {
    const leftMs = until - performance.now();
    if (leftMs < leastMs && candidate !== candidates[0]) return undefined;
    const stop = new AbortController();
    return {
      outcome: tester.test(proxy, candidate, Math.max(1, leftMs), stop),
      cancel: () => stop.abort(),
    };
  };
  return detect(candidates, begin, Math.max(leastStaggerMs, timeoutMs * staggerShare));
}
