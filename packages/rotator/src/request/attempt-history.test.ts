import { expect, it } from 'vitest';
import type { AttemptRecord } from '../attempt-record.ts';
import { AttemptHistory } from './attempt-history.ts';

const record = (attempt: number, outcome: AttemptRecord['outcome']): AttemptRecord => ({
  attempt,
  proxyId: `p${attempt}`,
  outcome,
  blame: 'none',
  message: undefined,
  latencyMs: 1,
  delayBeforeMs: 0,
});

it('an attempt that has ended while its response was read is listed once', () => {
  const history = new AttemptHistory();
  history.add(record(1, 'failure'));
  expect(history.list(record(1, 'success'))).toEqual([record(1, 'failure')]);
});

it('attempts are listed in the order of their numbers, in whichever order they end', () => {
  const history = new AttemptHistory();
  history.add(record(2, 'failure'));
  history.add(record(1, 'failure'));
  expect(history.list(record(0, 'success')).map(({ attempt }) => attempt)).toEqual([0, 1, 2]);
  expect(history.size).toBe(2);
});
