import { createBus, type WhirlEvents } from '@whirl/events';
import { createVirtualClock, seededRandom } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import {
  adaptive,
  leastUsed,
  performance,
  random,
  roundRobin,
  Selector,
  weighted,
  type Strategy,
} from './index.ts';

const strategies: readonly (() => Strategy)[] = [
  roundRobin,
  random,
  weighted,
  leastUsed,
  performance,
  adaptive,
];

function pool(strategy: Strategy, ids: Iterable<string> = 'abc') {
  const clock = createVirtualClock(1_000_000);
  const selector = new Selector({ strategy, now: clock.now, random: seededRandom(7) });
  for (const id of ids) selector.add({ id });
  return { clock, selector };
}

function times<Result>(count: number, call: (i: number) => Result): Result[] {
  return Array.from({ length: count }, (_, i) => call(i));
}

const open = (name: string, nextTestAt: number) => ({ name, to: 'open', nextTestAt }) as const;

const attemptStart = {
  requestId: 'r',
  attempt: 0,
  proxyId: 'a',
  origin: 'http://x',
  hedge: false,
  at: 0,
} as const;
const attemptEnd = {
  ...attemptStart,
  phase: 'connect',
  blame: 'proxy',
  outcome: 'failure',
  latencyMs: 10,
  delayBeforeMs: 0,
} as const;

describe.each(strategies.map((create) => [create.name, create] as const))('%s', (_, create) => {
  it('S2 an open circuit is never returned; none available gives undefined', () => {
    const { selector } = pool(create());
    selector.circuitChanged(open('a', 1e15));
    selector.circuitChanged({ name: 'b', to: 'forced_open' });
    expect(new Set(times(50, () => selector.select()?.id))).toEqual(new Set(['c']));
    selector.remove('c');
    expect(selector.select()).toBeUndefined();
    expect(selector.availableCount).toBe(0);
  });

  it('S2 exclude is honoured, as an array or a Set; unknown ids in it do not matter', () => {
    const { selector } = pool(create());
    for (let i = 0; i < 50; i++) {
      expect(selector.select({ exclude: ['a', 'b', 'x'] })).toEqual({ id: 'c', reused: false });
      expect(selector.select({ exclude: new Set(['c', 'a']) })).toEqual({ id: 'b', reused: false });
    }
  });

  it('S2 all excluded: the least recently used of them comes back as reused', () => {
    const { selector } = pool(create());
    for (const id of ['b', 'c', 'a']) {
      selector.select({ exclude: Array.from('abc').filter((each) => each !== id) });
    }
    const all = ['a', 'b', 'c'];
    expect(times(4, () => selector.select({ exclude: all }))).toEqual(
      ['b', 'c', 'a', 'b'].map((id) => ({ id, reused: true })),
    );
    selector.circuitChanged({ name: 'c', to: 'forced_open' });
    expect(times(3, () => selector.select({ exclude: all })?.id)).toEqual(['a', 'b', 'a']);
  });

  it('S6 maxConcurrent is never exceeded', () => {
    const { selector } = pool(create(), '');
    selector.add({ id: 'a', maxConcurrent: 2 });
    selector.add({ id: 'b', maxConcurrent: 1 });
    const picked = times(5, () => {
      const id = selector.select()?.id;
      if (id !== undefined) selector.started(id);
      return id;
    });
    expect(picked.filter((id) => id === 'a')).toHaveLength(2);
    expect(picked.filter((id) => id === 'b')).toHaveLength(1);
    expect(picked.slice(3)).toEqual([undefined, undefined]);
    selector.settled('b');
    expect(times(3, () => selector.select()?.id)).toEqual(['b', 'b', 'b']);
  });

  it('S6 tags without a match give undefined, not a silent fallback', () => {
    const { selector } = pool(create(), '');
    selector.add({ id: 'a', tags: ['fast'] });
    selector.add({ id: 'b', tags: ['fast', 'home'] });
    expect(new Set(times(30, () => selector.select({ tags: ['fast', 'home'] })?.id))).toEqual(
      new Set(['b']),
    );
    expect(selector.select({ tags: ['slow'] })).toBeUndefined();
    selector.add({ id: 'c', tags: ['slow'] });
    expect(selector.select({ tags: ['slow'] })?.id).toBe('c');
    selector.remove('c');
    expect(selector.select({ tags: ['slow'] })).toBeUndefined();
  });

  it('S7 an open circuit comes back at nextTestAt, to one request at a time until it closes', () => {
    const { clock, selector } = pool(create(), 'a');
    const at = clock.now() + 1000;
    selector.circuitChanged(open('a', at));
    clock.advance(999);
    expect(selector.select()).toBeUndefined();
    clock.advance(1);
    expect(selector.availableCount).toBe(1);
    expect(selector.select()?.id).toBe('a');
    expect(selector.select()).toBeUndefined();
    selector.circuitChanged({ name: 'a', to: 'half_open' });
    selector.started('a');
    expect(selector.select()).toBeUndefined();
    selector.settled('a');
    expect(selector.select()?.id).toBe('a');
    selector.circuitChanged({ name: 'a', to: 'closed' });
    expect(times(3, () => selector.select()?.id)).toEqual(['a', 'a', 'a']);
  });

  it('S8 reading statistics changes nothing; same seed, same picks', () => {
    const run = (read: boolean) => {
      const { clock, selector } = pool(create(), 'abcdefgh');
      return times(300, (i) => {
        if (i === 50) selector.circuitChanged(open('a', clock.now() + 100));
        clock.advance(10);
        if (read) {
          for (const id of 'abcdefgh') selector.stats(id);
          expect(selector.availableCount).toBeGreaterThan(0);
        }
        const id = selector.select()?.id ?? '';
        selector.record({ id, outcome: i % 7 === 0 ? 'failure' : 'success', latencyMs: i });
        return id;
      });
    };
    expect(run(true)).toEqual(run(false));
  });
});

