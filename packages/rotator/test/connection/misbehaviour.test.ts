import {
  startProxy,
  startSocks,
  startTarget,
  type Behaviour,
  type SocksBehaviour,
} from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import type { ProxyRotator } from '../../src/index.ts';
import { failureOf, startRotator, use } from '../support/rig.ts';

const attemptTimeoutMs = 150;
const retryPolicy = { maxAttempts: 1, attemptTimeoutMs };
const patient = { maxAttempts: 1, attemptTimeoutMs: 600_000 };

interface Expected {
  readonly code: string;
  readonly phase: string;
}
const proxyAt = (phase: string): Expected => ({ code: 'PROXY_CONNECTION', phase });
const lateAt = (phase: string): Expected => ({ code: 'ATTEMPT_TIMEOUT', phase });

/** How each ends for an http target and for an https target. */
const misbehaviours: [Behaviour, Expected, Expected][] = [
  [{ kind: 'refuse' }, proxyAt('tcp'), proxyAt('tcp')],
  [{ kind: 'close' }, proxyAt('headers'), proxyAt('connect')],
  [{ kind: 'reset' }, proxyAt('headers'), proxyAt('connect')],
  [{ kind: 'half-close' }, proxyAt('headers'), proxyAt('connect')],
  [{ kind: 'hang' }, lateAt('headers'), lateAt('connect')],
  [{ kind: 'garbage' }, proxyAt('headers'), proxyAt('connect')],
  [{ kind: 'large-header' }, proxyAt('headers'), proxyAt('connect')],
  [{ kind: 'dribble' }, lateAt('headers'), lateAt('connect')],
  [{ kind: 'close-after-connect' }, proxyAt('headers'), proxyAt('tls_target')],
  [{ kind: 'silent-after-connect' }, lateAt('headers'), lateAt('tls_target')],
  [{ kind: 'plain-after-connect' }, proxyAt('headers'), proxyAt('connect')],
  [{ kind: 'cut-body', afterBytes: 60_000 }, proxyAt('body'), proxyAt('body')],
];

const socksMisbehaviours: [SocksBehaviour, Expected, Expected][] = [
  ['hang', lateAt('socks'), lateAt('socks')],
  ['close', proxyAt('socks'), proxyAt('socks')],
  ['garbage', proxyAt('socks'), proxyAt('socks')],
  ['reject', proxyAt('socks'), proxyAt('socks')],
  ['close-after-connect', proxyAt('headers'), proxyAt('tls_target')],
  ['silent-after-connect', lateAt('headers'), lateAt('tls_target')],
];

function openHandles(): number {
  return process.getActiveResourcesInfo().filter((name) => /TCP|TLS|Timeout/.test(name)).length;
}

/** One request to an end, its body included. */
async function ask(rotator: ProxyRotator, url: string): Promise<void> {
  const { body } = await rotator.get(url);
  await body.text();
}

describe('C9 misbehaving proxies end in the right error, after one dial, with nothing left open', () => {
  for (const tls of [false, true]) {
    for (const [behaviour, http, https] of misbehaviours) {
      it(`${behaviour.kind}, ${tls ? 'https' : 'http'} target`, async () => {
        const target = use(await startTarget({ tls }));
        const proxy = use(await startProxy({ behaviour }));
        const before = openHandles();
        const rotator = startRotator({
          proxies: [proxy.url],
          retryPolicy,
          tls: { ca: target.ca },
          circuitBreaker: false,
        });
        const error = await failureOf(ask(rotator, `${target.origin}/bytes/200000`));
        expect(error).toMatchObject({ ...(tls ? https : http), proxyId: proxy.id });
        expect(proxy.stats.connections).toBe(behaviour.kind === 'refuse' ? 0 : 1);
        await Promise.all([proxy.idle(), target.idle()]);
        await rotator.destroy();
        expect(openHandles()).toBeLessThanOrEqual(before);
      });
    }

    for (const version of [4, 5] as const) {
      for (const [behaviour, http, https] of socksMisbehaviours) {
        it(`socks${version} ${behaviour}, ${tls ? 'https' : 'http'} target`, async () => {
          const target = use(await startTarget({ tls }));
          const socks = use(await startSocks({ version, behaviour }));
          const rotator = startRotator({ proxies: [socks.url], retryPolicy });
          const error = await failureOf(ask(rotator, target.url));
          expect(error).toMatchObject({ ...(tls ? https : http), proxyId: socks.id });
          expect(socks.connections).toBe(1);
          await Promise.all([socks.idle(), target.idle()]);
        });
      }
    }
  }

  it('silent TLS of an https proxy: the deadline, in phase tls_proxy', async () => {
    const silent = use(await startSocks({ behaviour: 'hang' }));
    const rotator = startRotator({ proxies: [`https://127.0.0.1:${silent.port}`], retryPolicy });
    const error = await failureOf(ask(rotator, 'http://127.0.0.1:9/'));
    expect(error).toMatchObject(lateAt('tls_proxy'));
    expect(silent.connections).toBe(1);
    await silent.idle();
  });

  it('a body that dribbles is bounded by timeoutMs', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy({ behaviour: { kind: 'dribble', part: 'body' } }));
    const rotator = startRotator({
      proxies: [proxy.url],
      retryPolicy: { maxAttempts: 1, timeoutMs: 200 },
    });
    await expect(ask(rotator, `${target.origin}/bytes/1000`)).rejects.toMatchObject({
      code: 'REQUEST_TIMEOUT',
    });
    await Promise.all([proxy.idle(), target.idle()]);
  });
});

