import { adaptive } from '@whirl/selector';
import { describe, expect, it } from 'vitest';
import { banProxy, banTarget, type Verdict } from '../policy/ban-rules.ts';
import { carryOut } from './carry-out.ts';
import type { Admission } from './member.ts';
import { failureIn, setupPool } from './pool.fixture.ts';

const url = 'http://U-sessid-{session}:pw@gate.example:7777';
const regional = 'http://U-cc-{region}-sessid-{session}:pw@gate.example:7777';
const broken = failureIn('headers', { statusCode: 502 });

type Setup = ReturnType<typeof setupPool>;

/** That exit fails five times, for reasons of its own. */
function breakExit({ take, end }: Setup, proxyId: string): void {
  for (let i = 0; i < 5; i++) end(take({ proxyId }), broken);
}

function ban({ pool, clock }: Setup, { member }: Admission, verdict: Verdict): void {
  carryOut(pool, { rule: 'refused', verdict }, member, 'https://a.test', clock.at);
}

describe('V1 exits in the pool', () => {
  it('V1 a gateway is as many members, each with its own session', () => {
    const { pool, sent, events } = setupPool([{ url, exits: 20 }]);
    expect([...pool.members.keys()].slice(0, 2)).toEqual([
      'gate.example:7777/1',
      'gate.example:7777/2',
    ]);
    expect(new Set(sent().values()).size).toBe(20);
    expect(events('proxy:added')).toMatchObject([{ proxyId: 'gate.example:7777' }]);
    expect([pool.size, pool.givenSize, [...pool.givenIds()]]).toEqual([
      20,
      1,
      ['gate.example:7777'],
    ]);
  });

  it('V1 an id that an exit has is refused for another proxy', () => {
    const taken = { url: 'http://h.example:1', id: 'gate.example:7777/3' };
    expect(() => setupPool([{ url }, taken])).toThrow('give the proxy another one');
    const { pool } = setupPool([{ url }]);
    expect(() => pool.add({ ...taken, id: 'gate.example:7777/33' })).toThrow(
      'give the proxy another',
    );
    expect(() => pool.add({ url })).toThrow('in the pool already');
    expect(pool.size).toBe(10);
  });

  it('V1 an exit leaves with its gateway alone', () => {
    const { pool, events } = setupPool([{ url }, 'http://h.example:1']);
    expect(pool.remove('gate.example:7777/1')).toBe(false);
    expect(pool.remove('gate.example:7777')).toBe(true);
    expect([...pool.members.keys()]).toEqual(['h.example:1']);
    expect(events('proxy:removed')).toMatchObject([{ proxyId: 'gate.example:7777' }]);
    expect(pool.circuits.groups.get('gate.example')).toBeUndefined();
  });
});

