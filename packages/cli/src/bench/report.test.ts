import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { Measurements } from './measurements.ts';
import { toText } from './report.ts';

const attempt = { requestId: 'r1', attempt: 0, proxyId: 'a', origin: 'http://a', at: 0 } as const;

function measuredOf(attempts: number): Measurements {
  const measured = new Measurements();
  for (let i = 0; i < attempts; i++) {
    measured.attempt({
      ...attempt,
      ...{ outcome: 'success', latencyMs: 10, delayBeforeMs: 0, hedge: false },
      ...{ blame: 'none', phase: 'headers' },
    });
  }
  return measured;
}

it('L4 attempts are told per request', () => {
  const measured = measuredOf(3);
  measured.succeeded(10, 0);
  measured.succeeded(10, 0);
  expect(toText(measured, 1000, new PassThrough())).toContain('attempts    3, 1.50 per request\n');
});

it('L4 before the first request has ended there is no number of attempts per request', () => {
  expect(toText(measuredOf(3), 1000, new PassThrough())).toContain('attempts    3\n');
});
