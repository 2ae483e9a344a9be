import { once } from 'node:events';
import net from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ListenError } from './listen-error.ts';
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
});
