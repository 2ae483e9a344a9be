import { describe, expect, it } from 'vitest';
import { gentlePace, startPolling } from './polling.ts';

describe('polling', () => {
  it('waits ten times as long as the responses took, between 2 s and 30 s', () => {
    expect([0, 200, 201, 1500, 3000, 60_000].map(gentlePace)).toEqual([
      2000, 2000, 2010, 15_000, 30_000, 30_000,
    ]);
  });

  it('never overlaps its rounds, skips those not wanted, and stops', async () => {
    let running = 0;
    let rounds = 0;
    let asked = 0;
    let clock = 0;
    const waits: number[] = [];
    await new Promise<void>((resolve) => {
      const polling = startPolling({
        round: async () => {
          expect(++running).toBe(1);
          await Promise.resolve();
          clock += 500;
          rounds++;
          running--;
        },
        wanted: () => ++asked !== 2,
        now: () => clock,
        wait: async (ms) => {
          waits.push(ms);
          if (waits.length < 3) return;
          polling.stop();
          resolve();
        },
      });
    });
    expect({ rounds, asked, waits }).toEqual({ rounds: 2, asked: 3, waits: [5000, 2000, 5000] });
  });

  it('a wake during a round is followed by another at once', async () => {
    let rounds = 0;
    const signals: boolean[] = [];
    await new Promise<void>((resolve) => {
      const polling = startPolling({
        round: async () => {
          await Promise.resolve();
          if (++rounds === 1) polling.wake();
        },
        wanted: () => true,
        now: () => 0,
        wait: async (_ms, signal) => {
          signals.push(signal.aborted);
          if (rounds < 2) return;
          polling.stop();
          resolve();
        },
      });
    });
    expect(signals).toEqual([true, false]);
  });
});
