import net from 'node:net';
import { describe, expect, it } from 'vitest';
import { exchange, granted, rig, startServer, use } from './support/rig.ts';
import { scripts, type Script } from './support/scripted-proxy.ts';

/** Everything that the socket of a client tells, in its order, once it has read `text` and written `more`. */
async function told(port: number, authority: string, text: string, more = ''): Promise<string[]> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  use({ close: () => socket.destroy() });
  const facts: string[] = [];
  let read = '';
  socket.on('data', (chunk: Buffer) => {
    read += chunk.toString();
    if (read === granted + text && more !== '') socket.write(more);
  });
  socket.on('end', () => {
    facts.push('end');
    socket.end();
  });
  socket.on('error', ({ code }: NodeJS.ErrnoException) => facts.push(code ?? 'error'));
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  await new Promise((resolve) => socket.on('close', resolve));
  expect(read).toBe(granted + text);
  return facts;
}

describe('W21 the client sees how the target ended', () => {
  it('FIN is the end of the stream, and no error', async () => {
    const server = await startServer((socket) => void socket.end('all of it'));
    const { port } = await rig([scripts.pass]);
    expect(await told(port, `127.0.0.1:${server.port}`, 'all of it')).toEqual(['end']);
  });

  it('RST is ECONNRESET, and no end of the stream before it', async () => {
    const server = await startServer((socket) => {
      socket.write('a part');
      socket.once('data', () => socket.resetAndDestroy());
    });
    const { port } = await rig([scripts.pass]);
    const facts = await told(port, `127.0.0.1:${server.port}`, 'a part', 'and the rest?');
    expect(facts).toEqual(['ECONNRESET']);
  });
});

describe('W23 the client sees that a tunnel broke', () => {
  it.each<[string, Script]>([
    ['FIN', scripts.fin(5)],
    ['RST', scripts.rst(5)],
  ])('%s of the proxy behind its 200 is ECONNRESET, and no end of the stream', async (_, bad) => {
    const { port } = await rig([bad, scripts.pass]);
    expect(await told(port, 'shop.example:80', '', 'hello')).toEqual(['ECONNRESET']);
  });
});

/** A SOCKS5 server that replies to every request with this code. */
async function socksThatReplies(code: number): Promise<string> {
  const { port } = await startServer((socket) => {
    socket.once('data', () => {
      socket.write(Buffer.from([5, 0]));
      socket.once('data', () => socket.end(Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0])));
    });
  });
  return `socks5h://127.0.0.1:${port}`;
}

/** The reply to a SOCKS5 request for shop.example:443. */
async function socksReplyOf(port: number): Promise<number> {
  const { text, ended } = await exchange(
    port,
    Buffer.from([5, 1, 0, 5, 1, 0, 3, 12, ...Buffer.from('shop.example'), 1, 187]),
  );
  expect([text.length, text.slice(0, 3), ended]).toEqual([12, '\u0005\u0000\u0005', 'fin']);
  return text.charCodeAt(3);
}

describe('W22 a SOCKS5 client gets the reason why its tunnel was not opened', () => {
  it('1, when no proxy opens it', async () => {
    const { port } = await rig([scripts.status('502 Bad Gateway')]);
    expect(await socksReplyOf(port)).toBe(1);
  });

  it('1, when there is no proxy', async () => {
    const { port } = await rig([], {}, { proxies: [] });
    expect(await socksReplyOf(port)).toBe(1);
  });

  it.each([
    [4, 'the target cannot be reached'],
    [5, 'the target refuses the connection'],
  ])('%i, when the upstream says that %s', async (code) => {
    const { port } = await rig([], {}, { proxies: [await socksThatReplies(code)] });
    expect(await socksReplyOf(port)).toBe(code);
  });

  it('6, when the time is over', async () => {
    const { port } = await rig([scripts.mute]);
    expect(await socksReplyOf(port)).toBe(6);
  });
});
