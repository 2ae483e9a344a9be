import type { ProxyProtocol } from '@whirl/rotator';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { detect, type Trial } from './detect.ts';
import type { Outcome } from './results/result.ts';

const good: Outcome = { ok: true, speaks: true };
const reset: Outcome = { ok: false, speaks: false, reason: 'reset' };
const refused: Outcome = { ok: false, speaks: true, reason: 'proxy_auth', status: 407 };
const notUnderstood: Outcome = { ok: false, speaks: true, reason: 'status', status: 400 };
const late: Outcome = { ok: false, speaks: false, reason: 'timeout' };

/** Runs a detection in which each protocol comes to an outcome after some time; what was begun and cancelled. */
function detected(
  after: Partial<Record<ProxyProtocol, readonly [ms: number, outcome: Outcome]>>,
  isOver = () => false,
) {
  const begun: string[] = [];
  const cancelled: string[] = [];
  const begin = (protocol: ProxyProtocol): Trial | undefined => {
    if (isOver()) return undefined;
    begun.push(`${protocol} at ${Date.now()}`);
    const [ms, outcome] = after[protocol] ?? [Infinity, late];
    return {
      outcome: new Promise((resolve) => {
        if (ms < Infinity) setTimeout(() => resolve(outcome), ms);
      }),
      cancel: () => void cancelled.push(protocol),
    };
  };
  const found = detect(['http', 'socks5', 'socks4', 'https'], begin, 1000);
  return { found, begun, cancelled };
}

describe('L1 the protocol of a bare proxy', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 0 });
    return () => void vi.useRealTimers();
  });

  it('is the first that works, and nothing else is tried', async () => {
    const { found, begun } = detected({ http: [500, good] });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await found).toEqual({ protocol: 'http', outcome: good });
    expect(begun).toEqual(['http at 0']);
  });

  it('the next is tried at once after a failure, and after a while of silence', async () => {
    const { found, begun, cancelled } = detected({ socks5: [5, reset], socks4: [5, good] });
    await vi.advanceTimersByTimeAsync(2000);
    expect(await found).toEqual({ protocol: 'socks4', outcome: good });
    expect(begun).toEqual(['http at 0', 'socks5 at 1000', 'socks4 at 1005']);
    expect(cancelled).toEqual(['http']);
  });

  it('a refusal in the words of the protocol ends it', async () => {
    const { found, begun } = detected({ http: [5, reset], socks5: [5, refused] });
    await vi.advanceTimersByTimeAsync(100);
    expect(await found).toEqual({ protocol: 'socks5', outcome: refused });
    expect(begun).toHaveLength(2);
  });

  it('a slow one that works beats those that began after it', async () => {
    const { found } = detected({ http: [2500, good], socks5: [5, reset] });
    await vi.advanceTimersByTimeAsync(3000);
    expect(await found).toEqual({ protocol: 'http', outcome: good });
  });

  it('400 means that the request was not understood: other protocols are tried, and it is the result if none fits', async () => {
    const others = { socks5: [1, reset], socks4: [1, reset] } as const;
    const one = detected({ http: [1, notUnderstood], ...others, https: [1, good] });
    await vi.advanceTimersByTimeAsync(100);
    expect(await one.found).toEqual({ protocol: 'https', outcome: good });
    const none = detected({ http: [1, notUnderstood], ...others, https: [1, reset] });
    await vi.advanceTimersByTimeAsync(100);
    expect(await none.found).toEqual({ protocol: 'http', outcome: notUnderstood });
  });

  it('when none fits, the failure of the first is reported, without a protocol', async () => {
    const { found } = detected({
      http: [4000, late],
      socks5: [1, reset],
      socks4: [1, reset],
      https: [1, reset],
    });
    await vi.advanceTimersByTimeAsync(5000);
    expect(await found).toEqual({ protocol: undefined, outcome: late });
  });

  it('nothing is begun when the time is up', async () => {
    const { found, begun } = detected({ http: [900, late] }, () => Date.now() >= 900);
    await vi.advanceTimersByTimeAsync(5000);
    expect(await found).toEqual({ protocol: undefined, outcome: late });
    expect(begun).toEqual(['http at 0']);
  });
});
