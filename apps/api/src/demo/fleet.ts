import type { Behaviour } from '@whirl/testkit';
import type { Wave } from './wave.ts';

export interface Member {
  readonly id: string;
  readonly region: string;
  readonly behaviour: Behaviour;
  /** How it fails, and when. Default: it stays as it is. */
  readonly trouble?: { readonly behaviour: Behaviour; readonly wave: Wave };
}

/**
 * Three good ones, one that drops a request now and then, three that fail for a while, one after the
 * other and each in its way, and one that is gone for good.
 */
export const fleet: readonly Member[] = [
  { id: 'steady', region: 'eu', behaviour: { kind: 'ok', latencyMs: 20 } },
  { id: 'brisk', region: 'us', behaviour: { kind: 'ok', latencyMs: 45 } },
  { id: 'distant', region: 'ap', behaviour: { kind: 'ok', latencyMs: 240 } },
  {
    id: 'flaky',
    region: 'eu',
    behaviour: {
      kind: 'mix',
      latencyMs: 40,
      parts: [{ ratio: 0.12, behaviour: { kind: 'reset' } }],
    },
  },
  {
    id: 'moody-1',
    region: 'eu',
    behaviour: { kind: 'ok', latencyMs: 30 },
    trouble: {
      behaviour: { kind: 'reset', latencyMs: 30 },
      wave: { firstMs: 4000, lastsMs: 6000, everyMs: 45_000 },
    },
  },
  {
    id: 'moody-2',
    region: 'us',
    behaviour: { kind: 'ok', latencyMs: 60 },
    trouble: {
      behaviour: { kind: 'status', statusCode: 503, latencyMs: 15 },
      wave: { firstMs: 14_000, lastsMs: 11_000, everyMs: 45_000 },
    },
  },
  {
    id: 'moody-3',
    region: 'ap',
    behaviour: { kind: 'ok', latencyMs: 120 },
    trouble: {
      behaviour: { kind: 'refuse' },
      wave: { firstMs: 29_000, lastsMs: 8000, everyMs: 45_000 },
    },
  },
  { id: 'gone', region: 'us', behaviour: { kind: 'refuse' } },
];
