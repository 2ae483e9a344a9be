import { describe, expect, it } from 'vitest';
import { createRetryBudget, type RetryBudget } from './index.ts';

const withdrawAll = (budget: RetryBudget) => {
  let granted = 0;
  while (budget.tryWithdraw()) granted++;
  return granted;
};
const deposit = (budget: RetryBudget, times: number) => {
  for (let i = 0; i < times; i++) budget.deposit();
};

/** A budget on a clock that stands still until it is told. */
function budgetAt(
  options: Parameters<typeof createRetryBudget>[0] = {},
  startMs = 1_700_000_000_000,
) {
  const clock = { at: startMs };
  return { clock, budget: createRetryBudget({ ...options, now: () => clock.at }) };
}

describe('createRetryBudget', () => {
  it('G1 10,000 deposits at 0.2 are exactly 2,000 withdrawals, capacity permitting', () => {
    const { budget } = budgetAt({ minPerSecond: 0, capacity: 5000 });
    deposit(budget, 10_000);
    expect(budget.balance).toBe(2000);
    expect(withdrawAll(budget)).toBe(2000);
    expect(budget.refused).toBe(1);
  });

  it('G1 minPerSecond 10: one second’s worth at the start, then 10 more each second', () => {
    const { budget, clock } = budgetAt({ ratio: 0 });
    expect(budget.balance).toBe(10);
    expect(withdrawAll(budget)).toBe(10);
    clock.at += 99;
    expect(withdrawAll(budget)).toBe(0);
    clock.at += 1;
    expect(withdrawAll(budget)).toBe(1);
    clock.at += 1000;
    expect(withdrawAll(budget)).toBe(10);
    expect(budget.refused).toBe(4);
  });

  it('G1 the reserve never exceeds minPerSecond · ttl', () => {
    const { budget, clock } = budgetAt();
    clock.at += 3_600_000;
    expect(budget.balance).toBe(100);
    expect(withdrawAll(budget)).toBe(100);
    expect(budgetAt({ ttlMs: 300 }).budget.balance).toBe(3);
  });

  it('G1 credit counts until ttlMs, and is gone when it is older', () => {
    const { budget, clock } = budgetAt({ minPerSecond: 0 });
    deposit(budget, 10);
    clock.at += 5000;
    deposit(budget, 5);
    expect(budget.balance).toBe(3);
    clock.at += 5000;
    expect(budget.balance).toBe(3);
    clock.at += 1;
    expect(budget.balance).toBe(1);
    clock.at += 5000;
    expect(budget.balance).toBe(0);
    deposit(budget, 5);
    expect(budget.balance).toBe(1);
  });

  it('G1 each of many deposits lasts at least 99 % of ttlMs', () => {
    const { budget, clock } = budgetAt({ ratio: 1, minPerSecond: 0, capacity: 10_000 });
    const start = clock.at;
    for (; clock.at < start + 5000; clock.at += 1) budget.deposit();
    clock.at = start + 9900;
    expect(budget.balance).toBe(5000);
    clock.at = start + 12_500;
    expect(budget.balance).toBeLessThanOrEqual(2500);
    expect(budget.balance).toBeGreaterThanOrEqual(2400);
  });

  it('G3 the capacity bounds what is saved up, by default at 500', () => {
    const { budget } = budgetAt();
    deposit(budget, 100_000);
    expect(budget.balance).toBe(510);
    expect(withdrawAll(budget)).toBe(510);
    expect(budgetAt({ capacity: 1, ratio: 5, minPerSecond: 0 }).budget.balance).toBe(0);
  });

  it('G3 an outage of 1,000 requests a second gets no more than 1.07 attempts each in 10 s', () => {
    const { budget, clock } = budgetAt();
    for (let ms = 0; ms < 10_000; ms++, clock.at++) budget.deposit();
    let granted = 0;
    for (let ms = 0; ms < 10_000; ms++, clock.at++) {
      for (let retry = 0; retry < 3; retry++) if (budget.tryWithdraw()) granted++;
    }
    expect(granted).toBeGreaterThanOrEqual(600);
    expect(granted).toBeLessThanOrEqual(700);
  });

  it('G3 with 1 % of errors every wanted retry is granted', () => {
    const { budget, clock } = budgetAt();
    for (let ms = 0; ms < 60_000; ms++, clock.at++) {
      if (ms % 100 === 0) budget.tryWithdraw();
      else budget.deposit();
    }
    expect(budget.refused).toBe(0);
  });

  it('G1 deposits are spent before the reserve, the oldest first', () => {
    const { budget, clock } = budgetAt({ ratio: 1, minPerSecond: 1 });
    deposit(budget, 1);
    clock.at += 5000;
    deposit(budget, 1);
    expect(budget.balance).toBe(8);
    expect(budget.tryWithdraw()).toBe(true);
    clock.at += 5001;
    // Had the newer one been spent, the older would be gone now.
    expect(budget.balance).toBe(11);
  });

  it('G1 a clock that steps back by an hour is waited for', () => {
    const { budget, clock } = budgetAt();
    deposit(budget, 5);
    clock.at -= 3_600_000;
    expect(budget.balance).toBe(11);
    clock.at += 3_600_000 + 1000;
    expect(budget.balance).toBe(21);
  });

  it('G1 an idle week costs nothing and leaves the reserve', () => {
    const { budget, clock } = budgetAt();
    deposit(budget, 100);
    clock.at += 7 * 86_400_000;
    expect(budget.balance).toBe(100);
  });

  it('G1 bad options are refused by name', () => {
    for (const value of [Number.NaN, Infinity, -1]) {
      for (const name of ['ratio', 'minPerSecond', 'ttlMs', 'capacity']) {
        expect(() => createRetryBudget({ [name]: value })).toThrow(RangeError);
        expect(() => createRetryBudget({ [name]: value })).toThrow(new RegExp(`^${name} must be`));
      }
    }
    expect(() => createRetryBudget({ capacity: '5' as never })).toThrow(TypeError);
    expect(() => createRetryBudget({ ttlMs: 0 })).toThrow(/^ttlMs must be a number ≥ 1, got 0$/);
    expect(() => createRetryBudget({ ttl: 1 } as never)).toThrow(/^unknown option "ttl"$/);
  });

  it('share: a process has its part of minPerSecond, of what was granted already, and of capacity', () => {
    const { budget, clock } = budgetAt({ ratio: 1, minPerSecond: 10, capacity: 500 });
    deposit(budget, 500);
    expect(budget.balance).toBe(510);
    budget.share = 50;
    expect(budget.share).toBe(50);
    expect(withdrawAll(budget)).toBe(10);
    clock.at += 5000;
    expect(withdrawAll(budget)).toBe(1);
    deposit(budget, 500);
    expect(withdrawAll(budget)).toBe(10);
  });

  it('share: deposits are worth what they were, and a smaller share gives nothing at once', () => {
    const { budget, clock } = budgetAt({ ratio: 0.2, minPerSecond: 10 });
    budget.share = 5;
    deposit(budget, 10);
    expect(withdrawAll(budget)).toBe(4);
    budget.share = 1;
    expect(withdrawAll(budget)).toBe(0);
    clock.at += 1000;
    expect(withdrawAll(budget)).toBe(10);
  });

  it('share: a smaller one leaves what is there, and an idle hour fills the part of the process alone', () => {
    const { budget, clock } = budgetAt({ minPerSecond: 10 });
    budget.share = 5;
    expect(budget.balance).toBe(2);
    budget.share = 1;
    expect(budget.balance).toBe(2);
    budget.share = 5;
    clock.at += 3_600_000;
    expect(withdrawAll(budget)).toBe(20);
  });

  it('D28 a total outage: 50 processes with a share each retry at most 600 of 10,000 requests in 10 s', () => {
    const processes = Array.from({ length: 50 }, () => budgetAt());
    for (const { budget } of processes) {
      deposit(budget, 1000);
      budget.share = 50;
    }
    let granted = 0;
    for (let request = 0; request < 200; request++) {
      for (const { budget, clock } of processes) {
        clock.at += 50;
        granted += Number(budget.tryWithdraw());
      }
    }
    expect(granted).toBeGreaterThan(500);
    expect(granted).toBeLessThanOrEqual(610);
  });

  it.each([0, -1, NaN, Infinity, '2'])('share must be a number ≥ 1, not %s', (share) => {
    const { budget } = budgetAt();
    expect(() => (budget.share = share as number)).toThrow('share must be a number ≥ 1, got');
    expect(budget.share).toBe(1);
  });
});
