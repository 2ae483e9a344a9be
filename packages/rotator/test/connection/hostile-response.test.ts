import { once } from 'node:events';
import net from 'node:net';
import { request as undiciRequest } from 'undici';
import { describe, expect, it } from 'vitest';
import { errorOf } from '../support/pool-rig.ts';
import { failureOf, read, startRotator, use } from '../support/rig.ts';

/** A proxy that does this when a request arrives, and counts its connections. */
async function startRaw(respond: (socket: net.Socket, request: string) => void) {
  const sockets = new Set<net.Socket>();
  const raw = { url: '', id: '', connections: 0, sockets };
  const server = net.createServer((socket) => {
    raw.connections++;
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => respond(socket, chunk.toString('latin1')));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  use({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return Object.assign(raw, { url: `http://127.0.0.1:${port}`, id: `127.0.0.1:${port}` });
}

const once1 = { maxAttempts: 1 } as const;
const head = (status: string, fields = '') => `HTTP/1.1 ${status}\r\n${fields}\r\n`;

describe('C8d what comes behind a 2xx to CONNECT', () => {
  it('is an error of the proxy, after one dial', async () => {
    const proxy = await startRaw((socket) => socket.end(`${head('200 OK')}<html>log in</html>`));
    const rotator = startRotator({ proxies: [proxy.url], tunnel: 'always' });
    const reasons: unknown[] = [];
    rotator.bus.on('attempt:end', ({ reason, blame }) => reasons.push(reason, blame));
    const error = await failureOf(rotator.get('http://t.test/'));
    expect(error).toMatchObject({ code: 'PROXY_CONNECTION', phase: 'connect', reason: 'protocol' });
    expect(error.message).toContain('it sent bytes behind its 200 to CONNECT');
    expect(reasons).toEqual(['protocol', 'proxy']);
    expect(proxy.connections).toBe(1);
  });

  it('a request that was never on the wire is dialled for once, whatever ends the connection', async () => {
    // The banner arrives before the request can be written, in absolute form as well.
    const proxy = await startRaw(() => {});
    const server = net.createServer((socket) => {
      proxy.connections++;
      socket.on('error', () => {});
      socket.write('220 mail.example ESMTP\r\n');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    use(server);
    const { port } = server.address() as net.AddressInfo;
    for (const tunnel of ['auto', 'always'] as const) {
      const rotator = startRotator({
        proxies: [`http://127.0.0.1:${port}`],
        tunnel,
        retryPolicy: { maxAttempts: 1, attemptTimeoutMs: 5000 },
      });
      const before = proxy.connections;
      expect(await failureOf(rotator.get('http://t.test/'))).toMatchObject({
        code: 'PROXY_CONNECTION',
      });
      expect(proxy.connections - before).toBe(1);
    }
  });

  it('bytes behind a SOCKS reply are kept: they reach the parser of the response', async () => {
    let step = 0;
    const proxy = await startRaw((socket) => {
      const early = `${head('200 OK', 'content-length: 5\r\n')}early`;
      if (step++ === 0) socket.write(Buffer.from([5, 0]));
      else
        socket.write(
          Buffer.concat([Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]), Buffer.from(early)]),
        );
    });
    const rotator = startRotator({ proxies: [proxy.url.replace('http', 'socks5h')] });
    const error = await failureOf(rotator.get('http://t.test/'));
    expect(error).toMatchObject({ phase: 'socks', reason: 'protocol' });
    expect(error.message).toContain('bytes came before the request was sent');
    expect(proxy.connections).toBe(1);
  });
});

describe('C8e responses', () => {
  for (const status of [204, 304]) {
    it(`${status} ends with its head, whatever its Content-Length: verbs, fetch, dispatcher`, async () => {
      const proxy = await startRaw((socket) => {
        socket.write(head(`${status} X`, 'ETag: "a"\r\nContent-Length: 1000\r\n'));
      });
      const rotator = startRotator({
        proxies: [proxy.url],
        circuitBreaker: { failureThreshold: 1 },
      });
      const seen: unknown[] = [];
      rotator.bus.on('attempt:end', ({ outcome, blame }) => seen.push(outcome, blame));
      const url = 'http://t.test/';
      expect(await read(rotator.get(url))).toEqual({ statusCode: status, text: '' });
      const response = await rotator.fetch(url);
      expect([response.status, await response.text()]).toEqual([status, '']);
      const { dispatcher } = rotator;
      expect(await read(undiciRequest(url, { dispatcher }))).toEqual({
        statusCode: status,
        text: '',
      });
      await expect.poll(() => seen).toEqual(Array(3).fill(['success', 'none']).flat());
      expect(rotator.proxies()).toMatchObject([{ state: 'closed' }]);
    });
  }

  it('32 interim responses are passed on, the 33rd is a protocol error', async () => {
    let count = 32;
    const proxy = await startRaw((socket) => {
      socket.write(
        head('103 Early Hints').repeat(count) + head('200 OK', 'content-length: 2\r\n') + 'ok',
      );
    });
    const rotator = startRotator({ proxies: [proxy.url] });
    const reasons: unknown[] = [];
    rotator.bus.on('attempt:end', ({ reason }) => reasons.push(reason));
    expect(await read(rotator.get('http://t.test/'))).toEqual({ statusCode: 200, text: 'ok' });
    count = 33;
    expect(await failureOf(rotator.get('http://t.test/'))).toMatchObject({ reason: 'protocol' });
    count = 1e5;
    expect(await failureOf(rotator.get('http://t.test/'))).toMatchObject({ reason: 'protocol' });
    expect(reasons).toEqual([undefined, 'protocol', 'protocol']);
  });

  it('a status below 100 is a protocol error, of proxy or target', async () => {
    for (const status of ['099 X', '001 X', '000 X']) {
      const proxy = await startRaw((socket) => {
        socket.write(head(status, 'content-length: 2\r\n') + 'ok');
      });
      const rotator = startRotator({ proxies: [proxy.url] });
      const seen: unknown[] = [];
      rotator.bus.on('attempt:end', ({ reason, blame }) => seen.push(reason, blame));
      await failureOf(rotator.get('http://t.test/'));
      expect(seen).toEqual(['protocol', 'unknown']);
    }
  });

  it('maxHeaderSize bounds the head of a response, and that of a response to CONNECT', async () => {
    const proxy = await startRaw((socket) => {
      socket.write(head('200 OK', `x: ${'a'.repeat(2000)}\r\ncontent-length: 0\r\n`));
    });
    for (const [maxHeaderSize, good] of [
      [1024, false],
      [4096, true],
    ] as const) {
      const rotator = startRotator({ proxies: [proxy.url], maxHeaderSize });
      const sent = rotator.get('http://t.test/');
      if (good) expect((await sent).statusCode).toBe(200);
      else await expect(sent).rejects.toMatchObject({ cause: { phase: 'headers' } });
      const tunnel = startRotator({ proxies: [proxy.url], maxHeaderSize, tunnel: 'always' });
      const tunnelled = tunnel.get('http://t.test/');
      if (good) expect((await tunnelled).statusCode).toBe(200);
      else expect((await failureOf(tunnelled)).message).toContain('a head of more than 1024 bytes');
    }
    for (const bad of [1023, 1.5, Number.NaN, '64k']) {
      expect(() => startRotator({ maxHeaderSize: bad as never })).toThrow(/maxHeaderSize/);
    }
  });
});

describe('C8f bodyTimeoutMs', () => {
  const chunked = head('200 OK', 'transfer-encoding: chunked\r\n');
  const slow = (between: string, everyMs: number, first = '2\r\nok\r\n') =>
    startRaw((socket) => {
      socket.write(chunked + first);
      const timer = setInterval(() => socket.write(between), everyMs);
      socket.on('close', () => clearInterval(timer));
    });

  it('ends a body that is silent: verbs and fetch; the error names the deadline', async () => {
    const proxy = await slow('', 1000);
    const retryPolicy = { maxAttempts: 3, bodyTimeoutMs: 50 };
    const rotator = startRotator({ proxies: [proxy.url], retryPolicy });
    const ends: unknown[] = [];
    rotator.bus.on('attempt:end', ({ outcome, reason, phase }) =>
      ends.push({ outcome, reason, phase }),
    );
    const { body } = await rotator.get('http://t.test/');
    const error = await errorOf(body.text());
    expect(error).toMatchObject({ code: 'ATTEMPT_TIMEOUT', phase: 'body', proxyId: proxy.id });
    expect(error.message).toContain('no more of the response body');
    const response = await rotator.fetch('http://t.test/');
    expect((await errorOf(response.text())).cause).toMatchObject({ code: 'ATTEMPT_TIMEOUT' });
    expect(ends).toEqual(Array(2).fill({ outcome: 'timeout', reason: 'timeout', phase: 'body' }));
    await expect.poll(() => proxy.sockets.size).toBe(0);
  });

  it('chunk extensions are no progress, content is', async () => {
    const retryPolicy = { maxAttempts: 1, bodyTimeoutMs: 60 };
    const framing = await slow(`;x=${'y'.repeat(100)}`, 5, '2\r\nok\r\n1');
    const rotator = startRotator({ proxies: [framing.url], retryPolicy });
    const { body } = await rotator.get('http://t.test/');
    expect(await errorOf(body.text())).toMatchObject({ code: 'ATTEMPT_TIMEOUT', phase: 'body' });

    let left = 12;
    const dribble = await startRaw((socket) => {
      socket.write(chunked);
      const timer = setInterval(() => {
        if (left-- > 0) socket.write('1\r\nx\r\n');
        else {
          clearInterval(timer);
          socket.write('0\r\n\r\n');
        }
      }, 20);
    });
    const patient = startRotator({
      proxies: [dribble.url],
      retryPolicy: { maxAttempts: 1, bodyTimeoutMs: 200 },
    });
    expect(await read(patient.get('http://t.test/'))).toEqual({
      statusCode: 200,
      text: 'x'.repeat(12),
    });
  });

  it("0 means no bound; undici's own bodyTimeout sets the same deadline, exactly", async () => {
    const proxy = await slow('', 1000);
    const none = startRotator({
      proxies: [proxy.url],
      retryPolicy: { ...once1, bodyTimeoutMs: 0 },
    });
    const { dispatcher } = none;
    const { body } = await undiciRequest('http://t.test/', { dispatcher, bodyTimeout: 40 });
    expect(await errorOf(body.text())).toMatchObject({
      code: 'ATTEMPT_TIMEOUT',
      message: expect.stringContaining('within 40 ms'),
    });
  });

  it('no time passes while the reader holds the body back', async () => {
    const size = 4_000_000;
    const proxy = await startRaw((socket) => {
      socket.write(head('200 OK', `content-length: ${size}\r\n`));
      socket.write(Buffer.alloc(size));
    });
    const rotator = startRotator({
      proxies: [proxy.url],
      retryPolicy: { maxAttempts: 1, bodyTimeoutMs: 300 },
    });
    const { body } = await rotator.get('http://t.test/');
    await new Promise((resolve) => void setTimeout(resolve, 700));
    expect((await body.arrayBuffer()).byteLength).toBe(size);
  });
});

describe('a response that is an error, before the upload has ended', () => {
  it('leaves a connection that serves no further request', async () => {
    const proxy = await startRaw((socket, request) => {
      if (!request.includes('HTTP/1.1\r\n')) return;
      const status = request.startsWith('PUT') ? '413 Too Large' : '200 OK';
      if (status !== '200 OK') socket.pause();
      socket.write(head(status, 'content-length: 2\r\n') + 'no');
    });
    const rotator = startRotator({
      proxies: [proxy.url],
      retryPolicy: { maxAttempts: 1, retryNonIdempotent: true },
    });
    await read(rotator.get('http://t.test/'));
    await read(rotator.put('http://t.test/', { body: Buffer.alloc(20_000_000) }));
    expect(proxy.connections).toBe(1);
    await read(rotator.get('http://t.test/'));
    expect(proxy.connections).toBe(2);
  });
});

describe('A17 hostile peers hold neither the loop nor a deadline', () => {
  const late: [string, (socket: net.Socket) => void][] = [
    ['a flood of chunk extensions', (socket) => flood(socket, `;${'x'.repeat(65_000)}`)],
    ['a head in single bytes', (socket) => flood(socket, 'x')],
  ];
  const flood = (socket: net.Socket, bytes: string) => {
    const timer = setInterval(() => {
      if (socket.writableLength < 1e6) socket.write(bytes);
    }, 0);
    socket.on('close', () => clearInterval(timer));
  };

  for (const [name, send] of late) {
    it(`${name}: the deadline is kept, and other timers fire meanwhile`, async () => {
      const proxy = await startRaw((socket) => {
        socket.write(
          name.includes('chunk')
            ? `${head('200 OK', 'transfer-encoding: chunked\r\n')}1`
            : 'HTTP/1.1 200 OK\r\nx: ',
        );
        send(socket);
      });
      const rotator = startRotator({
        proxies: [proxy.url],
        retryPolicy: { maxAttempts: 1, attemptTimeoutMs: 200, bodyTimeoutMs: 200 },
        maxHeaderSize: 10_000_000,
      });
      let ticks = 0;
      const ticker = setInterval(() => ticks++, 10);
      const start = performance.now();
      const error = await errorOf(rotator.get('http://t.test/').then(({ body }) => body.text()));
      clearInterval(ticker);
      expect(performance.now() - start).toBeLessThan(2000);
      expect(ticks).toBeGreaterThan(3);
      expect(
        String(error.code) + String((error.cause as Error | undefined)?.['code' as never]),
      ).toContain('ATTEMPT_TIMEOUT');
      await expect.poll(() => proxy.sockets.size).toBe(0);
    });
  }
});
