import { createBus, type WhirlEvents } from '@whirl/events';
import {
  adaptive,
  consistent,
  leastUsed,
  performance,
  random,
  roundRobin,
  sticky,
  weighted,
  type Strategy,
} from '@whirl/selector';
import { describe, expect, it } from 'vitest';
import { ClosedError, ProxyRotator, type SharedPool } from '../../src/index.ts';
import { rig, type Rig } from '../support/pool-rig.ts';
import { use } from '../support/rig.ts';

function poolOf(rotator: ProxyRotator): SharedPool {
  let shared: SharedPool | undefined;
  rotator.share((pool) => {
    shared = pool;
    return () => {};
  });
  return shared as SharedPool;
}

const through = async ({ rotator, target }: Rig, options = {}) => {
  const { body, proxyId } = await rotator.get(target.url, options);
  await body.dump();
  return proxyId;
};

describe('share', () => {
  it('a circuit that is adopted open takes no request; closed, it does again', async () => {
    const setup = await rig([{ kind: 'ok' }, { kind: 'ok' }]);
    const pool = poolOf(setup.rotator);
    const [first, second] = [...pool.ids()] as [string, string];
    expect(pool.adopt(first, 'open', { openMs: 60_000 })).toBe(true);
    for (let i = 0; i < 4; i++) expect(await through(setup)).toBe(second);
    expect([...pool.circuits()].map(({ id, state }) => `${id} ${state}`)).toEqual([
      `${first} open`,
    ]);
    expect(setup.told('circuit:transition')[0]).toMatchObject({ proxyId: first, reason: 'fleet' });
    expect(pool.adopt(first, 'closed')).toBe(true);
    expect([await through(setup), await through(setup)].sort()).toEqual([first, second].sort());
  });

  it('D7 an armed circuit is tested by the next request that may be sent twice', async () => {
    const setup = await rig([{ kind: 'ok' }, { kind: 'ok' }, { kind: 'ok' }]);
    const pool = poolOf(setup.rotator);
    const [first, ...others] = [...pool.ids()] as [string, ...string[]];
    expect(pool.arm(first)).toBe(false);
    pool.adopt(first, 'open', { openMs: 60_000 });
    expect(pool.arm(first)).toBe(true);
    const post = await setup.rotator.post(setup.target.url, { body: 'x' });
    await post.body.dump();
    expect(others).toContain(post.proxyId);
    expect(others).toContain(await through(setup, { sessionId: 's' }));
    expect(await through(setup)).toBe(first);
    expect(pool.circuit(first)?.state).toBe('closed');
    expect(pool.disarm(first)).toBe(false);
  });

  it.each<[string, () => Strategy]>([
    ['adaptive', adaptive],
    ['roundRobin', roundRobin],
    ['random', random],
    ['leastUsed', leastUsed],
    ['performance', performance],
    ['weighted', weighted],
    ['sticky', () => sticky(adaptive())],
    ['consistent', () => consistent(adaptive())],
  ])('D7 under %s() too, whichever proxy it is', async (_name, strategy) => {
    const setup = await rig(Array(6).fill({ kind: 'ok' }), { strategy: strategy() });
    const pool = poolOf(setup.rotator);
    for (let i = 0; i < 12; i++) await through(setup);
    for (const id of pool.ids()) {
      pool.adopt(id, 'open', { openMs: 60_000 });
      for (let i = 0; i < 3; i++) expect(await through(setup)).not.toBe(id);
      expect(pool.arm(id)).toBe(true);
      expect(await through(setup)).toBe(id);
      expect(pool.circuit(id)?.state).toBe('closed');
    }
  });

  it('disarm takes it back', async () => {
    const setup = await rig([{ kind: 'ok' }, { kind: 'ok' }]);
    const pool = poolOf(setup.rotator);
    const [first, second] = [...pool.ids()] as [string, string];
    pool.adopt(first, 'open', { openMs: 60_000 });
    pool.arm(first);
    expect(pool.disarm(first)).toBe(true);
    expect(pool.hold(first, pool.now() + 60_000)).toBe(true);
    expect([await through(setup), await through(setup)]).toEqual([second, second]);
    expect(setup.told('circuit:rescheduled').map(({ proxyId }) => proxyId)).toEqual([first, first]);
  });

  it('a ban holds for its target alone, one without a target opens the circuit', async () => {
    const setup = await rig([{ kind: 'ok' }, { kind: 'ok' }]);
    const pool = poolOf(setup.rotator);
    const [first, second] = [...pool.ids()] as [string, string];
    pool.ban(first, pool.now() + 60_000, new URL(setup.target.url).origin);
    expect(pool.circuit(first)?.state).toBe('closed');
    expect([await through(setup), await through(setup)]).toEqual([second, second]);
    pool.ban(second, pool.now() + 60_000);
    expect(pool.circuit(second)?.state).toBe('open');
    expect(setup.told('proxy:banned').map(({ rule }) => rule)).toEqual(['fleet', 'fleet']);
  });

  it('has the events of its own pool, also where another rotator with the same proxies has the same bus', async () => {
    const bus = createBus<WhirlEvents>();
    const setup = await rig([{ kind: 'reset' }], { bus, retryPolicy: null });
    const proxies = setup.proxies.map(({ url }) => url);
    const other = new ProxyRotator({ bus, proxies });
    use({ close: () => other.destroy() });
    const [own, others]: [string[], string[]] = [[], []];
    poolOf(setup.rotator).bus.on('attempt:end', ({ outcome }) => own.push(outcome));
    poolOf(other).bus.on('attempt:end', ({ outcome }) => others.push(outcome));
    await expect(setup.rotator.get(setup.target.url)).rejects.toThrow();
    expect([own, others]).toEqual([['failure'], []]);
  });

  it('counts picks, avoids, informs, and divides the budget', async () => {
    const setup = await rig([{ kind: 'ok' }, { kind: 'ok' }]);
    const pool = poolOf(setup.rotator);
    const [first, second] = [...pool.ids()] as [string, string];
    pool.avoid(first, pool.now() + 60_000);
    pool.avoid('nobody', pool.now() + 60_000);
    expect([await through(setup), await through(setup)]).toEqual([second, second]);
    expect(pool.picks).toBe(2);
    pool.inform([{ id: first, successRate: 0.2, weight: 10 }]);
    pool.share(4);
    expect(pool.failureThreshold(first)).toBe(5);
    expect([pool.id(first), pool.id('nobody'), pool.size]).toEqual([first, undefined, 2]);
    expect([pool.adopt('nobody', 'open'), pool.arm('nobody'), pool.circuit('nobody')]).toEqual([
      false,
      false,
      undefined,
    ]);
  });

  it('D24 a fingerprint is the same for the same credentials, and shows nothing of them', () => {
    const one = new ProxyRotator({ proxies: ['http://user:secret@127.0.0.1:9', '127.0.0.1:8'] });
    const same = new ProxyRotator({ proxies: ['http://user:secret@127.0.0.1:9'] });
    const other = new ProxyRotator({ proxies: ['http://user:other@127.0.0.1:9'] });
    const print = (rotator: ProxyRotator, key: string) => {
      const pool = poolOf(rotator);
      return pool.fingerprint([...pool.ids()][0] as string, key);
    };
    expect(print(one, 'k')).toBe(print(same, 'k'));
    expect(print(one, 'k')).not.toBe(print(other, 'k'));
    expect(print(one, 'k')).not.toBe(print(one, 'another'));
    expect(print(one, 'k')).toMatch(/^[\w-]{43}$/);
    const pool = poolOf(one);
    expect(pool.fingerprint([...pool.ids()][1] as string, 'k')).toBeUndefined();
    for (const each of [one, same, other]) void each.destroy();
  });

  it('leaves when the rotator ends, once, or before', async () => {
    const left: string[] = [];
    const rotator = new ProxyRotator();
    const leave = rotator.share(() => () => left.push('first'));
    rotator.share(() => () => left.push('second'));
    leave();
    await rotator.destroy();
    expect(left).toEqual(['first', 'second']);
  });

  it('refuses when the rotator is closed: nothing would ever leave', async () => {
    const rotator = new ProxyRotator();
    await rotator.close();
    let joined = 0;
    const join = () => {
      joined++;
      return () => {};
    };
    expect(() => rotator.share(join)).toThrow(ClosedError);
    expect(joined).toBe(0);
  });

  it('refuses what is no function', () => {
    const rotator = new ProxyRotator();
    expect(() => rotator.share({} as never)).toThrow('join must be a function, got an object');
  });
});
