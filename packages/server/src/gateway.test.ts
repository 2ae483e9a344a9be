import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { roundRobin } from '@whirl/selector';
import { startProxy, startTarget } from '@whirl/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import type { ConfigError } from './config-error.ts';
import { readConfig } from './config/read-config.ts';
import { startServer, type Server } from './start-server.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});
function use<T extends { close(): unknown }>(each: T): T {
  open.push(each);
  return each;
}

const config = (env: Record<string, string>) =>
  readConfig({ env: { WHIRL_API_PORT: '0', WHIRL_DEMO: 'off', ...env } });

function issues(env: Record<string, string>): readonly string[] {
  try {
    config(env);
    return [];
  } catch (error) {
    return (error as ConfigError).issues;
  }
}

async function start(env: Record<string, string>): Promise<Server & { gatewayPort: number }> {
  const running = await startServer({ ...config(env), demo: undefined });
  use({ close: () => running.close() });
  return { ...running, gatewayPort: Number(running.gateway?.split(':')[1]) };
}

async function tunnel(port: number, authority: string): Promise<[net.Socket, string]> {
  const socket = net.connect(port, '127.0.0.1');
  use({ close: () => socket.destroy() });
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return [socket, chunk.toString().split('\r\n')[0] as string];
}

/** The status line of the response to a CONNECT. */
const connect = async (port: number, authority: string) => (await tunnel(port, authority))[1];

/** Opens a tunnel and asks its target for something. */
async function askThrough(port: number, authority: string): Promise<void> {
  const [socket] = await tunnel(port, authority);
  socket.write('GET / HTTP/1.1\r\nHost: target\r\nConnection: close\r\n\r\n');
  await once(socket.resume(), 'end');
}

const statusOf = async ({ url }: Server) =>
  (await (await fetch(`${url}/api/v1/status`)).json()) as { gateway: object | null };

describe('the gateway of the server', () => {
  it('W1 serves the pool beside the API; status shows it', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const running = await start({ WHIRL_PROXIES: proxy.url, WHIRL_GATEWAY_PORT: '0' });
    const { gateway, gatewayPort: port } = running;
    const [response] = (await once(
      http.get({ port, path: target.url, agent: false }),
      'response',
    )) as [http.IncomingMessage];
    expect(response.statusCode).toBe(200);
    response.resume();
    expect(await connect(port, `127.0.0.1:${target.port}`)).toBe(
      'HTTP/1.1 200 Connection established',
    );
    expect(await statusOf(running)).toMatchObject({
      gateway: {
        address: gateway,
        needs_password: false,
        tunnels: 1,
        open_tunnels: 1,
        requests: 1,
        failovers: 0,
        failovers_last_hour: 0,
      },
    });
  });

  it('W16 counts failovers, in all and within the hour', async () => {
    const target = use(await startTarget());
    const dead = use(await startProxy({ behaviour: { kind: 'refuse' } }));
    const good = use(await startProxy());
    const running = await start({
      WHIRL_PROXIES: `${dead.url},${good.url}`,
      WHIRL_GATEWAY_PORT: '0',
    });
    const stats = async () => (await statusOf(running)).gateway as Record<string, number>;
    // Which proxy a tunnel tries first is chance.
    for (let i = 0; i < 20 && (await stats())['failovers'] === 0; i++) {
      await askThrough(running.gatewayPort, `127.0.0.1:${target.port}`);
    }
    const { failovers: all, failovers_last_hour: lastHour } = await stats();
    expect(all).toBeGreaterThan(0);
    expect(lastHour).toBe(all);
  });

  it('A10 the command of the welcome sends a request through the pool', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const running = await startServer({
      api: { port: 0 },
      gateway: { port: 0 },
      demo: async () => ({
        proxies: [{ url: proxy.url }],
        targetUrl: target.url,
        rotator: { strategy: roundRobin(), retryPolicy: null, circuitBreaker: {} },
        run() {},
        close: async () => {},
      }),
    });
    use({ close: () => running.close() });
    const [, gateway = '', url] = /^curl -x (\S+) (\S+)$/.exec(running.curl ?? '') ?? [];
    expect(url).toBe(target.url);
    const { port } = new URL(gateway);
    const [response] = (await once(http.get({ port, path: url }), 'response')) as [
      http.IncomingMessage,
    ];
    expect(response.resume().statusCode).toBe(200);
    expect(proxy.stats.requests).toBe(1);
  });

  it('W30 refuses the API and itself as targets, and what the server denies', async () => {
    const { gatewayPort, url } = await start({ WHIRL_GATEWAY_PORT: '0' });
    const { port } = new URL(String(url));
    for (const target of [`127.1:${port}`, `localhost:${gatewayPort}`, '169.254.169.254:80']) {
      expect(await connect(gatewayPort, target)).toBe('HTTP/1.1 403 Forbidden');
    }
  });

  it('W29 requires the credentials that the environment names', async () => {
    const running = await start({
      WHIRL_GATEWAY_PORT: '0',
      WHIRL_GATEWAY_AUTH: 'ann:s3cret\nbob:x,y',
    });
    expect(await connect(running.gatewayPort, 'shop.example:443')).toMatch(/ 407 /);
    expect(await statusOf(running)).toMatchObject({
      gateway: { needs_password: true, refused: 1 },
    });
  });

  it('W35 stops with the server', async () => {
    const { gatewayPort, close } = await start({ WHIRL_GATEWAY_PORT: '0' });
    await close();
    const [error] = (await once(net.connect(gatewayPort, '127.0.0.1'), 'error')) as [Error];
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('can be switched off', async () => {
    const running = await start({ WHIRL_GATEWAY: 'off' });
    expect(running.gateway).toBeUndefined();
    expect(await statusOf(running)).toMatchObject({ gateway: null });
  });

  it('a port that was asked for and is taken stops the start', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    use({ close: () => new Promise((resolve) => taken.close(resolve)) });
    const { port } = taken.address() as net.AddressInfo;
    await expect(start({ WHIRL_GATEWAY_PORT: String(port) })).rejects.toThrow(
      `port ${port} of 127.0.0.1 is in use`,
    );
  });
});

