import { describe, expect, it } from 'vitest';
import { ProxyAuthenticationError, ProxyConnectionError } from '../errors.ts';
import type { Admission } from './member.ts';
import { failureIn, setupPool } from './pool.fixture.ts';

const url = 'http://U-sessid-{session}:pw@gate.example:7777';
const down = failureIn('tcp');
const own = failureIn('headers', { statusCode: 502 });
const openMs = 30_000;

type Setup = ReturnType<typeof setupPool>;

/** The machine fails five times, through different members. */
function fell({ take, end }: Setup, failure = down): void {
  const tried = new Set<string>();
  for (let i = 0; i < 5; i++) {
    const admission = take({ tried });
    tried.add(admission.member.id);
    end(admission, failure);
  }
}

const stateOf = ({ pool }: Setup, name = 'gate.example') =>
  pool.circuits.groups.get(name)?.snapshot.state;

describe('V6 one machine behind many exits', () => {
  it('V6 five failures in a row through any of them open the group, and no exit', () => {
    const setup = setupPool([{ url, exits: 100 }]);
    fell(setup);
    expect(stateOf(setup)).toBe('open');
    expect(setup.events('circuit:transition')).toEqual([]);
    expect(setup.events('proxy:renewed')).toEqual([]);
    expect(setup.events('group:transition')).toMatchObject([
      { group: 'gate.example', from: 'closed', to: 'open', failureCount: 5 },
    ]);
    expect(setup.admit()).toBeUndefined();
    expect(setup.pool.availability.admitsAny()).toBe(false);
    expect(setup.pool.circuits.open.shut).toBe(100);
    const ask = { ...{ tried: new Set<string>(), target: 'x', region: undefined } };
    const why = setup.pool.availability.whyNot(
      { ...ask, sessionId: undefined, tags: undefined, proxyId: undefined },
      0,
    );
    expect(why.retryAfterMs).toBe(openMs);
    expect(why.message).toContain('the machine of the group "gate.example" fails');
  });

  it('V6 a success in between restarts the count', () => {
    const setup = setupPool([{ url, exits: 10 }]);
    for (let i = 0; i < 4; i++) setup.end(setup.take(), down);
    setup.end(setup.take());
    for (let i = 0; i < 4; i++) setup.end(setup.take(), down);
    expect(stateOf(setup)).toBe('closed');
    setup.end(setup.take(), down);
    expect(stateOf(setup)).toBe('open');
  });

  it('V6 the group is tested by one probe for all, not by one for each', () => {
    const setup = setupPool([{ url, exits: 100 }]);
    fell(setup);
    for (let period = 0; period < 5; period++) {
      setup.clock.at += openMs - 2;
      expect(setup.admit()).toBeUndefined();
      setup.clock.at += 2;
      const probes = Array.from({ length: 200 }, () => setup.admit()).filter(Boolean);
      expect(probes).toHaveLength(1);
      expect(probes[0]?.probe).toBe(true);
      setup.end(probes[0] as Admission, down);
      expect(stateOf(setup)).toBe('open');
    }
    setup.clock.at += openMs;
    setup.end(setup.take());
    expect(stateOf(setup)).toBe('closed');
    expect(Array.from({ length: 200 }, () => setup.admit()).every(Boolean)).toBe(true);
  });

  it('V6 a probe that never ends is replaced when its lease is over', () => {
    const setup = setupPool([{ url, exits: 3 }]);
    fell({ ...setup, take: () => setup.take() });
    setup.clock.at += openMs;
    const lost = setup.take();
    expect(setup.admit()).toBeUndefined();
    setup.clock.at += openMs;
    const probe = setup.take();
    setup.end(lost, down);
    expect(stateOf(setup)).toBe('half_open');
    setup.end(probe);
    expect(stateOf(setup)).toBe('closed');
  });

  it('V6 a probe that shows nothing of the machine, or is not used, gives its place back', () => {
    const setup = setupPool([{ url, exits: 8 }]);
    fell(setup);
    setup.clock.at += openMs;
    setup.end(setup.take(), failureIn('headers', { blame: 'caller', outcome: 'aborted' }));
    setup.pool.giveBack(setup.take());
    setup.end(setup.take());
    expect(stateOf(setup)).toBe('closed');
  });

  it('V6 a hundred requests in flight when it dies open it once, and no exit', () => {
    const setup = setupPool([{ url, exits: 20 }]);
    const flying = Array.from({ length: 100 }, () => setup.take());
    for (const each of flying) setup.end(each, down);
    expect(setup.events('group:transition')).toHaveLength(1);
    expect(setup.pool.circuits.open.counts).toMatchObject({ closed: 20, open: 0 });
    setup.clock.at += openMs;
    const late = setup.take();
    setup.end(late);
    expect(Array.from({ length: 20 }, () => setup.admit()).every(Boolean)).toBe(true);
  });

  it('V6 late results of before change nothing', () => {
    const setup = setupPool([{ url, exits: 10 }]);
    const slow = Array.from({ length: 10 }, () => setup.take());
    fell(setup);
    setup.end(slow[0] as Admission);
    expect(stateOf(setup)).toBe('open');
    setup.clock.at += openMs;
    const probe = setup.take();
    for (const each of slow.slice(1)) setup.end(each, down);
    setup.end(probe);
    expect(stateOf(setup)).toBe('closed');
  });

  it('V6 the first bytes of a response decide, not the end of its body', () => {
    const setup = setupPool([{ url, exits: 6 }]);
    fell(setup);
    setup.clock.at += openMs;
    const probe = setup.take();
    setup.pool.circuits.worked(probe);
    expect(stateOf(setup)).toBe('closed');
    setup.end(probe, own);
    expect(stateOf(setup)).toBe('closed');
  });

  it.each([
    ['its name', failureIn('dns')],
    ['TCP', failureIn('tcp', { outcome: 'timeout', reason: 'timeout' })],
    ['TLS', failureIn('tls_proxy')],
    ['the SOCKS greeting', failureIn('socks', { error: connection('socks') })],
    ['407', failureIn('connect', { reason: 'proxy_auth', error: refusedBy(407) })],
    ['402', failureIn('connect', { error: connection('connect', { statusCode: 402 }) })],
    ['no balance', failureIn('connect', { error: saying('Insufficient balance') })],
    ['traffic limit', failureIn('connect', { error: saying('traffic limit reached. Contact us') })],
  ])('V6 %s is the machine’s', (_, failure) => {
    const setup = setupPool([{ url, exits: 10 }]);
    fell(setup, failure);
    expect(stateOf(setup)).toBe('open');
  });

  it.each([
    ['a bad exit', failureIn('connect', { error: connection('connect', { statusCode: 502 }) })],
    ['a SOCKS reply', failureIn('socks', { error: connection('socks', { socksReply: 4 }) })],
    ['a status', own],
    ['this machine', failureIn('tcp', { blame: 'caller' })],
  ])('V6 %s is not', (_, failure) => {
    const setup = setupPool([{ url, exits: 10 }]);
    fell(setup, failure);
    expect(stateOf(setup)).toBe('closed');
  });

  it('V6 a forced exit is no probe; a forced gateway refuses until it is reset', () => {
    const setup = setupPool([{ url, exits: 6 }]);
    fell(setup);
    for (const n of [1, 2, 3, 4, 5]) setup.pool.forceOpen(`gate.example:7777/${n}`);
    setup.clock.at += openMs;
    expect(setup.take().member.id).toBe('gate.example:7777/6');
    setup.pool.forceOpen('gate.example:7777');
    setup.clock.at += 10 * openMs;
    expect([setup.admit(), stateOf(setup)]).toEqual([undefined, 'forced_open']);
    expect(setup.pool.reset('gate.example:7777')).toBe(true);
    expect(setup.take().member.id).toBe('gate.example:7777/6');
  });

  it('V6 the reset of one member is one of its group', () => {
    const setup = setupPool([{ url, exits: 6 }]);
    fell(setup);
    expect(setup.pool.reset('gate.example:7777/2')).toBe(true);
    expect([stateOf(setup), setup.admit()?.probe]).toEqual(['closed', false]);
  });

  it('V6 without circuits there is no group to open', () => {
    const setup = setupPool([{ url, exits: 6 }], { circuitBreaker: false });
    fell(setup);
    fell(setup);
    expect(setup.admit()).toBeDefined();
  });
});