describe('Selector', () => {
  it('S7 an offer that is given back is made again at once, unless its attempt has begun', () => {
    const { clock, selector } = pool(roundRobin(), 'a');
    selector.circuitChanged(open('a', clock.now()));
    expect(selector.select()?.id).toBe('a');
    selector.giveBack('a');
    selector.giveBack('gone');
    expect(selector.select()?.id).toBe('a');
    selector.started('a');
    selector.giveBack('a');
    expect(selector.select()).toBeUndefined();
  });

  it('S7 an offer that was never begun is made again after 30 s', () => {
    const { clock, selector } = pool(roundRobin(), 'a');
    selector.circuitChanged(open('a', clock.now()));
    expect(selector.select()?.id).toBe('a');
    clock.advance(29_999);
    expect(selector.select()).toBeUndefined();
    clock.advance(1);
    expect(selector.select()?.id).toBe('a');
  });

  it('learns from the bus, and no more after close()', () => {
    const bus = createBus<WhirlEvents>();
    const clock = createVirtualClock();
    const selector = new Selector({ bus, now: clock.now, strategy: roundRobin() });
    selector.add({ id: 'a' });
    selector.add({ id: 'b' });
    bus.emit('attempt:start', attemptStart);
    expect(selector.stats('a').inFlight).toBe(1);
    bus.emit('attempt:end', attemptEnd);
    expect(selector.stats('a')).toMatchObject({ inFlight: 0, samples: 1, successRate: 0 });
    bus.emit('attempt:end', { ...attemptEnd, blame: 'target' });
    bus.emit('attempt:end', { ...attemptEnd, blame: 'caller', outcome: 'aborted' });
    bus.emit('attempt:end', { ...attemptEnd, blame: 'none' });
    expect(selector.stats('a')).toMatchObject({ samples: 1, successRate: 0 });
    const until = clock.now() + 1000;
    bus.emit('proxy:banned', { proxyId: 'b', until, rule: 'r', at: 0 });
    expect(times(4, () => selector.select()?.id)).toEqual(['a', 'a', 'a', 'a']);
    clock.advance(1000);
    expect(new Set(times(4, () => selector.select()?.id)).size).toBe(2);
    bus.emit('proxy:banned', { proxyId: 'gone', until, rule: 'r', at: 0 });
    selector.close();
    bus.emit('attempt:start', attemptStart);
    expect(selector.stats('a').inFlight).toBe(0);
  });

  it('use() changes the strategy and loses nothing learned', () => {
    const { selector } = pool(adaptive());
    for (const [id, latencyMs] of [
      ['a', 500],
      ['b', 2000],
      ['c', 2000],
    ] as const) {
      for (let i = 0; i < 20; i++) selector.record({ id, outcome: 'success', latencyMs });
    }
    selector.use(performance());
    expect(selector.select()?.id).toBe('a');
    expect(selector.stats('a').score).toBeCloseTo(0.7 + 0.3 * 0.75, 6);
    expect(selector.stats('a').samples).toBe(20);
  });

  it.each([
    [{ id: 'a' }, /"a" is in the selector already/],
    [{ id: '' }, /id must be a string of at least one character/],
    [{ id: 'd', weight: -1 }, /weight of "d" must be a number from 0 to 1000000000000000, got -1/],
    [{ id: 'd', cost: NaN }, /cost of "d" .* got NaN/],
    [{ id: 'd', maxConcurrent: 1.5 }, /maxConcurrent of "d" must be an integer ≥ 1, got 1.5/],
    [{ id: 'd', tags: 'x' }, /tags of "d" must be an array/],
    [{ id: 'd', wieght: 1 }, /unknown option "candidate.wieght": did you mean "weight"/],
    [{ id: 'd', weight: '1' }, /weight of "d" must be a number from 0 .*, got "1"/],
    [{ id: 'd', region: '' }, /region of "d" must be a string of at least one character/],
    [null, /candidate must be an object, got null/],
    [['d'], /candidate must be an object/],
    ['d', /candidate must be an object, got "d"/],
    [undefined, /candidate must be an object, got undefined/],
  ])('bad input %j to add() is refused and changes nothing', (options, message) => {
    const { selector } = pool(weighted());
    expect(() => selector.add(options as never)).toThrow(message);
    expect(selector.size).toBe(3);
    expect(selector.has('d')).toBe(false);
  });

  it('bad input to record(), stats() and ban() is refused and changes nothing', () => {
    const { selector } = pool(adaptive());
    const good = { id: 'a', outcome: 'success', latencyMs: 1 } as const;
    expect(() => selector.record({ ...good, id: 'x' })).toThrow(/unknown id "x"/);
    expect(() => selector.record({ ...good, latencyMs: NaN })).toThrow(/latencyMs of "a".*NaN/);
    expect(() => selector.record({ ...good, latencyMs: -1 })).toThrow(RangeError);
    expect(() => selector.record({ ...good, outcome: 'fine' as never })).toThrow(/outcome of "a"/);
    expect(() => selector.stats('x')).toThrow(/unknown id "x"/);
    expect(() => selector.ban('a', NaN)).toThrow(/until of "a".*NaN/);
    expect(() => selector.banTarget('x', 't', 1)).toThrow(/unknown id "x"/);
    expect(() => selector.ban('a', 9e15)).toThrow(
      /until of "a" must be a number from 0 to 8640000/,
    );
    expect(selector.select()).toBeDefined();
    expect(selector.stats('a').samples).toBe(0);
    expect(() => new Selector({ strategy: {} as never })).toThrow(/strategy.name/);
    expect(() => new Selector({ strategie: adaptive() } as never)).toThrow(
      /unknown option "strategie": did you mean "strategy"/,
    );
  });

  it.each([
    [{ excluded: ['a'] }, /unknown option "excluded": did you mean "exclude"/],
    [{ exclude: 'ab' }, /exclude must be an array or a Set of ids, got "ab"/],
    [{ tags: 'home' }, /tags must be an array of strings, got "home"/],
    [{ tags: [1] }, /tags must be an array of strings/],
    [{ region: 5 }, /region must be a string, got 5/],
    [{ sessionId: {} }, /sessionId must be a string/],
    [null, /options must be an object, got null/],
  ])('bad input %j to select() is refused and picks nothing', (ask, message) => {
    const { selector } = pool(roundRobin());
    expect(() => selector.select(ask as never)).toThrow(message);
    expect(times(3, () => selector.select(Object.freeze({ region: undefined }))?.id)).toEqual([
      'a',
      'b',
      'c',
    ]);
  });

  it('a ban takes an instant: a duration is refused, naming the value', () => {
    const selector = new Selector({ strategy: roundRobin(), now: () => 1_800_000_000_000 });
    selector.add({ id: 'a' });
    const refusal = /until of "a" must be an instant in epoch milliseconds, got 60000, which looks/;
    expect(() => selector.ban('a', 60_000)).toThrow(refusal);
    expect(() => selector.banTarget('a', 'A', 60_000)).toThrow(refusal);
    expect(selector.availableCount).toBe(1);
    selector.ban('a', 100_000_000_000);
    expect(selector.availableCount).toBe(1);
    selector.ban('a', 1_800_000_000_001);
    expect(selector.availableCount).toBe(0);
  });

  it('unban() lifts a ban of every length, and nothing else', () => {
    const { clock, selector } = pool(roundRobin());
    const picks = () => new Set(times(6, () => selector.select()?.id));
    selector.ban('a', clock.now() + 1e9);
    selector.ban('b', clock.now() + 1000);
    selector.circuitChanged({ name: 'b', to: 'forced_open' });
    selector.banTarget('c', 'A', clock.now() + 1000);
    expect(picks()).toEqual(new Set(['c']));
    for (const id of 'abc') selector.unban(id);
    expect(picks()).toEqual(new Set(['a', 'c']));
    expect(new Set(times(6, () => selector.select({ target: 'A' })?.id))).toEqual(new Set(['a']));
    // A ban that comes after it holds, be it shorter.
    selector.ban('a', clock.now() + 1000);
    expect(picks()).toEqual(new Set(['c']));
    clock.advance(1000);
    expect(picks()).toEqual(new Set(['a', 'c']));
    expect(() => selector.unban('x')).toThrow(/unknown id "x"/);
  });

  it('the largest latency that is accepted leaves every strategy able to pick', () => {
    for (const create of strategies) {
      const { selector } = pool(create());
      expect(() => selector.record({ id: 'a', outcome: 'success', latencyMs: 2e12 })).toThrow(
        /latencyMs of "a" must be a number from 0 to 1000000000000, got 2000000000000/,
      );
      for (let i = 0; i < 300; i++) {
        const outcome = i % 2 === 0 ? 'success' : 'failure';
        selector.record({ id: 'abc'[i % 3] as string, outcome, latencyMs: 1e12 });
      }
      expect(selector.select()).toBeDefined();
      expect(selector.stats('a').avgLatencyMs).toBeCloseTo(1e12, -6);
    }
  });

  it('an event with a bad latency teaches nothing, and its attempt has ended all the same', () => {
    const errors: unknown[] = [];
    const bus = createBus<WhirlEvents>({ onListenerError: (error) => errors.push(error) });
    const selector = new Selector({ bus });
    selector.add({ id: 'a' });
    selector.started('a');
    bus.emit('attempt:end', { ...attemptEnd, latencyMs: NaN });
    expect(errors).toEqual([expect.objectContaining({ message: expect.stringMatching(/NaN/) })]);
    expect(selector.stats('a')).toMatchObject({ inFlight: 0, samples: 0 });
  });

  it('a removed candidate is unknown at once, however lately it was picked', () => {
    const { selector } = pool(roundRobin(), 'a');
    expect(selector.select()?.id).toBe('a');
    expect(selector.remove('a')).toBe(true);
    expect([selector.has(''), selector.has('a'), selector.remove('a')]).toEqual([
      false,
      false,
      false,
    ]);
    selector.add({ id: 'b' });
    selector.started('a');
    expect([selector.has('a'), selector.stats('b').inFlight]).toEqual([false, 0]);
  });

  it('ids that leave are forgotten, those that come back start from nothing, however often', () => {
    const selector = new Selector({ now: () => 0 });
    selector.add({ id: 'stays' });
    for (let i = 0; i < 1000; i++) {
      selector.add({ id: 'again' });
      selector.add({ id: `once ${i}` });
      expect(() => selector.add({ id: 'again' })).toThrow('already');
      expect(selector.size).toBe(3);
      expect(selector.stats('again').samples).toBe(0);
      selector.record({ id: 'again', outcome: 'success', latencyMs: 1 });
      expect(selector.remove('again')).toBe(true);
      expect(selector.remove('again')).toBe(false);
      expect(selector.remove(`once ${i}`)).toBe(true);
      expect(selector.has('again')).toBe(false);
      expect(selector.has(`once ${i}`)).toBe(false);
    }
    expect(selector.size).toBe(1);
    expect(selector.select()?.id).toBe('stays');
  });

  it('an average latency is shown with as many digits as are kept of it', () => {
    const selector = new Selector({ now: () => 0 });
    selector.add({ id: 'a' });
    selector.record({ id: 'a', outcome: 'success', latencyMs: 100.3 });
    expect(selector.stats('a').avgLatencyMs).toBe(100.3);
  });

  it('a strategy that picks what is not among the candidates is named; the next pick is sound', () => {
    const { selector } = pool({ name: 'wild', pick: () => 99 });
    expect(() => selector.select({ exclude: ['a'] })).toThrow(/"wild" picked 99/);
    selector.use(roundRobin());
    expect(new Set(times(3, () => selector.select()?.id)).size).toBe(3);
  });

  it('S15 a target that bans a candidate is spared it; others still use it', () => {
    const { clock, selector } = pool(roundRobin());
    selector.banTarget('a', 'https://one', clock.now() + 1000);
    const at = (target: string) => new Set(times(30, () => selector.select({ target })?.id));
    expect(at('https://one')).toEqual(new Set(['b', 'c']));
    expect(at('https://two')).toEqual(new Set(['a', 'b', 'c']));
    clock.advance(1000);
    expect(at('https://one')).toEqual(new Set(['a', 'b', 'c']));
    for (const id of 'abc') selector.banTarget(id, 'https://one', clock.now() + 1000);
    expect(selector.select({ target: 'https://one' })?.reused).toBe(false);
  });

  it('S15 three failures in a row at one target are remembered for it alone', () => {
    const { selector } = pool(adaptive());
    for (let i = 0; i < 60; i++) {
      for (const id of 'abc') {
        const failed = id === 'a' && i % 4 === 0 && i < 12;
        const target = failed ? 'A' : 'B';
        selector.record({ id, outcome: failed ? 'failure' : 'success', latencyMs: 100, target });
      }
    }
    const picks = (target: string) => times(300, () => selector.select({ target })?.id);
    expect(picks('A')).not.toContain('a');
    expect(picks('B')).toContain('a');
  });

  it('S15 one that fails everywhere is left to its circuit, and comes back with it', () => {
    const { clock, selector } = pool(roundRobin());
    for (let i = 0; i < 5; i++) {
      clock.advance(1);
      selector.record({ id: 'a', outcome: 'failure', latencyMs: 100, target: 'A' });
    }
    selector.circuitChanged({ name: 'a', to: 'open', nextTestAt: clock.now() + 1000 });
    const picks = () => new Set(times(6, () => selector.select({ target: 'A' })?.id));
    expect(picks()).toEqual(new Set(['b', 'c']));
    clock.advance(1000);
    expect(picks()).toEqual(new Set(['a', 'b', 'c']));
  });

  it('S15 successes before the failures at a target are no sign that it works elsewhere', () => {
    const { selector } = pool(roundRobin());
    const at = (target: string, outcome: 'failure' | 'success', count: number) =>
      times(count, () => selector.record({ id: 'a', outcome, latencyMs: 100, target }));
    const picks = () => new Set(times(6, () => selector.select({ target: 'A' })?.id));
    at('B', 'success', 3);
    at('A', 'failure', 3);
    expect(picks()).toContain('a');
    at('B', 'success', 1);
    expect(picks()).toEqual(new Set(['b', 'c']));
    at('A', 'success', 1);
    expect(picks()).toContain('a');
  });

  it('S15 candidates that failed there long ago, or left, are no evidence against the target', () => {
    const { clock, selector } = pool(roundRobin());
    const record = (id: string, outcome: 'failure' | 'success', target: string) =>
      selector.record({ id, outcome, latencyMs: 100, target });
    for (let i = 0; i < 5; i++) {
      selector.add({ id: `gone ${i}` });
      record(`gone ${i}`, 'failure', 'A');
      selector.remove(`gone ${i}`);
    }
    selector.banTarget('b', 'A', clock.now() + 1e9);
    const picksAfterThreeFailures = () => {
      for (let i = 0; i < 3; i++) record('c', 'failure', 'A');
      record('c', 'success', 'B');
      return new Set(times(6, () => selector.select({ target: 'A' })?.id));
    };
    selector.add({ id: 'd' });
    expect(picksAfterThreeFailures()).toEqual(new Set(['a', 'c', 'd']));
    record('c', 'success', 'A');
    clock.advance(600_000);
    expect(picksAfterThreeFailures()).toEqual(new Set(['a', 'd']));
  });

  it('S15 a hundred candidates banned at a target leave the others to it, under every strategy', () => {
    for (const create of strategies) {
      const { clock, selector } = pool(create(), times(110, String));
      for (let i = 0; i < 100; i++) selector.banTarget(`${i}`, 'A', clock.now() + 1);
      for (const id of times(50, () => selector.select({ target: 'A' })?.id)) {
        expect(Number(id)).toBeGreaterThanOrEqual(100);
      }
    }
  });
});