describe('V2 renewal instead of waiting', () => {
  it('V2 an exit whose circuit opens gets a new session, and is closed again', () => {
    const setup = setupPool([{ url, exits: 3 }]);
    const before = setup.sent();
    breakExit(setup, 'gate.example:7777/2');
    const after = setup.sent();
    expect(after.get('gate.example:7777/2')).not.toBe(before.get('gate.example:7777/2'));
    expect(after.get('gate.example:7777/1')).toBe(before.get('gate.example:7777/1'));
    expect([...after.keys()]).toEqual([...before.keys()]);
    expect(setup.events('circuit:transition')).toMatchObject([
      { proxyId: 'gate.example:7777/2', to: 'open', reason: 'failures' },
      { proxyId: 'gate.example:7777/2', to: 'closed', reason: 'renewed' },
    ]);
    expect(setup.events('proxy:renewed')).toEqual([
      { proxyId: 'gate.example:7777/2', reason: 'circuit', at: setup.clock.at },
    ]);
    expect(setup.gone).toEqual(['gate.example:7777/2']);
    expect(setup.pool.members.get('gate.example:7777/2')?.circuit?.failureCount).toBe(0);
    expect(setup.pool.circuits.open.counts).toMatchObject({ closed: 3, open: 0 });
  });

  it.each([banTarget(60_000), banProxy(60_000)])('V2 a ban by a rule renews: %j', (verdict) => {
    const setup = setupPool([{ url, exits: 2 }]);
    const admission = setup.take({ proxyId: 'gate.example:7777/1' });
    const session = admission.member.proxy.username;
    ban(setup, admission, verdict);
    setup.end(admission, failureIn('headers', { reason: 'banned' }));
    const member = setup.pool.members.get('gate.example:7777/1');
    expect(member?.proxy.username).not.toBe(session);
    expect([member?.inFlight, member?.circuit?.state]).toEqual([0, 'closed']);
    expect(setup.events('proxy:renewed')).toMatchObject([{ reason: 'banned' }]);
    expect([...setup.pool.selector.bans()]).toEqual([]);
  });

  it('V2 what attempts of the session before come to is counted for no other', () => {
    const setup = setupPool([{ url, exits: 1 }]);
    const late = Array.from({ length: 5 }, () => setup.take());
    breakExit(setup, 'gate.example:7777/1');
    const fresh = setup.take();
    for (const each of late) setup.end(each, broken);
    expect(setup.events('proxy:renewed')).toHaveLength(1);
    expect(fresh.member.inFlight).toBe(1);
    expect(fresh.member.circuit?.failureCount).toBe(0);
  });

  it('V2 beyond renewPerMinute within any 60 s circuits open as usual', () => {
    const setup = setupPool([{ url, exits: 4, renewPerMinute: 2 }]);
    for (const n of [1, 2, 3]) breakExit(setup, `gate.example:7777/${n}`);
    expect(setup.events('proxy:renewed')).toHaveLength(2);
    expect(setup.pool.members.get('gate.example:7777/3')?.circuit?.state).toBe('open');
    setup.clock.at += 59_999;
    breakExit(setup, 'gate.example:7777/4');
    expect(setup.events('proxy:renewed')).toHaveLength(2);
    setup.clock.at += 1;
    breakExit(setup, 'gate.example:7777/1');
    expect(setup.events('proxy:renewed')).toHaveLength(3);
  });

  it('V2 an open exit whose test fails is renewed as soon as that is allowed', () => {
    const setup = setupPool([{ url, exits: 2, renewPerMinute: 1 }]);
    breakExit(setup, 'gate.example:7777/1');
    breakExit(setup, 'gate.example:7777/2');
    setup.clock.at += 60_000;
    setup.end(setup.take({ proxyId: 'gate.example:7777/2' }), broken);
    expect(setup.events('proxy:renewed')).toHaveLength(2);
    expect(setup.pool.members.get('gate.example:7777/2')?.circuit?.state).toBe('closed');
  });

  it('V2 renew: false lets circuits open, and a forced one stays forced', () => {
    const off = setupPool([{ url, exits: 2, renew: false }]);
    breakExit(off, 'gate.example:7777/1');
    expect(off.pool.members.get('gate.example:7777/1')?.circuit?.state).toBe('open');
    const setup = setupPool([{ url, exits: 2 }]);
    const admission = setup.take({ proxyId: 'gate.example:7777/1' });
    setup.pool.forceOpen('gate.example:7777/1');
    ban(setup, admission, banProxy(1000));
    setup.end(admission);
    expect(setup.events('proxy:renewed')).toEqual([]);
    expect(setup.admit({ proxyId: 'gate.example:7777/1' })).toBeUndefined();
  });

  it('V2 the reset of a gateway closes its exits, but for one that was forced open', () => {
    const setup = setupPool([{ url, exits: 3, renew: false }, 'http://h.example:1']);
    const { pool } = setup;
    for (const n of [1, 2]) breakExit(setup, `gate.example:7777/${n}`);
    breakExit(setup, 'h.example:1');
    pool.forceOpen('gate.example:7777/3');
    expect(setup.admit()).toBeUndefined();
    expect(pool.reset('gate.example:7777')).toBe(true);
    const states = [...pool.members.values()].map(({ circuit }) => circuit?.state);
    expect(states).toEqual(['closed', 'closed', 'forced_open', 'open']);
    expect(new Set([setup.take().member.id, setup.take().member.id]).size).toBe(2);
  });

  it('V2 failures that may be the target’s renew nothing', () => {
    const setup = setupPool([{ url, exits: 1 }]);
    const doubtful = failureIn('headers', { blame: 'unknown' });
    for (let i = 0; i < 5; i++) setup.end(setup.take(), doubtful);
    expect(setup.events('circuit:transition')).toMatchObject([{ to: 'open', provisional: true }]);
    expect(setup.events('proxy:renewed')).toEqual([]);
  });
});

