import http from 'node:http';
import net from 'node:net';
import { openWire, startProxy, startTarget, type FlakyProxy } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { ProxyRotator, type RotatorOptions } from '@whirl/rotator';
import { createGateway, type GatewayOptions } from '../src/index.ts';
import { exchange, startServer, until, use } from './support/rig.ts';

async function start(
  options: GatewayOptions = {},
  rotatorOptions: RotatorOptions = {},
  behaviours: Parameters<typeof startProxy>[0][] = [{}],
): Promise<{ port: number; proxies: FlakyProxy[]; rotator: ProxyRotator }> {
  const proxies = await Promise.all(behaviours.map(async (each) => use(await startProxy(each))));
  const rotator = new ProxyRotator({
    proxies: proxies.map(({ url }) => url),
    retryPolicy: { maxAttempts: 3, failoverDelay: 'none', baseDelayMs: 100 },
    ...rotatorOptions,
  });
  use({ close: () => rotator.destroy() });
  const gateway = createGateway(rotator, { port: 0, ...options });
  use({ close: () => gateway.close({ graceMs: 0 }) });
  await gateway.listen();
  return { port: gateway.address.port, proxies, rotator };
}

/** A target that answers with raw bytes, whatever it is asked. */
async function startRaw(response: string): Promise<{ origin: string; heads: string[] }> {
  const heads: string[] = [];
  const { port } = await startServer((socket) => {
    socket.on('data', (chunk: Buffer) => {
      heads.push(chunk.toString('latin1'));
      socket.end(response, 'latin1');
    });
  });
  return { origin: `http://127.0.0.1:${port}`, heads };
}

/** A request through the gateway with Node's own client. */
function ask(
  port: number,
  url: string,
  options: http.RequestOptions = {},
  body: string | Buffer = '',
): Promise<{ status: number; text: string; response: http.IncomingMessage }> {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, path: url, agent: false, ...options });
    request.on('error', reject).on('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text, response }));
      response.on('error', reject);
    });
    request.end(body);
  });
}