describe('the settings of the gateway', () => {
  it('W2 another address than loopback needs credentials', () => {
    const env = { WHIRL_GATEWAY_HOST: '0.0.0.0' };
    expect(issues(env)).toEqual([
      expect.stringMatching(/^the gateway's host "0\.0\.0\.0" can be reached/),
    ]);
    expect(issues({ ...env, WHIRL_GATEWAY_AUTH: 'ann:x' })).toEqual([]);
    expect(issues({ ...env, WHIRL_GATEWAY: 'off' })).toEqual([]);
  });

  it('W29 credentials are not shown when they are wrong', () => {
    const wrong = issues({ WHIRL_GATEWAY_AUTH: 's3cret' });
    expect(wrong).toEqual([expect.stringMatching(/^WHIRL_GATEWAY_AUTH must be name:password/)]);
    expect(wrong.join()).not.toContain('s3cret');
  });

  it('W9 W29 a name that no client could give, and one that stands twice, are named', () => {
    const key =
      /must have a name without a key of usernames such as "-session-", got "ann-session"$/;
    expect(issues({ WHIRL_GATEWAY_AUTH: 'bob:x\nann-session:s3cret' })).toEqual([
      expect.stringMatching(new RegExp(`^WHIRL_GATEWAY_AUTH\\[1\\] ${key.source}`)),
    ]);
    expect(issues({ WHIRL_GATEWAY_AUTH: 'ann:s3cret\nann:x' })).toEqual([
      'WHIRL_GATEWAY_AUTH[1] must have a name that no entry before it has, got "ann"',
    ]);
    expect(() =>
      readConfig({
        env: { WHIRL_GATEWAY_AUTH_FILE: '/run/secrets/gateway' },
        readFile: () => 'ann-session:s3cret\n',
      }),
    ).toThrow(/^WHIRL_GATEWAY_AUTH_FILE\[0\] must have a name without a key/);
  });

  it('W29 credentials come from a file too', () => {
    const { gateway } = readConfig({
      env: { WHIRL_GATEWAY_AUTH_FILE: '/run/secrets/gateway' },
      readFile: () => 'ann:x\nbob:y\n',
    });
    expect(gateway && gateway.auth).toEqual(['ann:x', 'bob:y']);
    const both = { WHIRL_GATEWAY_AUTH: 'a:b', WHIRL_GATEWAY_AUTH_FILE: '/x' };
    expect(issues(both)).toEqual([expect.stringContaining('exclude each other')]);
  });
});
