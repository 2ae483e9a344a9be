import { createBus, type WhirlEvents } from '@whirl/events';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CircuitBreakerGroup, type CircuitBreakerGroupOptions } from './index.ts';

function setup(options: CircuitBreakerGroupOptions = {}) {
  const clock = { t: 0 };
  const group = new CircuitBreakerGroup({ now: () => clock.t, ...options });
  const due = (now = clock.t) => [...group.due(now)].map((breaker) => breaker.name).sort();
  return { clock, group, due };
}

test('K21 a breaker per name, made on first use', () => {
  const { group } = setup({ openMs: 10 });
  expect(group.peek('a')).toBeUndefined();
  const a = group.get('a');
  expect([a.name, a.openMs, group.get('a') === a, group.peek('a') === a]).toEqual([
    'a',
    10,
    true,
    true,
  ]);
  expect(group.get('b', { openMs: 20 }).openMs).toBe(20);
  a.trip();
  expect([...group.entries()].map(([name, { state }]) => [name, state])).toEqual([
    ['a', 'open'],
    ['b', 'closed'],
  ]);
});

test('K21 a deleted breaker shares nothing with the one made later under its name', () => {
  const { clock, group, due } = setup({ failureThreshold: 1 });
  const stale = group.get('a').acquire();
  const old = group.get('a');
  old.trip();
  clock.t = 30_000;
  const probe = old.acquire();
  expect([group.delete('a'), group.delete('a'), group.peek('a')]).toEqual([true, false, undefined]);
  const made = group.get('a');
  made.fail(stale);
  made.fail(probe);
  expect([made.state, made.failureCount]).toEqual(['closed', 0]);
  // What the old one still does concerns no other.
  old.release(probe);
  old.trip();
  clock.t = 90_000;
  expect([due(), made.state]).toEqual([[], 'closed']);
});

test('K21 due yields what is open past its deadline or half-open with a free permit', () => {
  const { clock, group, due } = setup();
  group.get('closed');
  group.get('forced').forceOpen();
  group.get('late', { openMs: 40_000 }).trip();
  group.get('b').trip();
  group.get('a').trip();
  expect([due(29_999), due(30_000), due(40_000)]).toEqual([[], ['a', 'b'], ['a', 'b', 'late']]);
  clock.t = 30_000;
  const probe = group.get('a').acquire();
  expect(due()).toEqual(['b']);
  group.get('a').release(probe);
  expect(due()).toEqual(['a', 'b']);
  group.get('a').succeed(group.get('a').acquire());
  group.get('b').fail(group.get('b').acquire());
  expect([due(), due(60_000)]).toEqual([[], ['b', 'late']]);
});

test('K21 due follows a deadline that moves, either way', () => {
  const { group, due } = setup();
  group.get('later').trip();
  group.get('sooner').trip({ openMs: 90_000 });
  expect(due()).toEqual([]);
  group.get('later').trip({ openMs: 60_000 });
  group.get('sooner').reset();
  group.get('sooner').trip();
  expect([due(30_000), due(59_999), due(60_000)]).toEqual([
    ['sooner'],
    ['sooner'],
    ['later', 'sooner'],
  ]);
});

test('K21 a caller may stop half-way, or settle what it is given', () => {
  const { clock, group, due } = setup();
  for (const name of 'abcd') group.get(name).trip();
  clock.t = 30_000;
  for (const breaker of group.due(clock.t)) {
    breaker.succeed(breaker.acquire());
    break;
  }
  expect(due()).toHaveLength(3);
  for (const breaker of group.due(clock.t)) breaker.fail(breaker.acquire());
  expect([due(), due(60_000)]).toEqual([[], ['b', 'c', 'd']]);
  expect(group.get('a').state).toBe('closed');
});

test('K21 due agrees with looking at every breaker', () => {
  const step = fc.tuple(
    fc.nat(5),
    fc.constantFrom(
      'trip',
      'short',
      'reset',
      'force',
      'acquire',
      'fail',
      'succeed',
      'delete',
      'wait',
      'due',
    ),
    fc.nat(9),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { clock, group, due } = setup({ openMs: 20, openMultiplier: 2 });
      const probes = new Map<string, number>();
      for (const [index, action, ms] of steps) {
        const name = `n${index}`;
        const breaker = group.get(name);
        if (action === 'trip') breaker.trip();
        else if (action === 'short') breaker.trip({ openMs: 1 + ms });
        else if (action === 'reset') breaker.reset();
        else if (action === 'force') breaker.forceOpen();
        else if (action === 'acquire') probes.set(name, breaker.acquire());
        else if (action === 'delete') group.delete(name);
        else if (action === 'wait') clock.t += ms;
        else if (action !== 'due') breaker[action](probes.get(name) ?? 0);
        if (action === 'due' || action === 'wait') {
          const expected = [...group.entries()]
            .filter(([, each]) => each.isDue(clock.t))
            .map(([each]) => each);
          expect(due()).toEqual(expected.sort());
        }
      }
    }),
    { numRuns: 1_000 },
  );
});

