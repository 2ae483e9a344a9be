import { createBus } from '@whirl/events';
import { describe, expect, it } from 'vitest';
import { Member } from '../pool/member.ts';
import { parseProxy } from '../proxy/proxy.ts';
import type { Failure } from './failure.ts';
import { Judge } from './judge.ts';

const uncertain: Failure = {
  outcome: 'failure',
  phase: 'headers',
  reason: 'reset',
  blame: 'unknown',
  doubt: 'failed',
  error: new Error('reset'),
};

/** One target behind some proxies; attempts one second apart and one after the other. */
function world(size: number) {
  const judge = new Judge({
    bus: createBus(),
    targetDown: true,
    contrast: true,
    poolSize: () => size,
  });
  let at = 1_000_000;
  const target = judge.targets.get('https://shop.test', at);
  const members = Array.from(
    { length: size },
    (_, i) => new Member(parseProxy(`127.0.0.1:${8000 + i}`), at, undefined),
  );
  const member = (i: number) => members[i % size] as Member;
  const next = () => {
    target.outage.ended(target.outage.begun());
    return (at += 1000);
  };
  return {
    judge,
    target,
    fails: (i: number) => judge.judged(uncertain, member(i), target, next()),
  };
}

describe('what a judgement says of the target', () => {
  it('E4 while no proxy has had a response from anywhere it is unknown, however long', () => {
    const { judge, target, fails } = world(10);
    const blames = Array.from({ length: 30 }, (_, i) => fails(i).blame);
    expect(judge.brakes(target)).toBe(true);
    expect(new Set(blames)).toEqual(new Set(['unknown']));
  });
});
