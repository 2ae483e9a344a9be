import { createBus } from '@whirl/events';
import { describe, expect, it } from 'vitest';
import { Member } from '../pool/member.ts';
import { parseProxy } from '../proxy/parse-proxy.ts';
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
const certain: Failure = { ...uncertain, blame: 'target', doubt: undefined };
const response = { statusCode: 200, latencyMs: 100, tunnel: true, ruled: false };

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
    responds: (i: number) => judge.respondedWell(member(i), target, next(), response),
    fails: (i: number, failure = uncertain) => judge.judged(failure, member(i), target, next()),
  };
}

/** 300 attempts through ten proxies in turn, of which so many in ten fail: whether the last failures were contested. */
function flaky(failuresInTen: number): Set<boolean | undefined> {
  const { responds, fails } = world(10);
  const contested: (boolean | undefined)[] = [];
  for (let i = 0; i < 300; i++) {
    // Spread so that each proxy fails as often as the others.
    if ((i * 7 + Math.floor(i / 10)) % 10 < failuresInTen) contested.push(fails(i).contested);
    else responds(i);
  }
  return new Set(contested.slice(-20));
}

describe('what a judgement shows of the target', () => {
  it('G3 one that responds to most attempts is contested when it fails one, and is not when it fails most', () => {
    expect([...flaky(4)]).toEqual([true]);
    expect([...flaky(7)]).toEqual([false]);
  });

  it('G3 it is not before its first response, nor by responses through the same proxy', () => {
    const one = world(1);
    expect(one.fails(0).contested).toBe(false);
    for (let i = 0; i < 20; i++) one.responds(0);
    expect(one.fails(0).contested).toBe(false);
    const two = world(2);
    expect(two.fails(0).contested).toBe(false);
    two.responds(1);
    expect(two.fails(0).contested).toBe(true);
  });

  it('G3 a failure stated by the target itself is not contested', () => {
    const { responds, fails } = world(3);
    for (let i = 0; i < 20; i++) responds(i);
    expect(fails(0, certain).contested).toBe(false);
    expect(fails(0).contested).toBe(true);
  });

  it('G3 one that is down is not contested, though proxies that were not asked since had responses', () => {
    const { judge, target, responds, fails } = world(8);
    for (let i = 0; i < 24; i++) responds(i);
    const contested = Array.from({ length: 12 }, (_, i) => fails(i % 3).contested);
    expect(judge.brakes(target)).toBe(true);
    expect(contested.at(-1)).toBe(false);
  });

  it('E4 while no proxy has had a response from anywhere it is unknown, however long', () => {
    const { judge, target, fails } = world(10);
    const blames = Array.from({ length: 30 }, (_, i) => fails(i).blame);
    expect(judge.brakes(target)).toBe(true);
    expect(new Set(blames)).toEqual(new Set(['unknown']));
  });
});