describe('V3 the life of a session', () => {
  it('V3 an exit whose time is over is renewed at its next use', () => {
    const setup = setupPool([{ url, exits: 1, sessionTtlMs: 10_000 }]);
    const first = setup.take().member.proxy.username;
    setup.clock.at += 9999;
    const { member } = setup.take();
    expect(member.proxy.username).toBe(first);
    member.inFlight = 0;
    setup.clock.at += 1;
    expect(setup.take().member.proxy.username).not.toBe(first);
    expect(setup.events('proxy:renewed')).toMatchObject([{ reason: 'expired' }]);
  });

  it('V3 one with requests under way drains while another is there, and is renewed when it is idle', () => {
    const setup = setupPool([{ url, exits: 2, sessionTtlMs: 10_000 }]);
    const busy = setup.take();
    setup.clock.at += 10_000;
    const others = Array.from({ length: 4 }, () => setup.take());
    expect(new Set(others.map(({ member }) => member.id)).has(busy.member.id)).toBe(false);
    setup.end(busy);
    expect(setup.events('proxy:renewed')).toMatchObject([
      { proxyId: busy.member.id, reason: 'expired' },
    ]);
  });

  it('V3 alone, it serves on with its old session until it is idle', () => {
    const setup = setupPool([{ url, exits: 1, sessionTtlMs: 10_000 }]);
    const busy = setup.take();
    setup.clock.at += 10_000;
    const second = setup.take();
    expect(second.member).toBe(busy.member);
    setup.end(busy);
    expect(setup.events('proxy:renewed')).toEqual([]);
    setup.end(second);
    expect(setup.events('proxy:renewed')).toHaveLength(1);
  });

  it('V3 sessions of the caller get an event', () => {
    const setup = setupPool([{ url, exits: 3, sessionTtlMs: 10_000 }]);
    const { member } = setup.take({ sessionId: 'cart' });
    setup.end({ ...setup.take({ sessionId: 'cart' }) });
    member.inFlight = 0;
    setup.clock.at += 10_000;
    setup.take({ sessionId: 'cart' });
    expect(setup.events('session:moved')).toEqual([
      { sessionId: 'cart', proxyId: member.id, reason: 'expired', at: setup.clock.at },
    ]);
  });
});

