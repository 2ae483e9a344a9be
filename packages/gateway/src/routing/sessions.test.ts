import { createVirtualClock } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { Sessions } from './sessions.ts';

function start(capacity?: number) {
  const clock = createVirtualClock();
  const options = { idleMs: 600_000, now: clock.now };
  return {
    clock,
    sessions: new Sessions(capacity === undefined ? options : { ...options, capacity }),
  };
}

describe('W13 a session', () => {
  it('lasts as long as it is used', () => {
    const { clock, sessions } = start();
    sessions.keep('s', 'a', undefined);
    for (let i = 0; i < 5; i++) {
      clock.advance(599_999);
      expect(sessions.proxyOf('s')).toBe('a');
      sessions.keep('s', 'a', undefined);
    }
    clock.advance(600_000);
    expect(sessions.proxyOf('s')).toBeUndefined();
    expect(sessions.size).toBe(0);
  });

  it('with a lifetime ends at it, however often it is used and wherever it moves', () => {
    const { clock, sessions } = start();
    sessions.keep('s', 'a', 60_000);
    clock.advance(40_000);
    sessions.keep('s', 'b', 60_000);
    clock.advance(19_999);
    expect(sessions.proxyOf('s')).toBe('b');
    clock.advance(1);
    expect(sessions.proxyOf('s')).toBeUndefined();
    sessions.keep('s', 'c', 60_000);
    clock.advance(59_999);
    expect(sessions.proxyOf('s')).toBe('c');
  });

  it('takes a shorter lifetime at once', () => {
    const { clock, sessions } = start();
    sessions.keep('s', 'a', 3_600_000);
    sessions.keep('s', 'a', 60_000);
    clock.advance(60_000);
    expect(sessions.proxyOf('s')).toBeUndefined();
  });

  it('is forgotten when it is the least recently used of too many', () => {
    const { sessions } = start(2);
    sessions.keep('a', '1', undefined);
    sessions.keep('b', '2', undefined);
    sessions.keep('a', '1', undefined);
    sessions.keep('c', '3', undefined);
    expect(['a', 'b', 'c'].map((each) => sessions.proxyOf(each))).toEqual(['1', undefined, '3']);
  });

  it('of one name is never that of another, whatever characters they hold', () => {
    expect(Sessions.key('a', 'bc')).not.toBe(Sessions.key('ab', 'c'));
    expect(Sessions.key('1 a', '')).not.toBe(Sessions.key('1', ' a'));
  });
});
