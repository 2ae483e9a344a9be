import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { inspect } from 'node:util';
import { startTarget } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import {
  InvalidProxyError,
  parseProxy,
  ProxyRotator,
  type RotatorOptions,
} from '../../src/index.ts';
import { schemesIn } from '../../src/connection/connect-refusal.ts';
import { errorOf, fast } from '../support/pool-rig.ts';
import { use } from '../support/rig.ts';

/** A proxy of the test's own: it writes down what it was sent, and responds as told. */
async function listen(respond: (request: string, socket: net.Socket) => void) {
  const requests: string[] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    let head = '';
    socket
      .on('error', () => {})
      .on('data', (chunk) => {
        head += chunk.toString('latin1');
        if (!head.includes('\r\n\r\n')) return;
        requests.push(head);
        const request = head;
        head = '';
        respond(request, socket);
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  use({
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return { requests, port: (server.address() as net.AddressInfo).port };
}

function rotatorFor(ports: readonly number[], options: RotatorOptions = {}, proxy: object = {}) {
  const proxies = ports.map((port, i) => ({
    id: `p${i}`,
    url: `http://127.0.0.1:${port}`,
    username: 'user',
    password: 'hunter2',
    ...proxy,
  }));
  const rotator = new ProxyRotator({ proxies, retryPolicy: null, ...options });
  use({ close: () => rotator.destroy() });
  return rotator;
}

const basic = Buffer.from('user:hunter2').toString('base64');

describe('C6c the error of a refused CONNECT has the reason', () => {
  it('its headers and the beginning of its body are on the error, secrets removed', async () => {
    const { port } = await listen((_, socket) => {
      socket.write(
        'HTTP/1.1 403 Forbidden\r\nX-Reason: quota\r\nX-Echo: hunter2\r\nVia: a\r\nVia: b\r\n' +
          `X-Auth: Basic ${basic}\r\nContent-Length: 40\r\n\r\nno more `,
      );
      socket.write(`quota for user:hunter2, ${basic}`.padEnd(32).slice(0, 32));
    });
    const error = await errorOf(rotatorFor([port]).get('https://t.test/'));
    const cause = error['cause'] as Record<string, unknown>;
    expect(cause).toMatchObject({
      code: 'PROXY_CONNECTION',
      statusCode: 403,
      connectHeaders: {
        'x-reason': 'quota',
        'x-echo': '***',
        'x-auth': '***',
        via: ['a', 'b'],
      },
    });
    expect(cause['connectBody']).toMatch(/^no more quota for user:\*\*\*, /);
    expect(inspect(error, { depth: Infinity })).not.toContain('hunter2');
  });

  it.each([
    ['cut at 4 KiB', `Content-Length: 9000\r\n\r\n${'x'.repeat(9000)}`, 'x'.repeat(4096)],
    ['none', 'Content-Length: 0\r\n\r\n', ''],
    [
      'in chunks',
      'Transfer-Encoding: chunked\r\n\r\n3\r\nout\r\n4\r\n of \r\n0\r\n\r\n',
      'out of ',
    ],
    ['of no length, and the connection stays open', '\r\nso far', 'so far'],
  ])('a body %s', async (_, rest, expected) => {
    const { port } = await listen((__, socket) => socket.write(`HTTP/1.1 502 Bad\r\n${rest}`));
    const error = await errorOf(rotatorFor([port]).get('https://t.test/'));
    expect(error['cause']).toMatchObject({ statusCode: 502, connectBody: expected });
  });

  it('a body that ends with the connection', async () => {
    const { port } = await listen((_, socket) => {
      socket.write('HTTP/1.0 503 Busy\r\nRetry-After: 7\r\n\r\nall ');
      setImmediate(() => socket.end('busy'));
    });
    const error = await errorOf(rotatorFor([port]).get('https://t.test/'));
    expect(error['cause']).toMatchObject({ retryAfterMs: 7000, connectBody: 'all busy' });
  });

  it('an end without a reset, or a reset, behind the head changes nothing of the refusal', async () => {
    const { port } = await listen((_, socket) => {
      socket.write('HTTP/1.1 429 Slow\r\n\r\n');
      setImmediate(() => socket.resetAndDestroy());
    });
    const error = await errorOf(rotatorFor([port]).get('https://t.test/'));
    expect(error['cause']).toMatchObject({ code: 'PROXY_CONNECTION', statusCode: 429 });
  });
});

describe('C6b ProxyAuthenticationError names what the proxy asks for', () => {
  it.each([
    [['Basic realm="x"'], true, ['Basic'], 'it refused the credentials (it asks for Basic)'],
    [['Basic realm="x"'], false, ['Basic'], 'it asks for Basic, and no credentials are given'],
    [
      ['Digest realm="a, Basic b", nonce="\\"n, NTLM"', 'NTLM'],
      true,
      ['Digest', 'NTLM'],
      'it asks for Digest, NTLM, and whirl speaks Basic only',
    ],
    [['Bearer'], false, ['Bearer'], 'it asks for Bearer: a token can be given in proxyHeaders'],
    [[], true, [], 'it refused the credentials'],
  ])('%j', async (challenges, given, schemes, why) => {
    const fields = challenges.map((each) => `Proxy-Authenticate: ${each}\r\n`).join('');
    const { port } = await listen((_, socket) =>
      socket.write(`HTTP/1.1 407 No\r\n${fields}Content-Length: 0\r\n\r\n`),
    );
    const credentials = given ? {} : { username: undefined, password: undefined };
    const error = await errorOf(rotatorFor([port], {}, credentials).get('https://t.test/'));
    expect(error).toMatchObject({ code: 'PROXY_AUTHENTICATION', statusCode: 407, schemes });
    expect(error.message).toBe(`p0 responded to CONNECT with 407: ${why}`);
    expect(error['connectHeaders']).toHaveProperty('content-length', '0');
  });

  it('C6 a 401 to CONNECT is the same', async () => {
    const { port } = await listen((_, socket) =>
      socket.write('HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n'),
    );
    const error = await errorOf(rotatorFor([port]).get('https://t.test/'));
    expect(error).toMatchObject({
      code: 'PROXY_AUTHENTICATION',
      statusCode: 401,
      schemes: ['Basic'],
    });
  });

  const wanting = 'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n';

  it('in absolute form too', async () => {
    const { port } = await listen((_, socket) => socket.write(wanting));
    const error = await errorOf(rotatorFor([port]).get('http://t.test/'));
    expect(error).toMatchObject({ code: 'PROXY_AUTHENTICATION', schemes: ['Basic'] });
    expect(error.message).toContain('it refused the credentials');
  });

  it('in absolute form a 407 that asks for nothing is a failure of the route', async () => {
    const { port } = await listen((_, socket) =>
      socket.write('HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n'),
    );
    const rotator = rotatorFor([port, port], { retryPolicy: fast });
    const blames: string[] = [];
    rotator.bus.on('attempt:end', ({ blame, reason }) => blames.push(`${blame} ${reason}`));
    const error = await errorOf(rotator.get('http://t.test/'));
    expect(error).toMatchObject({ code: 'RETRIES_EXHAUSTED', cause: { statusCode: 407 } });
    expect(blames).toEqual(['route status', 'route status', 'route status']);
    expect([...rotator.getCircuitBreakerStates().values()].map(({ state }) => state)).toEqual([
      'closed',
      'closed',
    ]);
  });

  it('so is one of a proxy that took the same credentials within the last minute', async () => {
    let refuses = false;
    let now = 1_000_000;
    const { port } = await listen((_, socket) =>
      socket.write(refuses ? wanting : 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
    );
    const rotator = rotatorFor([port], { now: () => now });
    await (await rotator.get('http://t.test/')).body.dump();
    refuses = true;
    now += 59_999;
    const route = await errorOf(rotator.get('http://t.test/'));
    expect(route).toMatchObject({ cause: { code: 'PROXY_CONNECTION', statusCode: 407 } });
    now += 1;
    expect(await errorOf(rotator.get('http://t.test/'))).toMatchObject({
      code: 'PROXY_AUTHENTICATION',
    });
  });

  it('other credentials are not those that it took', async () => {
    let refuses = false;
    const { port } = await listen((_, socket) =>
      socket.write(refuses ? wanting : 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
    );
    const rotator = rotatorFor([port]);
    await (await rotator.get('http://t.test/')).body.dump();
    refuses = true;
    const url = `http://user:other@127.0.0.1:${port}`;
    rotator.setProxies([{ id: 'p0', url }]);
    expect(await errorOf(rotator.get('http://t.test/'))).toMatchObject({
      code: 'PROXY_AUTHENTICATION',
    });
  });

  it('A17 of a challenge no more than 16 KiB are read', () => {
    expect(schemesIn([`${' '.repeat(16_379)}Basic`])).toEqual(['Basic']);
    for (const hostile of ['"\\', '",', 'a,', 'a =,', ' ', '"', '\\"']) {
      const text = hostile.repeat(1_048_576 / hostile.length);
      expect(schemesIn([`${text}, Basic`])).toEqual(schemesIn([text.slice(0, 16_384)]));
    }
  });
});

describe('C6c proxyHeaders', () => {
  const tunnelled = 'HTTP/1.1 200 OK\r\n\r\n';

  it("CONNECT carries the rotator's and the proxy's own, the latter first; the target sees none", async () => {
    const target = use(await startTarget());
    const { requests, port } = await listen((request, socket) => {
      if (!request.startsWith('CONNECT')) return;
      const upstream = net.connect(Number(new URL(target.origin).port), '127.0.0.1');
      use({ close: async () => void upstream.destroy() });
      upstream.on('error', () => {});
      socket.write(tunnelled);
      socket.removeAllListeners('data').pipe(upstream).pipe(socket);
    });
    const rotator = rotatorFor(
      [port],
      { tunnel: 'always', proxyHeaders: { 'X-Zone': 'all', 'X-Session': 's1' } },
      { proxyHeaders: { 'x-zone': 'eu', 'Proxy-Authorization': 'Bearer token-17' } },
    );
    await (await rotator.get(target.url)).body.dump();
    expect(requests[0]?.split('\r\n').slice(2)).toEqual([
      'x-zone: eu',
      'Proxy-Authorization: Bearer token-17',
      'X-Session: s1',
      '',
      '',
    ]);
    const { headers } = target.received[0] as { headers: http.IncomingHttpHeaders };
    expect(Object.keys(headers).filter((name) => /zone|session|proxy/.test(name))).toEqual([]);
  });

  it("in absolute form they stand beside the request's, in the place of its own of that name", async () => {
    const { requests, port } = await listen((_, socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
    );
    const rotator = rotatorFor([port], { proxyHeaders: { 'X-Zone': 'all' } });
    const response = await rotator.get('http://t.test/', {
      headers: { 'x-zone': 'mine', 'x-own': '1' },
    });
    await response.body.dump();
    const fields = requests[0]
      ?.split('\r\n')
      .slice(1)
      .filter((line) => /^(x-|proxy)/i.test(line));
    expect(fields).toEqual(['x-own: 1', 'X-Zone: all', `Proxy-Authorization: Basic ${basic}`]);
  });

  it('they are not shown anywhere', async () => {
    const { port } = await listen((request, socket) =>
      socket.end(`HTTP/1.1 403 No\r\n\r\nyou sent ${request}`),
    );
    const proxyHeaders = { 'Proxy-Authorization': 'Bearer token-17', 'X-Api-Key': 'key-18' };
    const log: unknown[] = [];
    const write = (...line: unknown[]) => void log.push(line);
    const logger = { debug: write, info: write, warn: write, error: write };
    const rotator = rotatorFor([port], { proxyHeaders, logger }, { proxyHeaders });
    const facts: unknown[] = [];
    rotator.bus.on('*', (...fact) => facts.push(fact));
    const error = await errorOf(rotator.get('https://t.test/'));
    expect((error['cause'] as Record<string, unknown>)['connectBody']).toContain('X-Api-Key: ***');
    const parsed = parseProxy({ url: 'http://127.0.0.1:1', proxyHeaders });
    const seen = [error, facts, log, rotator, rotator.dispatcher, rotator.proxies(), parsed];
    for (const each of seen) {
      const shown = inspect(each, { depth: Infinity, showHidden: true }) + JSON.stringify(each);
      expect(shown).not.toMatch(/token-17|key-18|hunter2/);
    }
  });

  it('another value means other connections', async () => {
    const { requests, port } = await listen((_, socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
    );
    const rotator = rotatorFor([port], {}, { proxyHeaders: { 'x-exit': 'a' } });
    await (await rotator.get('http://t.test/')).body.dump();
    rotator.setProxies([{ id: 'p0', url: `127.0.0.1:${port}`, proxyHeaders: { 'x-exit': 'b' } }]);
    await (await rotator.get('http://t.test/')).body.dump();
    expect(requests.map((request) => /x-exit: (.)/.exec(request)?.[1])).toEqual(['a', 'b']);
  });

  it.each([
    ['Bearer secret', 'proxyHeaders must be an object of names and values, got a string'],
    [{ Host: 'secret' }, 'proxyHeaders must not hold "host": it belongs to the connection'],
    [{ 'X-A': 5 }, 'proxyHeaders: "x-a" must be a string, got number'],
    [{ 'X-A': 'a\r\nsecret: b' }, 'proxyHeaders: "x-a" is not a valid HTTP header'],
    [{ 'X A': 'secret' }, 'proxyHeaders: a name that is not shown is not a valid HTTP header'],
    [{ 'X-A': 'secret', 'x-a': 'secret' }, 'proxyHeaders holds "x-a" twice'],
  ])('%j is refused without its value', (proxyHeaders, message) => {
    expect(() => new ProxyRotator({ proxyHeaders } as never)).toThrow(new TypeError(message));
    expect(() => parseProxy({ url: 'http://h:1', proxyHeaders } as never)).toThrow(
      new InvalidProxyError(message),
    );
  });

  it('a SOCKS proxy has no headers', () => {
    expect(() => parseProxy({ url: 'socks5://h:1', proxyHeaders: { 'x-a': '1' } })).toThrow(
      'proxyHeaders go with http and https proxies',
    );
  });
});