describe('V4 regions', () => {
  it('V4 the exits of a region are made when it is asked for first', () => {
    const setup = setupPool([{ url: regional, exits: 5 }]);
    expect(setup.pool.size).toBe(0);
    const { member } = setup.take({ region: 'US' });
    expect([member.id, member.proxy.region, setup.pool.size]).toEqual([
      'gate.example:7777/US/1',
      'US',
      5,
    ]);
    expect(member.proxy.username).toMatch(/^U-cc-us-sessid-/);
    setup.take({ region: 'US' });
    expect(setup.take({ region: 'DE', strictRegion: true }).member.proxy.region).toBe('DE');
    expect([setup.pool.size, setup.pool.givenSize]).toEqual([10, 1]);
  });

  it('V4 a request for a region gets no exit of another one, however good', () => {
    const setup = setupPool([{ url: regional, exits: 3, renew: false }, 'http://other.example:1'], {
      strategy: adaptive(),
    });
    for (let i = 0; i < 30; i++) setup.end(setup.take({ region: 'US' }));
    for (let i = 0; i < 30; i++) {
      expect(setup.take({ region: 'DE' }).member.proxy.region).toBe('DE');
    }
    for (const n of [1, 2, 3]) setup.pool.forceOpen(`gate.example:7777/DE/${n}`);
    expect(setup.take({ region: 'DE' }).member.id).toBe('other.example:1');
    setup.pool.forceOpen('other.example:1');
    expect(setup.admit({ region: 'DE' })).toBeUndefined();
    expect(setup.take({ region: 'US' }).member.proxy.region).toBe('US');
  });

  it('V4 without a region the exits that are there serve, or the first region that is named', () => {
    const none = setupPool([{ url: regional }]);
    expect(none.admit()).toBeUndefined();
    const why = none.pool.availability.whyNot(
      {
        tried: new Set(),
        target: 'x',
        region: undefined,
        sessionId: undefined,
        tags: undefined,
        proxyId: undefined,
      },
      0,
    );
    expect(why).toMatchObject({ code: 'NO_PROXIES' });
    expect(why.message).toContain('the request names no region');
    const named = setupPool([{ url: regional, regions: { GB: 'uk' } }]);
    expect(named.take().member.proxy.username).toMatch(/^U-cc-uk-/);
  });

  it('V4 a region that cannot stand in a user name makes no exits', () => {
    const setup = setupPool([{ url: regional }]);
    expect(setup.admit({ region: 'us-sessid-x' })).toBeUndefined();
    expect(setup.pool.size).toBe(0);
  });

  it('V4 a retry makes no exits for the region of a proxy that failed: it was not asked for', () => {
    const { pool, take, end } = setupPool([
      { url: regional, exits: 2 },
      { url: 'http://h.example:1', region: 'JP' },
    ]);
    end(take({ region: 'US' }));
    const retry = { tried: new Set(['h.example:1']), region: 'JP', anyRegion: true };
    expect(take(retry).member.id).toBe('gate.example:7777/US/2');
    expect([...pool.members.keys()]).toHaveLength(3);
  });

  it('V4 a retry without a region goes to another one when the exits of the first are used up', () => {
    const { take, end } = setupPool([{ url: regional, exits: 1 }]);
    for (const region of ['US', 'DE']) end(take({ region }));
    const tried = new Set(['gate.example:7777/US/1']);
    const retry = take({ tried, region: 'US', anyRegion: true });
    expect(retry.member.id).toBe('gate.example:7777/DE/1');
  });

  it('V4 more exits for each region leave the regions asked for last, and 100,000 exits at most', () => {
    const { pool, take, end } = setupPool([{ url: regional, exits: 1 }]);
    for (const region of ['A', 'B', 'C', 'A']) end(take({ region }));
    pool.set([{ url: regional, exits: 40_000 }]);
    expect(pool.size).toBe(80_000);
    expect([...(pool.exits.get('gate.example:7777')?.regions ?? [])]).toEqual(['C', 'A']);
  });

  it('V4 regions are bounded: the exits of the one not asked for longest leave', () => {
    const setup = setupPool([{ url: regional, exits: 1 }]);
    for (let i = 0; i < 301; i++) setup.take({ region: `r${i}` });
    expect(setup.pool.size).toBe(300);
    expect(setup.pool.members.has('gate.example:7777/r0/1')).toBe(false);
    expect(setup.pool.members.has('gate.example:7777/r300/1')).toBe(true);
  });
});

