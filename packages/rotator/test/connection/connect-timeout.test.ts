import dns from 'node:dns';
import net from 'node:net';
import { startProxy, startSocks, startTarget } from '@whirl/testkit';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { failureOf, read, startRotator, use } from '../support/rig.ts';

afterEach(() => void vi.restoreAllMocks());

/** Names and what they resolve to; `undefined` never resolves. */
function resolver(names: Record<string, readonly string[] | undefined>) {
  const real = dns.lookup;
  vi.spyOn(dns, 'lookup').mockImplementation(((name: string, options: object, done: Function) => {
    if (!(name in names)) {
      real(name, options, done as never);
      return;
    }
    const found = names[name]?.map((address) => ({ address, family: net.isIP(address) }));
    if (found !== undefined) setImmediate(() => done(null, found));
  }) as never);
}

const retryPolicy = { maxAttempts: 1, attemptTimeoutMs: 60_000, connectTimeoutMs: 60 };

describe('C8b connectTimeoutMs', () => {
  const phases: [string, string, () => Promise<{ url: string }>][] = [
    ['the name', 'dns', async () => ({ url: 'http://never.test:1' })],
    [
      'TLS with the proxy',
      'tls_proxy',
      async () => ({
        url: use(await startSocks({ behaviour: 'hang' })).url.replace('socks5', 'https'),
      }),
    ],
    ['CONNECT', 'connect', async () => use(await startProxy({ behaviour: { kind: 'hang' } }))],
    ['SOCKS', 'socks', async () => use(await startSocks({ behaviour: 'hang' }))],
  ];
  for (const [name, phase, start] of phases) {
    it(`bounds ${name}: ATTEMPT_TIMEOUT of phase ${phase}`, async () => {
      resolver({ 'never.test': undefined });
      const { url } = await start();
      const rotator = startRotator({ proxies: [url], tunnel: 'always', retryPolicy });
      const ends: unknown[] = [];
      rotator.bus.on('attempt:end', ({ outcome, reason }) => ends.push(outcome, reason));
      const error = await failureOf(rotator.get('http://127.0.0.1:9/'));
      expect(error).toMatchObject({ code: 'ATTEMPT_TIMEOUT', phase });
      expect(error.message).toContain('no connection through');
      expect(error.message).toContain('within 60 ms');
      expect(ends).toEqual(['timeout', 'timeout']);
    });
  }

  it('bounds TCP', async () => {
    const real = net.connect;
    vi.spyOn(net, 'connect').mockImplementation(((options: { host: string }) =>
      options.host === '127.0.0.99' ? new net.Socket() : real(options as never)) as never);
    const rotator = startRotator({ proxies: ['http://127.0.0.99:1'], retryPolicy });
    expect(await failureOf(rotator.get('http://t.test/'))).toMatchObject({
      code: 'ATTEMPT_TIMEOUT',
      phase: 'tcp',
    });
  });

  it('does not bound what follows: TLS with the target, and the response', async () => {
    const target = use(await startTarget({ tls: true }));
    const proxy = use(await startProxy());
    const rotator = startRotator({
      proxies: [proxy.url],
      tls: { ca: target.ca },
      retryPolicy: { ...retryPolicy, connectTimeoutMs: 500 },
    });
    expect(await read(rotator.get(`${target.origin}/delay/700`))).toMatchObject({
      statusCode: 200,
    });
  });
});

describe('C8b addresses', () => {
  it('a proxy by name is tried at every address', async () => {
    const proxy = use(await startProxy());
    const target = use(await startTarget());
    resolver({ 'proxy.test': ['127.0.0.77', '::1', '127.0.0.1'] });
    const rotator = startRotator({ proxies: [`http://proxy.test:${proxy.port}`] });
    expect(await read(rotator.get(target.url))).toMatchObject({ statusCode: 200 });
    expect(proxy.stats.connections).toBe(1);
  });

  it('one that refuses at all of them fails with phase tcp', async () => {
    const proxy = use(await startProxy({ behaviour: { kind: 'refuse' } }));
    resolver({ 'proxy.test': ['127.0.0.77', '127.0.0.1'] });
    const rotator = startRotator({ proxies: [`http://proxy.test:${proxy.port}`] });
    expect(await failureOf(rotator.get('http://t.test/'))).toMatchObject({
      phase: 'tcp',
      cause: { code: 'ECONNREFUSED' },
    });
  });

  it('an address that needs longer than 250 ms is not given up', async () => {
    const proxy = use(await startProxy());
    const target = use(await startTarget());
    resolver({ 'proxy.test': ['127.0.0.1', '127.0.0.77'] });
    const real = net.connect;
    const slow = vi.spyOn(net, 'connect').mockImplementation(((options: net.TcpNetConnectOpts) => {
      if (options.host !== '127.0.0.1' || options.port !== proxy.port) return real(options);
      const socket = new net.Socket();
      setTimeout(() => socket.connect(options), 400);
      return socket;
    }) as never);
    const rotator = startRotator({ proxies: [`http://proxy.test:${proxy.port}`] });
    expect(await read(rotator.get(target.url))).toMatchObject({ statusCode: 200 });
    const hosts = slow.mock.calls.map(([options]) => (options as unknown as { host: string }).host);
    expect(hosts.slice(0, 2)).toEqual(['127.0.0.1', '127.0.0.77']);
  });

  it('socks5 tries every address of the target, and keeps the name for TLS', async () => {
    const target = use(await startTarget({ tls: true }));
    const socks = use(await startSocks());
    resolver({ localhost: ['127.0.0.77', '::1', '127.0.0.1'] });
    const rotator = startRotator({ proxies: [socks.url], tls: { ca: target.ca } });
    expect(await read(rotator.get(`https://localhost:${target.port}/`))).toMatchObject({
      statusCode: 200,
    });
    expect(socks.destinations.map(({ kind }) => kind)).toEqual(['ipv4', 'ipv6', 'ipv4']);
    await rotator.destroy();
    await socks.idle();
  });

  it('socks5: wrong credentials are not tried at each address', async () => {
    const socks = use(await startSocks({ username: 'ann', password: 'right' }));
    resolver({ localhost: ['127.0.0.77', '127.0.0.1'] });
    const rotator = startRotator({ proxies: [`socks5://ann:wrong@127.0.0.1:${socks.port}`] });
    expect(await failureOf(rotator.get('http://localhost/'))).toMatchObject({
      code: 'PROXY_AUTHENTICATION',
    });
    expect(socks.connections).toBe(1);
  });
});

describe('C6 401 as the response to CONNECT', () => {
  it('is like 407: ProxyAuthenticationError, and the circuit opens at once', async () => {
    const proxy = use(await startProxy({ behaviour: { kind: 'status', statusCode: 401 } }));
    const rotator = startRotator({ proxies: [proxy.url], retryPolicy: { maxAttempts: 3 } });
    await expect(rotator.get('https://t.test/')).rejects.toMatchObject({
      code: 'PROXY_AUTHENTICATION',
      phase: 'connect',
      statusCode: 401,
    });
    expect(rotator.proxies()).toMatchObject([{ state: 'open' }]);
    expect(proxy.stats.connections).toBe(1);
  });
});
