import { afterEach, describe, expect, it, vi } from 'vitest';
import { AddressRace, byTurns } from './address-race.ts';

type Settle = (error: Error | null, value?: string) => void;

/** A race whose attempts are settled by hand; what happened, with the time of each. */
function race(addresses: string[], delayMs = 250) {
  vi.useFakeTimers();
  const start = Date.now();
  const log: string[] = [];
  const attempts = new Map<string, Settle>();
  const note = (what: string) => log.push(`${Date.now() - start} ${what}`);
  const run = new AddressRace<string>(
    addresses,
    delayMs,
    (address, done) => {
      note(`begin ${address}`);
      attempts.set(address, done);
      return () => note(`end ${address}`);
    },
    (error, value) => note(error === null ? `won ${value}` : `lost ${error.message}`),
  );
  const settle = (address: string, error: Error | null) => attempts.get(address)?.(error, address);
  return { log, run, settle };
}

afterEach(() => {
  if (!vi.isFakeTimers()) return;
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('AddressRace', () => {
  it('C8b begins the next address 250 ms after the last, and gives none up before one has won', () => {
    const { log, settle } = race(['a', 'b', 'c']);
    vi.advanceTimersByTime(9000);
    settle('a', null);
    expect(log).toEqual([
      '0 begin a',
      '250 begin b',
      '500 begin c',
      '9000 end b',
      '9000 end c',
      '9000 won a',
    ]);
  });

  it('C8b a failure begins the next one at once; the last error is the error of all', () => {
    const { log, settle } = race(['a', 'b', 'c']);
    settle('a', new Error('1'));
    vi.advanceTimersByTime(10);
    settle('b', new Error('2'));
    vi.advanceTimersByTime(10);
    settle('c', new Error('3'));
    expect(log).toEqual(['0 begin a', '0 begin b', '10 begin c', '20 lost 3']);
  });

  it('C8b waits for a slow address after all others have failed', () => {
    const { log, settle } = race(['a', 'b']);
    vi.advanceTimersByTime(300);
    settle('b', new Error('refused'));
    vi.advanceTimersByTime(3000);
    settle('a', null);
    expect(log).toEqual(['0 begin a', '250 begin b', '3300 won a']);
  });

  it('C8b cancel() ends what runs, and nothing is called after it', () => {
    const { log, run, settle } = race(['a', 'b', 'c']);
    vi.advanceTimersByTime(300);
    run.cancel();
    settle('a', null);
    settle('b', new Error('late'));
    expect(log).toEqual(['0 begin a', '250 begin b', '300 end a', '300 end b']);
  });

  it('C8b addresses come with the families by turns, in the order of the resolver, each once', () => {
    const six = ['::1', '::2', '::3'].map((address) => ({ address, family: 6 }));
    const four = ['1.1.1.1', '2.2.2.2'].map((address) => ({ address, family: 4 }));
    expect(byTurns([...six, ...four])).toEqual(['::1', '1.1.1.1', '::2', '2.2.2.2', '::3']);
    expect(byTurns([...four, ...six])).toEqual(['1.1.1.1', '::1', '2.2.2.2', '::2', '::3']);
    expect(byTurns([...four, ...four])).toEqual(['1.1.1.1', '2.2.2.2']);
  });
});