describe('V5 sessions of the caller', () => {
  it.each([undefined, adaptive()])('V5 a session id keeps one exit and one token', (strategy) => {
    const setup = setupPool([{ url, exits: 10 }], strategy === undefined ? {} : { strategy });
    const { member } = setup.take({ sessionId: 'cart' });
    for (let i = 0; i < 20; i++) {
      setup.end(setup.take());
      expect(setup.take({ sessionId: 'cart' }).member).toBe(member);
    }
  });

  it('V5 a retry goes through another exit, and the session stays', () => {
    const setup = setupPool([{ url, exits: 3 }]);
    const { member } = setup.take({ sessionId: 'cart' });
    const retry = setup.take({ sessionId: 'cart', tried: new Set([member.id]) });
    expect(retry.member).not.toBe(member);
    expect(setup.take({ sessionId: 'cart' }).member).toBe(member);
    expect(setup.events('session:moved')).toEqual([]);
  });

  it('V5 a renewal emits events for the sessions of that exit alone', () => {
    const setup = setupPool([{ url, exits: 2 }]);
    const first = setup.take({ sessionId: 'a' }).member.id;
    const second = setup.take({ sessionId: 'b' }).member.id;
    expect(first).not.toBe(second);
    breakExit(setup, first);
    expect(setup.events('session:moved')).toMatchObject([
      { sessionId: 'a', proxyId: first, reason: 'circuit' },
    ]);
    expect(setup.take({ sessionId: 'a' }).member.id).toBe(first);
  });

  it('V5 a session whose exit cannot be used moves, with an event', () => {
    const setup = setupPool([{ url, exits: 2, renew: false }]);
    const { id } = setup.take({ sessionId: 'a' }).member;
    breakExit(setup, id);
    const moved = setup.take({ sessionId: 'a' }).member.id;
    expect(moved).not.toBe(id);
    expect(setup.events('session:moved')).toMatchObject([
      { sessionId: 'a', proxyId: moved, reason: 'unavailable' },
    ]);
  });
});

describe('V8 a list that is loaded again', () => {
  it('V8 exits that stay keep their sessions, their circuits and what is known of them', () => {
    const setup = setupPool([{ url, exits: 4, renew: false }]);
    const before = setup.sent();
    breakExit(setup, 'gate.example:7777/2');
    setup.pool.set([{ url, exits: 6, renew: false, tags: ['x'] }]);
    expect(setup.pool.size).toBe(6);
    for (const [id, sent] of before) expect(setup.sent().get(id)).toBe(sent);
    expect(setup.pool.members.get('gate.example:7777/2')?.circuit?.state).toBe('open');
    setup.pool.set([{ url, exits: 1, renew: false }]);
    expect([...setup.pool.members.keys()]).toEqual(['gate.example:7777/1']);
    expect(setup.sent().get('gate.example:7777/1')).toBe(before.get('gate.example:7777/1'));
    expect(setup.gone.filter((id) => id === 'gate.example:7777/1')).toEqual([]);
  });

  it('V8 another password keeps the sessions, on new connections', () => {
    const setup = setupPool([{ url, exits: 2 }]);
    const before = setup.sent();
    setup.pool.set([{ url: url.replace(':pw@', ':other@'), exits: 2 }]);
    expect([...setup.sent()]).toEqual([...before]);
    expect(setup.pool.members.get('gate.example:7777/1')?.proxy.password).toBe('other');
    expect(setup.gone).toEqual(['gate.example:7777/1', 'gate.example:7777/2']);
  });

  it('V8 an id may become a gateway, and a proxy again', () => {
    const setup = setupPool(['http://gate.example:7777']);
    setup.pool.set([{ url, exits: 2 }]);
    expect([...setup.pool.members.keys()]).toEqual(['gate.example:7777/1', 'gate.example:7777/2']);
    setup.pool.set(['http://gate.example:7777']);
    expect([...setup.pool.members.keys()]).toEqual(['gate.example:7777']);
    expect(setup.events('proxy:removed')).toHaveLength(2);
    expect(setup.events('proxy:added')).toHaveLength(3);
  });

  it('V8 with owned only gateways of the list leave', () => {
    const other = 'http://V-{session}:pw@other.example:1';
    const setup = setupPool([{ url, exits: 1 }, other]);
    setup.pool.set([], new Set(['gate.example:7777']));
    expect([...setup.pool.givenIds()]).toEqual(['other.example:1']);
  });
});