describe('V6 a group lasts as long as its gateway', () => {
  const regional = 'http://U-cc-{region}-sessid-{session}:pw@gate.example:7777';
  const gateway = 'gate.example:7777';

  it('V6 the only exit gets a new session for the probe, and the group is still tested by one', () => {
    const setup = setupPool([{ url, exits: 1, sessionTtlMs: 10_000 }]);
    fell(setup);
    setup.clock.at += openMs;
    const probe = setup.take();
    expect(setup.events('proxy:renewed')).toMatchObject([{ reason: 'expired' }]);
    expect([probe.probe, stateOf(setup), setup.admit()]).toEqual([true, 'half_open', undefined]);
    setup.end(probe);
    expect(stateOf(setup)).toBe('closed');
  });

  it('V6 failures are counted on when the only exit has a new session', () => {
    const setup = setupPool([{ url, exits: 1, sessionTtlMs: 10_000 }]);
    for (let i = 0; i < 4; i++) setup.end(setup.take(), down);
    setup.clock.at += 10_000;
    setup.end(setup.take(), down);
    expect(stateOf(setup)).toBe('open');
  });

  it.each(['settled', 'given back'])('V6 a probe whose exit was renewed meanwhile is %s', (how) => {
    const setup = setupPool([{ url, exits: 2 }]);
    fell(setup);
    setup.clock.at += openMs;
    const probe = setup.take();
    setup.pool.exits.renew(probe.member, 'banned');
    if (how === 'settled') {
      setup.end(probe);
      expect(stateOf(setup)).toBe('closed');
    } else {
      setup.pool.giveBack(probe);
      expect(setup.take().probe).toBe(true);
    }
  });

  it('V6 a gateway that has no exits yet can be forced, and stays so for every region', () => {
    const setup = setupPool([{ url: regional, exits: 60_000 }]);
    expect(setup.pool.forceOpen(gateway)).toBe(true);
    // Of so many exits there is room for one region.
    for (const region of ['US', 'DE']) expect(setup.admit({ region })).toBeUndefined();
    expect(stateOf(setup)).toBe('forced_open');
    expect(setup.pool.reset(gateway)).toBe(true);
    expect(setup.take({ region: 'DE' }).member.id).toBe('gate.example:7777/DE/1');
  });

  it('V6 a gateway that is set again with other placeholders stays down', () => {
    const setup = setupPool([{ url }]);
    fell(setup);
    setup.pool.set([{ url: regional }]);
    expect(setup.admit({ region: 'US' })).toBeUndefined();
    setup.pool.set([{ url: regional, group: 'other' }]);
    expect([stateOf(setup), stateOf(setup, 'other')]).toEqual([undefined, 'closed']);
    setup.pool.set([]);
    expect([...setup.pool.circuits.groups.all()]).toEqual([]);
  });
});

