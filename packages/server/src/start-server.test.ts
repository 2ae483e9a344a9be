import { once } from 'node:events';
import net from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ListenError } from './listen-error.ts';
import { readConfig } from './config/read-config.ts';
import type { ServerOptions } from './config/server-options.ts';
import { startServer } from './start-server.ts';

/** A port of 127.0.0.1 that is in use until the test has finished. */
async function takenPort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as net.AddressInfo).port;
}

/** How many sockets listen. */
const servers = () =>
  process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length;

/** The error of a start under these options. */
async function refusalOf(options: object): Promise<Error> {
  try {
    await (await startServer({ api: false, ...options })).close();
  } catch (error) {
    return error as Error;
  }
  throw new Error('it was expected to reject');
}

describe('A20 the server in a program', () => {
  it('A20 serves the API and the gateway, and its pool can be changed beside them', async () => {
    const server = await startServer({ api: { port: 0 }, gateway: { port: 0 } });
    onTestFinished(() => server.close());
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(server.gateway).toMatch(/^127\.0\.0\.1:\d+$/);
    server.rotator.addProxy('127.0.0.1:9');
    const response = await fetch(`${server.url}/api/v1/status`);
    expect(await response.json()).toMatchObject({
      mode: 'live',
      proxies: 1,
      gateway: { address: server.gateway },
    });
  });

  it('A20 the gateway alone needs no API', async () => {
    const server = await startServer({ api: false, gateway: { port: 0 } });
    onTestFinished(() => server.close());
    expect([server.url, typeof server.gateway]).toEqual([undefined, 'string']);
  });

  it('A20 link-local addresses are denied unless rules stand in their place', async () => {
    const metadata = ['http://169.254.169.254:80'];
    const off = { api: { port: 0 }, gateway: false } as const;
    await expect(startServer({ ...off, proxies: metadata })).rejects.toThrow(
      'is denied by 169.254.0.0/16',
    );
    const server = await startServer({ ...off, proxies: metadata, deny: {} });
    onTestFinished(() => server.close());
    expect(server.rotator.size).toBe(1);
  });

  it('A8 A20 an address that others reach needs a token', async () => {
    await expect(startServer({ api: { host: '0.0.0.0', port: 0 } })).rejects.toThrow(
      'api.host "0.0.0.0" can be reached from other machines: give api.token, or bind 127.0.0.1',
    );
  });

  it('W2 A20 the gateway on such an address needs credentials', async () => {
    const gateway = { host: '0.0.0.0', port: 0 };
    await expect(startServer({ api: { port: 0 }, gateway })).rejects.toThrow(RangeError);
  });

  it('A20 without both there is nothing to serve', async () => {
    await expect(startServer({ api: false, gateway: false })).rejects.toThrow('nothing to serve');
  });

  it.each(['api', 'gateway'] as const)(
    'A20 a port of the %s in use rejects with its name, and leaves nothing open',
    async (listener) => {
      const port = await takenPort();
      const before = servers();
      const ports = { api: { port: 0 }, gateway: { port: 0 }, [listener]: { port } };
      const error = await startServer(ports).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ListenError);
      expect(error).toMatchObject({
        listener,
        code: 'EADDRINUSE',
        message: `port ${port} of 127.0.0.1 is in use`,
      });
      expect(servers()).toBe(before);
    },
  );

  it('A20 a gateway that is optional is left out when its port is in use', async () => {
    const gateway = { port: await takenPort(), optional: true };
    const server = await startServer({ api: { port: 0 }, gateway });
    onTestFinished(() => server.close());
    expect(server.gateway).toBeUndefined();
  });

  it.each<[string, (value: never) => object, string, readonly unknown[]]>([
    ['logLevel', (logLevel) => ({ logLevel }), 'WHIRL_LOG_LEVEL', ['loud', 'INFO']],
    [
      'redisUrl',
      (redisUrl) => ({ redisUrl }),
      'WHIRL_REDIS_URL',
      ['http://:hunter2@127.0.0.1', '127.0.0.1:6379', 'redis://h:hunter2', 'redis://:%zz@h'],
    ],
    ['fleetPool', (fleetPool) => ({ fleetPool }), 'WHIRL_FLEET_POOL', ['a b', '{a}']],
    ['api.host', (host) => ({ api: { host } }), 'WHIRL_API_HOST', ['http://localhost', '-x']],
    ['api.port', (port) => ({ api: { port } }), 'WHIRL_API_PORT', [65_536, 1.5]],
    ['api.token', (token) => ({ api: { token } }), 'WHIRL_API_TOKEN', ['two words', 'grün']],
    [
      'api.allowedHosts',
      (host) => ({ api: { allowedHosts: [host] } }),
      'WHIRL_API_ALLOWED_HOSTS',
      ['a:80', '*'],
    ],
    [
      'api.trustProxy',
      (network) => ({ api: { trustProxy: [network] } }),
      'WHIRL_TRUST_PROXY',
      ['nginx', '0.0.0.0/0'],
    ],
    ['gateway.host', (host) => ({ gateway: { host } }), 'WHIRL_GATEWAY_HOST', ['a b', '[::1']],
    [
      'proxiesList.format',
      (format) => ({ proxiesList: { format } }),
      'WHIRL_PROXIES_FORMAT',
      ['hunter2'],
    ],
    [
      'proxiesList.defaultProtocol',
      (defaultProtocol) => ({ proxiesList: { defaultProtocol } }),
      'WHIRL_PROXIES_DEFAULT_PROTOCOL',
      ['ftp'],
    ],
    [
      'proxiesList.onInvalid',
      (onInvalid) => ({ proxiesList: { onInvalid } }),
      'WHIRL_PROXIES_ON_INVALID',
      ['drop'],
    ],
  ])(
    'A9 A20 %s is refused by the rule of the command, with a RangeError that names it',
    async (path, options, variable, values) => {
      for (const value of values) {
        expect(() => readConfig({ env: { [variable]: String(value) } })).toThrow(variable);
        const error = await refusalOf(options(value as never));
        expect(error).toBeInstanceOf(RangeError);
        expect(error.message).toMatch(new RegExp(`^${path} must be .*, got `));
        expect(error.message).not.toContain('hunter2');
      }
    },
  );

  it('A9 A20 shutdownTimeoutMs has the bound of the command: 3,600 s', async () => {
    expect(() => readConfig({ env: { WHIRL_SHUTDOWN_TIMEOUT: '3601' } })).toThrow('3600');
    const refusal = await refusalOf({ shutdownTimeoutMs: 3_600_001 });
    expect(refusal.message).toBe(
      'shutdownTimeoutMs must be a number from 0 to 3600000, got 3600001',
    );
  });

  it('A20 what readConfig() returns is accepted as it is', async () => {
    const { demo: _demo, ...config } = readConfig({
      env: { WHIRL_API_PORT: '0', WHIRL_GATEWAY: 'off', WHIRL_PROXIES: 'p:1' },
    });
    const server = await startServer(config satisfies ServerOptions);
    onTestFinished(() => server.close());
    expect(server.rotator.size).toBe(1);
  });

  it.each([{ proxies: ['p:1'] }, { proxiesFile: 'list.txt' }])(
    'A12 A20 a demo beside %o is refused, and not started',
    async (pool) => {
      let started = false;
      const demo = () => Promise.reject(new Error(`started: ${(started = true)}`));
      const error = await refusalOf({ ...pool, demo });
      const [name] = Object.keys(pool);
      expect(error).toBeInstanceOf(RangeError);
      expect(error.message).toContain(`demo and ${name} exclude each other: `);
      expect(started).toBe(false);
    },
  );

  it('A20 a URL in the place of a path is shown in no error', async () => {
    const error = await refusalOf({ proxiesFile: 'http://ann:hunter2@h/', gateway: { port: 0 } });
    expect(error.message).toBe('a path that looks like a URL: cannot be read (ENOENT)');
  });
});
