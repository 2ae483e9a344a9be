import { once } from 'node:events';
import net from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startFixture } from '../testing/fixture.ts';

/** A client that reads, never closes its side, and goes on sending when told. */
async function stubborn(first: string, forever?: string) {
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
  await once(socket, 'close');
  await told;
  return answer;
}

describe('A17 a client that is told to go away', () => {
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
    ['a length', 'content-length: 99999999', '{'],
    ['chunks', 'transfer-encoding: chunked', `80000\r\n${' '.repeat(0x80000)}\r\n`],
  ])('A17 after a 413 of a body with %s the socket is destroyed', async (_what, header, piece) => {
    const head = `POST /api/v1/proxies HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;
    expect(await stubborn(`${head}${header}\r\n\r\n`, piece)).toMatch(/^HTTP\/1\.1 413 /);
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
});