describe('V6 groups of ordinary proxies', () => {
  const ports = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      url: `http://dc.example:${8001 + i}`,
      group: 'dc',
    }));

  it('V6 a host that is down is learned in five failures, not in five for each of its ports', () => {
    const setup = setupPool([...ports(50), 'http://other.example:1']);
    fell({ ...setup, take: (wish) => inGroup(setup, wish) });
    expect(stateOf(setup, 'dc')).toBe('open');
    expect(setup.pool.circuits.open.counts).toMatchObject({ closed: 51 });
    expect(setup.pool.circuits.open.shut).toBe(50);
    for (let i = 0; i < 20; i++) expect(setup.take().member.id).toBe('other.example:1');
  });

  it('V6 one port that is down while others work is counted by itself', () => {
    const setup = setupPool(ports(3));
    for (let i = 0; i < 6; i++) {
      setup.end(setup.take({ proxyId: 'dc.example:8001' }), down);
      setup.end(setup.take({ proxyId: 'dc.example:8002' }));
    }
    expect(stateOf(setup, 'dc')).toBe('closed');
    expect(setup.pool.members.get('dc.example:8001')?.circuit?.state).toBe('open');
  });

  it('V6 a hundred in flight when the host dies open no port', () => {
    const setup = setupPool(ports(5));
    const flying = Array.from({ length: 100 }, () => setup.take());
    for (const each of flying) setup.end(each, down);
    expect([stateOf(setup, 'dc'), setup.pool.circuits.open.counts.open]).toEqual(['open', 0]);
  });

  it('V6 a proxy that joins a group that is open waits with it; one that leaves it does not', () => {
    const setup = setupPool(ports(6));
    fell(setup);
    setup.pool.add({ url: 'http://dc.example:9000', group: 'dc' });
    expect(setup.admit()).toBeUndefined();
    setup.pool.set([...ports(6), 'http://dc.example:9000']);
    expect(setup.take().member.id).toBe('dc.example:9000');
  });

  it('V6 a proxy without a circuit is in no group', () => {
    const setup = setupPool([{ ...ports(1)[0], circuitBreaker: false }]);
    for (let i = 0; i < 10; i++) setup.end(setup.take(), down);
    expect(setup.pool.circuits.groups.get('dc')).toBeUndefined();
    expect(setup.admit()).toBeDefined();
  });
});

function inGroup(setup: Setup, wish: Parameters<Setup['take']>[0]): Admission {
  for (;;) {
    const admission = setup.take(wish);
    if (admission.member.group !== undefined) return admission;
    setup.end(admission);
  }
}

function connection(phase: 'connect' | 'socks', more: object = {}): ProxyConnectionError {
  return new ProxyConnectionError('failed', { phase, proxyId: 'x', ...more });
}

function saying(connectBody: string): ProxyConnectionError {
  return connection('connect', { statusCode: 403, connectBody });
}

function refusedBy(statusCode: number): ProxyAuthenticationError {
  return new ProxyAuthenticationError('failed', { phase: 'connect', proxyId: 'x', statusCode });
}