describe('W7 a request in absolute form goes through the dispatcher', () => {
  it('with the retries of the rotator', async () => {
    const target = use(await startTarget());
    const { port, proxies, rotator } = await start({}, {}, [
      { behaviour: { kind: 'reset' } },
      { behaviour: { kind: 'status', statusCode: 503 } },
      {},
    ]);
    const ends: unknown[] = [];
    rotator.bus.on('request:end', (event) => ends.push(event));
    const { status, text } = await ask(port, `${target.origin}/`);
    expect(status).toBe(200);
    expect(text).toContain('"ok":true');
    expect(proxies[2]?.stats.requests).toBe(1);
    await until(() => ends.length > 0);
    expect(ends).toHaveLength(1);
  });

  it('bodies pass both ways, in chunks and with a length', async () => {
    const target = use(await startTarget());
    const { port } = await start();
    const body = 'x'.repeat(300_000);
    for (const headers of [{ 'content-length': String(body.length) }, {}] as const) {
      const options = { method: 'POST', headers: { ...headers, 'content-type': 'text/plain' } };
      const { text } = await ask(port, `${target.origin}/echo`, options, body);
      expect(text).toBe(body);
    }
    const { text } = await ask(port, `${target.origin}/bytes/1000000`);
    expect(text).toHaveLength(1_000_000);
  });

  it('the connection serves further requests, a pipelined one too, and a tunnel then', async () => {
    const target = use(await startTarget());
    const { port } = await start();
    const wire = use(await openWire(port));
    const get = `GET ${target.origin}/bytes/3 HTTP/1.1\r\nHost: a\r\n\r\n`;
    wire.write(get + get);
    await wire.read('aaa');
    await until(() => wire.received.toString().split('\r\n\r\naaa').length === 3);
    wire.write(get);
    await until(() => wire.received.toString().split('\r\n\r\naaa').length === 4);
    expect(target.requests).toBe(3);
  });

  it('hop-by-hop fields, those that Connection names, Proxy-* and X-Whirl-* are removed, both ways', async () => {
    const raw = await startRaw(
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: x-mine, close\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\n' +
        'Proxy-Authenticate: Basic\r\nX-Whirl-Secret: 1\r\nX-Kept: yes\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nok',
    );
    const { port } = await start({}, { tunnel: 'always' });
    const { text } = await exchange(
      port,
      `GET ${raw.origin}/p?q=%20 HTTP/1.1\r\nHost: other.example\r\nConnection: close, X-Secret\r\nX-Secret: 1\r\n` +
        'Proxy-Connection: close\r\nProxy-Foo: 1\r\nTE: trailers\r\nX-Whirl-Session: s\r\nX-Kept: yes\r\n\r\n',
    );
    const head = raw.heads[0]?.toLowerCase() ?? '';
    expect(head).toMatch(/^get \/p\?q=%20 http\/1\.1\r\n/);
    expect(head).toContain(`host: ${raw.origin.slice(7)}`);
    expect(head).toContain('x-kept: yes');
    for (const gone of ['x-secret', 'proxy-', 'te:', 'x-whirl']) expect(head).not.toContain(gone);
    expect(text).toContain('X-Kept: yes');
    expect(text).toContain('Set-Cookie: a=1\r\nSet-Cookie: b=2');
    for (const gone of ['X-Mine', 'Keep-Alive', 'Proxy-Auth', 'X-Whirl']) {
      expect(text).not.toContain(gone);
    }
  });

  it('the URL stands above Host, for the rules and for the target', async () => {
    const raw = await startRaw('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    const { port } = await start({ deny: ['secret.example'] });
    const get = (url: string, host: string) =>
      exchange(port, `GET ${url} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    const denied = await get('http://secret.example/', raw.origin.slice(7));
    expect(denied.text).toMatch(/^HTTP\/1\.1 403 /);
    const passed = await get(`${raw.origin}/`, 'secret.example');
    expect(passed.text).toMatch(/^HTTP\/1\.1 200 /);
    expect(raw.heads.map((head) => /^host: (.*)\r$/im.exec(head)?.[1])).toEqual([
      raw.origin.slice(7),
    ]);
  });

  it('Expect: 100-continue gets its 100 when the body is wanted, any other is refused', async () => {
    const target = use(await startTarget());
    const { port } = await start();
    const wire = use(await openWire(port));
    const head = `POST ${target.origin}/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n`;
    wire.write(`${head}Expect: 100-continue\r\n\r\n`);
    await wire.read('HTTP/1.1 100 Continue\r\n\r\n');
    wire.write('body');
    await wire.read('\r\nbody\r\n');
    const { text } = await exchange(port, `${head}Expect: wonders\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 417 /);
  });

  it('an expectation behind a 100-continue is refused too, in a field of its own as well', async () => {
    const target = use(await startTarget());
    const { port } = await start();
    const head = `POST ${target.origin}/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n`;
    for (const fields of [
      'Expect: 100-continue\r\nExpect: wonders',
      'Expect: 100-continue, wonders',
    ]) {
      const { text } = await exchange(port, `${head}${fields}\r\n\r\n`);
      expect(text).toMatch(/^HTTP\/1\.1 417 /);
    }
    expect(target.requests).toBe(0);
  });

  it('interim responses and trailers pass', async () => {
    const raw = await startRaw(
      'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n' +
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n',
    );
    // Through a tunnel, because the proxy of the test kit passes on neither.
    const { port } = await start({}, { tunnel: 'always' });
    const { text } = await exchange(
      port,
      `GET ${raw.origin}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    );
    expect(text).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>\r\n\r\nHTTP\/1\.1 200 OK/,
    );
    expect(text).toMatch(/\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n$/);
  });

  it('upgrades pass, and what follows goes both ways', async () => {
    const server = http.createServer();
    server.on('upgrade', (request, socket: net.Socket) => {
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n\r\nhello`,
      );
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    use({ close: () => new Promise((resolve) => server.close(resolve)) });
    const { port: target } = server.address() as net.AddressInfo;
    const { port } = await start();
    const wire = use(await openWire(port));
    wire.write(
      `GET http://127.0.0.1:${target}/ HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n`,
    );
    await wire.read('hello');
    expect(wire.received.toString()).toMatch(/^HTTP\/1\.1 101 /);
    expect(wire.received.toString()).toMatch(/Upgrade: echo/i);
    wire.write('and back');
    await wire.read('and back');
    wire.close();
  });

  it.each([
    ['HEAD', 'HEAD', '/bytes/5', 200],
    ['204', 'GET', '/status/204', 204],
    ['304', 'GET', '/status/304', 304],
  ])(
    'a response without a body leaves the connection in order: %s',
    async (_, method, path, code) => {
      const target = use(await startTarget());
      const { port } = await start();
      const wire = use(await openWire(port));
      wire.write(`${method} ${target.origin}${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await wire.read('\r\n\r\n');
      expect(wire.received.toString()).toMatch(new RegExp(`^HTTP/1\\.1 ${code} `));
      const before = wire.received.length;
      wire.write(`GET ${target.origin}/bytes/3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      await wire.ended;
      expect(wire.received.subarray(before).toString()).toMatch(/^HTTP\/1\.1 200 .*aaa$/s);
    },
  );

  it('HTTP/1.0 gets a body that ends with the connection, never chunks', async () => {
    const raw = await startRaw(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    );
    const { port } = await start();
    const { text, ended } = await exchange(port, `GET ${raw.origin}/ HTTP/1.0\r\n\r\n`);
    expect(text).toMatch(/\r\n\r\nok$/);
    expect(text.toLowerCase()).not.toContain('transfer-encoding');
    expect(ended).toBe('fin');
  });

  it('https:// is refused with 400', async () => {
    const { port, proxies } = await start();
    const { text } = await exchange(
      port,
      'GET https://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n',
    );
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain('CONNECT');
    expect(proxies[0]?.stats.requests).toBe(0);
  });

  it('a body that breaks its own framing is refused, and its request is not completed', async () => {
    const target = use(await startTarget());
    const { port } = await start();
    const { text, ended } = await exchange(
      port,
      `POST ${target.origin}/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n`,
    );
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(ended).toBe('fin');
    expect(target.requests).toBe(0);
  });

  it('a response that breaks off ends in RST', async () => {
    let tear = () => {};
    const server = await startServer((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'));
      tear = () => void socket.destroy();
    });
    const { port } = await start({}, { retryPolicy: { maxAttempts: 1 } });
    const wire = use(await openWire(port));
    wire.write(`GET http://127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: a\r\n\r\n`);
    // Read before the reset comes: together with data, a reader could take it for an end.
    await wire.read('half');
    tear();
    expect(await wire.ended).toBe('reset');
  });
});

describe('W22 a failed request in absolute form', () => {
  it('502 with the number of attempts, without a body for HEAD', async () => {
    const { port } = await start({}, {}, [{ behaviour: { kind: 'reset' } }]);
    const { status, text, response } = await ask(port, 'http://shop.example/');
    expect(status).toBe(502);
    expect(JSON.parse(text)).toMatchObject({ error: 'tunnel_failed', attempts: 3 });
    expect(response.headers['proxy-status']).toMatch(/^whirl; error=/);
    const head = await ask(port, 'http://shop.example/', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 502, text: '' });
  });

  it('503 with Retry-After when every circuit is open', async () => {
    const { port, rotator } = await start();
    for (const id of rotator.proxyIds()) rotator.forceOpenCircuitBreaker(id);
    expect(await ask(port, 'http://shop.example/')).toMatchObject({ status: 503 });
    rotator.setProxies([]);
    expect(await ask(port, 'http://shop.example/')).toMatchObject({ status: 503 });
  });

  it('504 when the time of the whole request is over', async () => {
    const { port } = await start({}, { retryPolicy: { timeoutMs: 100 } }, [
      { behaviour: { kind: 'hang' } },
    ]);
    expect(await ask(port, 'http://shop.example/')).toMatchObject({ status: 504 });
  });
});

describe('W24 a client that leaves', () => {
  it('frees its request, blaming no proxy', async () => {
    const { port, proxies, rotator } = await start({}, {}, [{ behaviour: { kind: 'hang' } }]);
    const outcomes: string[] = [];
    rotator.bus.on('attempt:end', ({ blame }) => outcomes.push(blame));
    const wire = await openWire(port);
    wire.write('GET http://shop.example/ HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => proxies[0]?.stats.requests === 1);
    wire.close();
    await until(() => outcomes.length === 1);
    expect(outcomes).toEqual(['caller']);
    expect(rotator.inFlight()).toEqual([]);
  });
});

describe('W31 loops', () => {
  it('a request whose Via names this instance gets 508', async () => {
    const target = use(await startTarget());
    const { port } = await start();
    await ask(port, `${target.origin}/`, { headers: { via: '1.1 other.example' } });
    const via = target.received[0]?.headers.via as string;
    expect(via).toMatch(/^1\.1 other\.example, 1\.1 whirl-[0-9a-f]{12}$/);
    expect(await ask(port, `${target.origin}/`, { headers: { via } })).toMatchObject({
      status: 508,
    });
    expect(target.requests).toBe(1);
  });

  it('without via nothing shows the gateway', async () => {
    const target = use(await startTarget());
    const { port } = await start({ via: false });
    await ask(port, `${target.origin}/`);
    expect(target.received[0]?.headers.via).toBeUndefined();
  });

  it('a pool that contains the gateway itself is refused', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port: free } = taken.address() as net.AddressInfo;
    await new Promise((resolve) => taken.close(resolve));
    const rotator = new ProxyRotator({ proxies: [`http://localhost:${free}`] });
    use({ close: () => rotator.destroy() });
    const gateway = createGateway(rotator, { port: free });
    await expect(gateway.listen()).rejects.toThrow(/is this gateway itself/);
    const { port, rotator: own } = await start();
    own.addProxy(`http://127.0.0.1:${port}`);
    expect(await ask(port, 'http://shop.example/')).toMatchObject({ status: 508 });
    own.removeProxy(`127.0.0.1:${port}`);
    const target = use(await startTarget());
    expect(await ask(port, `${target.origin}/`)).toMatchObject({ status: 200 });
  });
});
