import { once } from 'node:events';
import net from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startFixture } from '../testing/fixture.ts';

/**
 * A client that reads, never closes its side, and goes on sending when told. `late`: the server has looked at its
 * clock and found that the request takes too long, which it does every 30 s.
 */
async function stubborn(first: string, forever?: string, { late = false } = {}) {
  const { app } = await startFixture();
  const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
  const accepted = once(app.server, 'connection') as Promise<[net.Socket]>;
  const client = net.connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => {
    client.destroy();
  });
  let answer = '';
  client.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  client.on('error', () => {});
  const told = new Promise((resolve) => client.once('end', resolve).once('close', resolve));
  const [socket] = await accepted;
  client.write(first);
  if (forever !== undefined) {
    const sending = setInterval(() => client.write(forever), 20);
    onTestFinished(() => clearInterval(sending));
  }
  if (late) {
    await once(socket, 'data');
    const slow = new Error('Request timeout') as NodeJS.ErrnoException;
    slow.code = 'ERR_HTTP_REQUEST_TIMEOUT';
    app.server.emit('clientError', slow, socket);
  }
  await once(socket, 'close');
  await told;
  return answer;
}

describe('A17 a client whose connection is to close', () => {
  it('A17 after a 400 the socket is destroyed, though the client never closes', async () => {
    expect(await stubborn('nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('A17 after a 431 the socket is destroyed, though the client goes on sending', async () => {
    const answer = await stubborn(
      `GET / HTTP/1.1\r\nx-long: ${'x'.repeat(40_000)}\r\n`,
      'x: y\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
  });

  it.each([
    ['its head', 'GET / HTTP/1.1\r\nhost: localhost\r\n'],
    [
      'its body',
      'POST /api/v1/proxies HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
    ],
  ])(
    'A17 after a 408 the socket of a client that is slow with %s is destroyed',
    async (_what, first) => {
      const answer = await stubborn(first, undefined, { late: true });
      expect(answer).toMatch(/^HTTP\/1\.1 408 .*"error":"request_too_slow"/s);
      expect(answer).toMatch(/^connection: close\r$/m);
    },
  );

  it('A17 a client has a minute for the head of a request, and two for all of it', async () => {
    const { app } = await startFixture();
    expect([app.server.headersTimeout, app.server.requestTimeout]).toEqual([60_000, 120_000]);
  });

  it.each([
    ['a length', 'content-length: 99999999', '{'],
    ['chunks', 'transfer-encoding: chunked', `80000\r\n${' '.repeat(0x80000)}\r\n`],
  ])('A17 after a 413 of a body with %s the socket is destroyed', async (_what, header, piece) => {
    const head = `POST /api/v1/proxies HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;
    expect(await stubborn(`${head}${header}\r\n\r\n`, piece)).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('A17 after two Host headers the socket is destroyed: what follows is not read', async () => {
    const twice = 'GET /health/live HTTP/1.1\r\nhost: localhost\r\nHost: other\r\n\r\n';
    const answer = await stubborn(`${twice}GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*"error":"duplicate_host"/s);
    expect(answer).toMatch(/^connection: close\r$/m);
    expect(answer).not.toContain(' 200 ');
  });

  it('A8 two Host headers are a 400', async () => {
    const { app } = await startFixture();
    const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
    for (const path of ['/api/v1/status', '/health/live', '/nope']) {
      const client = net.connect(Number(port), '127.0.0.1');
      client.write(
        `GET ${path} HTTP/1.1\r\nhost: localhost\r\nHost: other\r\nconnection: close\r\n\r\n`,
      );
      let answer = '';
      for await (const chunk of client) answer += String(chunk);
      expect(answer).toMatch(/^HTTP\/1\.1 400 .*"error":"duplicate_host"/s);
    }
  });

  it.each([
    ['http://evil.example.com/api/v1/status', 'localhost', /^HTTP\/1\.1 403 .*"forbidden_host"/s],
    ['http://user@localhost/api/v1/status', 'localhost', /^HTTP\/1\.1 403 .*"forbidden_host"/s],
    ['http://localhost/api/v1/status', 'evil.example.com', /^HTTP\/1\.1 200 /],
  ])('A8 the request target %s stands above the Host %s', async (target, host, expected) => {
    const answer = await stubborn(
      `GET ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(expected);
  });

  it('A17 an unknown expectation gets a 417 with a reason, and the socket is destroyed', async () => {
    const head = 'POST /api/v1/proxies HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n';
    const answer = await stubborn(`${head}expect: nonsense\r\n\r\n`, '{}');
    expect(answer).toMatch(/^HTTP\/1\.1 417 .*"error":"expectation_failed"/s);
    expect(answer).toMatch(/^connection: close\r$/m);
    expect(answer).toMatch(/^x-content-type-options: nosniff\r$/m);
  });
});