describe("C3 the caller's abort is honoured in every phase, after one dial, with nothing left open", () => {
  interface Server {
    readonly url: string;
    openSockets(): number;
    idle(): Promise<void>;
    dials(): number;
  }
  const flaky = async (behaviour: Behaviour): Promise<Server> => {
    const proxy = use(await startProxy({ behaviour }));
    return Object.assign(Object.create(proxy) as typeof proxy, {
      url: proxy.url,
      dials: () => proxy.stats.connections,
    });
  };
  const silent = async (scheme: string): Promise<Server> => {
    const socks = use(await startSocks({ behaviour: 'hang' }));
    return {
      url: `${scheme}://127.0.0.1:${socks.port}`,
      openSockets: () => socks.openSockets(),
      idle: () => socks.idle(),
      dials: () => socks.connections,
    };
  };
  const phases: [string, boolean, () => Promise<Server>][] = [
    ['tls_proxy', true, () => silent('https')],
    ['socks', true, () => silent('socks5')],
    ['connect', true, () => flaky({ kind: 'hang' })],
    ['tls_target', true, () => flaky({ kind: 'silent-after-connect' })],
    ['headers', false, () => flaky({ kind: 'hang' })],
    ['body', false, () => flaky({ kind: 'dribble', part: 'body' })],
  ];
  for (const [phase, tls, start] of phases) {
    it(`in phase ${phase}`, async () => {
      const target = use(await startTarget({ tls }));
      const server = await start();
      const rotator = startRotator({ proxies: [server.url], retryPolicy: patient });
      const ends: unknown[] = [];
      rotator.bus.on('attempt:end', ({ outcome, blame, phase: at }) =>
        ends.push({ outcome, blame, phase: at }),
      );
      const controller = new AbortController();
      const { signal } = controller;
      const reason = new Error('enough');
      const asked = rotator.get(`${target.origin}/bytes/1000`, { signal });
      const text = asked.then(({ body }) => body.text());
      text.catch(() => {});
      if (phase === 'body') await asked;
      else await expect.poll(() => server.openSockets()).toBeGreaterThan(0);
      // The proxy must have had its say before: then the phase is the one that is meant.
      if (phase === 'tls_target') await expect.poll(() => rotator.inFlight().length).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      controller.abort(reason);
      await expect(text).rejects.toBe(reason);
      await Promise.all([server.idle(), target.idle()]);
      expect(server.dials()).toBe(1);
      expect(ends).toMatchObject([{ outcome: 'aborted', blame: 'caller' }]);
    });
  }

  it('20 aborted bodies: 20 dials', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const rotator = startRotator({ proxies: [proxy.url] });
    for (let i = 0; i < 20; i++) {
      const { body } = await rotator.get(`${target.origin}/bytes/10000000`);
      body.on('error', () => {});
      body.destroy();
      await proxy.idle();
    }
    expect(proxy.stats.connections).toBe(20);
  });
});