test('K21 due looks only at what came due: 20,000 open breakers, a few reads each', () => {
  const { clock, group } = setup();
  let reads = 0;
  const size = 20_000;
  for (let i = 0; i < size; i++) {
    const breaker = group.get(String(i));
    breaker.trip({ openMs: 1 + ((i * 7_919) % size) });
    const { isDue } = breaker;
    breaker.isDue = (now) => {
      reads++;
      return isDue.call(breaker, now);
    };
  }
  expect([...group.due(0)]).toEqual([]);
  reads = 0;
  for (let t = 1; t <= 100; t++) {
    clock.t = t;
    const names = [...group.due(t)];
    expect(names).toHaveLength(1);
    names[0]!.succeed(names[0]!.acquire());
  }
  expect(reads).toBeLessThan(1_000);
});

test('K15 the group’s bus gets the events of its breakers, by name', () => {
  const bus = createBus<WhirlEvents>();
  const heard: unknown[] = [];
  bus.on('circuit:transition', (event) => void heard.push([event.name, event.to]));
  const { group } = setup({ bus });
  group.get('a').trip();
  group.get('b').disable();
  expect(heard).toEqual([
    ['a', 'open'],
    ['b', 'disabled'],
  ]);
});

test('options are checked when the group is made, and copied', () => {
  expect(() => new CircuitBreakerGroup({ openMs: 0 })).toThrow('openMs must be a number from 1 to');
  const options = { openMs: 10 };
  const group = new CircuitBreakerGroup(Object.freeze(options));
  expect(group.get('a').openMs).toBe(10);
  const mutable = { openMs: 10 };
  const copied = new CircuitBreakerGroup(mutable);
  mutable.openMs = 20;
  expect(copied.get('a').openMs).toBe(10);
});

const names = (group: CircuitBreakerGroup) => [...group.entries()].map(([name]) => name);

test('K21 maxBreakers: a new breaker takes the place of the one used longest ago', () => {
  const { group } = setup({ maxBreakers: 2 });
  const a = group.get('a');
  group.get('b');
  expect(group.get('a')).toBe(a);
  group.get('c');
  expect(names(group)).toEqual(['a', 'c']);
  // Looking is no use.
  group.peek('a');
  group.get('d');
  expect(names(group)).toEqual(['c', 'd']);
});

test('K21 maxBreakers: one that is open, half-open, forced or busy is never forgotten', () => {
  const { clock, group } = setup({ maxBreakers: 1 });
  group.get('half-open').trip();
  clock.t = 30_000;
  group.get('open').trip();
  group.get('forced').forceOpen();
  group.get('disabled').disable();
  const ticket = group.get('busy').acquire();
  group.get('idle');
  group.get('new');
  expect(names(group).sort()).toEqual(['busy', 'disabled', 'forced', 'half-open', 'new', 'open']);
  // They can be spared once that is over: the group shrinks to its bound.
  group.get('busy').succeed(ticket);
  for (const name of ['open', 'forced', 'disabled', 'half-open']) group.get(name).reset();
  group.get('one more');
  expect(names(group)).toEqual(['one more']);
});

test('K21 maxBreakers: a new breaker costs eight looks, however many are open', () => {
  const { group } = setup({ maxBreakers: 10 });
  let looks = 0;
  for (let i = 0; i < 1_000; i++) {
    const breaker = group.get(String(i));
    breaker.trip();
    Object.defineProperty(breaker, 'state', { get: () => (looks++, 'open') });
  }
  expect(names(group)).toHaveLength(1_000);
  expect(looks).toBe(990 * 8);
});

test('K21 maxBreakers: an open breaker that was looked at and kept is still due', () => {
  const { group, due } = setup({ maxBreakers: 1 });
  group.get('a').trip();
  group.get('b');
  expect(due(30_000)).toEqual(['a']);
  group.get('c');
  expect([names(group).sort(), due(30_000)]).toEqual([['a', 'c'], ['a']]);
});

test('K21 maxBreakers: one that is forgotten and made again starts afresh', () => {
  const { group } = setup({ maxBreakers: 1, failureThreshold: 2 });
  const ticket = group.get('a').acquire();
  group.get('a').fail(ticket);
  group.get('b');
  expect(group.get('a').failureCount).toBe(0);
});

test.each([
  [0, ` from 1 to ${Number.MAX_SAFE_INTEGER}, got 0`],
  [1.5, ` from 1 to ${Number.MAX_SAFE_INTEGER}, got 1.5`],
  [NaN, ` from 1 to ${Number.MAX_SAFE_INTEGER}, got NaN`],
  ['5', ', got a string'],
])('maxBreakers %o is refused', (maxBreakers, rest) => {
  expect(() => new CircuitBreakerGroup({ maxBreakers: maxBreakers as number })).toThrow(
    `maxBreakers must be an integer${rest}`,
  );
  expect(() => new CircuitBreakerGroup().get('a', { maxBreakers } as never)).toThrow(
    'unknown option "maxBreakers"; known are name,',
  );
});

test('K21 a group can be disposed of: it forgets its breakers', () => {
  const { group, due } = setup();
  const a = group.get('a');
  a.trip();
  expect(due(0)).toEqual([]);
  group.get('b').trip();
  group[Symbol.dispose]();
  expect([names(group), due(1e6), group.peek('a')]).toEqual([[], [], undefined]);
  // A breaker that a caller still holds goes on by itself.
  a.reset();
  a.trip();
  expect([a.state, due(1e6)]).toEqual(['open', []]);
  expect(group.get('a')).not.toBe(a);
});
