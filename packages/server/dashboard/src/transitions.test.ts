import { describe, expect, it } from 'vitest';
import { keptTransitions, mergeTransitions, readTransition } from './transitions.ts';

const read = (proxy: string, second: number, to = 'open') =>
  readTransition({
    proxy_id: proxy,
    from_state: 'closed',
    to_state: to,
    reason: 'failures',
    timestamp: new Date(second * 1000).toISOString(),
    failure_count: 3,
  });

describe('the latest changes of circuits', () => {
  it('A7 stand newest first; one that was streamed and read again stands there once', () => {
    const heard = [read('a', 3), read('b', 5)];
    const merged = mergeTransitions(heard, [read('a', 3), read('c', 4)]);
    expect(merged.map(({ proxyId, at }) => [proxyId, at])).toEqual([
      ['b', 5000],
      ['c', 4000],
      ['a', 3000],
    ]);
    expect(merged[0]).toMatchObject({ from: 'closed', to: 'open', reason: 'failures' });
  });

  it('A7 the oldest beyond the limit are left out', () => {
    const many = Array.from({ length: keptTransitions + 5 }, (_, n) => read('a', n));
    const merged = mergeTransitions(many, []);
    expect(merged).toHaveLength(keptTransitions);
    expect(merged.at(-1)?.at).toBe(5000);
  });
});
