import { seededRandom } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { Ledger } from './ledger.ts';
import { reportMs } from './settings.ts';

const never = -Infinity;
const from = 1_000_000;
const ledgerOf = () => new Ledger((process) => process);
const processesOf = (ledger: Ledger, id?: string) =>
  Array.from(ledger.reports(id), ({ process }) => process);

describe('reports', () => {
  it('each process has one for each proxy: what it said last, in the order of the first', () => {
    const ledger = ledgerOf();
    ledger.failed('a', 'one', 2, from);
    ledger.worked('a', 'two', from + 1);
    ledger.opened('a', 'one', 4, from + 5000, from + 2);
    ledger.failed('b', 'two', 1, from + 3);
    expect([...ledger.reports('a')]).toEqual([
      {
        proxyId: 'a',
        process: 'one',
        run: 4,
        failedAt: from + 2,
        workingAt: never,
        openUntil: from + 5000,
      },
      {
        proxyId: 'a',
        process: 'two',
        run: 0,
        failedAt: never,
        workingAt: from + 1,
        openUntil: never,
      },
    ]);
    expect(ledger.findings('a', 5, from + 10)).toEqual({
      run: 4,
      failing: 1,
      working: 1,
      openUntil: from + 5000,
    });
    expect(ledger.hasFailed('a', 'two')).toBe(false);
    expect(ledger.hasFailed('b', 'two')).toBe(true);
    expect(ledger.workedAfter('a', 'two', from)).toBe(true);
    expect(ledger.workedAfter('a', 'three', never)).toBe(false);
  });

  it('what was seen before the proxy was found to work again is not taken up', () => {
    const ledger = ledgerOf();
    ledger.failed('a', 'one', 3, from);
    ledger.clear('a', from + 10);
    ledger.failed('a', 'one', 3, from + 10);
    ledger.worked('a', 'two', from + 5);
    expect(processesOf(ledger)).toEqual([]);
    ledger.failed('a', 'one', 1, from + 11);
    // A success that comes late is taken up where a later report is known.
    ledger.worked('a', 'one', from + 5);
    expect([...ledger.reports()]).toMatchObject([{ run: 1, workingAt: from + 5 }]);
  });
});

it('D27 reports that come late or twice change nothing of later ones', () => {
  const reports: ((ledger: Ledger) => void)[] = [
    (ledger) => ledger.failed('a', 'one', 1, from),
    (ledger) => ledger.failed('a', 'one', 4, from + 20),
    (ledger) => ledger.opened('a', 'one', 4, from + 5000, from + 30),
    (ledger) => ledger.failed('a', 'two', 3, from + 5),
    (ledger) => ledger.failed('a', 'two', 0, from + 25),
    (ledger) => ledger.worked('a', 'three', from + 10),
    (ledger) => ledger.worked('a', 'three', from + 15),
  ];
  const findings = (order: typeof reports) => {
    const ledger = ledgerOf();
    for (const report of order) report(ledger);
    return ledger.findings('a', 5, from + 40);
  };
  const expected = { run: 4, failing: 1, working: 2, openUntil: from + 5000 };
  expect(findings(reports)).toEqual(expected);
  expect(findings(reports.toReversed())).toEqual(expected);
  expect(findings([...reports, ...reports])).toEqual(expected);
  const random = seededRandom(3);
  for (let i = 0; i < 200; i++) {
    const order = reports.map((report) => ({ report, at: random() }));
    order.sort((a, b) => a.at - b.at);
    expect(findings(order.map(({ report }) => report))).toEqual(expected);
  }
});

describe('sweeping', () => {
  it('drops what no longer counts, and keeps the other reports of the proxy', () => {
    const ledger = ledgerOf();
    ledger.failed('a', 'gone', 1, from);
    ledger.failed('a', 'here', 2, from + reportMs);
    ledger.failed('a', 'gone too', 1, from);
    ledger.failed('b', 'gone', 1, from);
    ledger.sweep(from + reportMs + 10_000);
    expect([...ledger.reports()]).toMatchObject([{ proxyId: 'a', process: 'here', run: 2 }]);
    expect([ledger.isContested('a'), ledger.isContested('b')]).toEqual([true, false]);
  });

  it('a process that comes back later is no other one', () => {
    const ledger = ledgerOf();
    ledger.failed('a', 'one', 1, from);
    ledger.failed('a', 'two', 1, from + reportMs);
    ledger.sweep(from + reportMs + 10_000);
    ledger.failed('a', 'three', 3, from + reportMs + 10_001);
    ledger.failed('a', 'one', 2, from + reportMs + 10_002);
    expect(Array.from(ledger.reports('a'), ({ process, run }) => [process, run])).toEqual([
      ['two', 1],
      ['three', 3],
      ['one', 2],
    ]);
  });
});
