import { describe, expect, it } from 'vitest';
import { failureIn, setupPool } from './pool.fixture.ts';

const broken = failureIn('headers', { statusCode: 502 });
const aborted = failureIn('headers', { outcome: 'aborted', reason: 'aborted', blame: 'caller' });

/** One proxy, whose circuit has opened and may be tested. */
function setup() {
  const { pool, clock, take, end } = setupPool(['http://h.example:1']);
  for (let i = 0; i < 5; i++) end(take(), broken);
  const openMs = (pool.circuits.open.firstDueAt ?? NaN) - clock.at;
  clock.at += openMs;
  return { pool, clock, take, end };
}

describe('K10 a test that comes to nothing', () => {
  it.each(['ended without a verdict', 'was not used'])(
    'K10 a proxy whose test %s is due at once, not when the lease of the test is over',
    (how) => {
      const { pool, clock, take, end } = setup();
      const test = take();
      expect(pool.circuits.open.counts).toMatchObject({ half_open: 1 });
      expect(pool.availability.admitsAny()).toBe(false);
      expect(pool.circuits.open.firstDueAt).toBe(clock.at + 30_000);
      if (how === 'was not used') pool.giveBack(test);
      else end(test, aborted);
      expect(pool.availability.admitsAny()).toBe(true);
      expect(pool.circuits.open.firstDueAt).toBe(clock.at);
    },
  );
});

it('K10 what a listener does as a circuit closes has the instant at which it does so, and not that of the success', () => {
  const { pool, clock, bus, take, end, events } = setupPool([
    'http://a.example:1',
    'http://b.example:1',
  ]);
  const toA = { proxyId: 'a.example:1' };
  for (let i = 0; i < 5; i++) end(take(toA), broken);
  clock.at += 30_000;
  const test = take(toA);
  bus.on('circuit:transition', ({ to }) => {
    if (to !== 'closed') return;
    clock.at += 1000;
    pool.forceOpen('b.example:1');
  });
  const endedAt = clock.at;
  end(test);
  expect(events('circuit:transition').slice(-2)).toMatchObject([
    { name: 'a.example:1', to: 'closed', at: endedAt },
    { name: 'b.example:1', to: 'forced_open', at: endedAt + 1000 },
  ]);
});
