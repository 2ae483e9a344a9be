import { describe, expect, it } from 'vitest';
import { failureIn, setupPool } from './pool.fixture.ts';
import { sharedPool } from './shared-pool.ts';

const url = 'http://U-sessid-{session}:pw@gate.example:7777';
const exit = 'gate.example:7777/1';
const ordinary = 'h.example:1';

function setup() {
  const { pool, bus, clock, take, end } = setupPool([{ url, exits: 2 }, `http://${ordinary}`]);
  const context = { bus, budget: undefined, now: () => clock.at, random: () => 0.5 };
  return { pool, clock, take, end, shared: sharedPool(pool, context) };
}

describe('a pool that is shared', () => {
  it('V1 what is known of exits stays here: their sessions are of this process', () => {
    const { pool, clock, take, end, shared } = setup();
    for (const proxyId of [exit, ordinary]) end(take({ proxyId }), failureIn('headers'));
    for (const id of [exit, ordinary]) pool.selector.ban(id, clock.at + 60_000);
    for (const id of [exit, ordinary])
      pool.selector.record({ id, outcome: 'success', latencyMs: 5 });
    expect([...shared.evidence()].map(({ id }) => id)).toEqual([ordinary]);
    expect([...shared.bans()].map(({ id }) => id)).toEqual([ordinary]);
  });

  it('V1 what others know of an exit with that id is of another session', () => {
    const { pool, shared } = setup();
    const priors = [exit, ordinary].map((id) => ({ id, successRate: 0.1, weight: 10 }));
    const before = pool.selector.stats(exit).score;
    expect(pool.selector.stats(ordinary).score).toBe(before);
    shared.inform(priors);
    expect(pool.selector.stats(exit).score).toBe(before);
    expect(pool.selector.stats(ordinary).score).toBeLessThan(before);
  });
});
