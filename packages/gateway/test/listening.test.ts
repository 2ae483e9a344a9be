import { openWire, startTarget } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { createGateway } from '../src/index.ts';
import { exchange, granted, rig, startServer, tunnelTo, use } from './support/rig.ts';
import { scripts } from './support/scripted-proxy.ts';

const connect = (authority: string, fields = '') =>
  `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${fields}\r\n`;
const status = (text: string) => text.slice(9, 12);

describe('W1 one port speaks HTTP and SOCKS5', () => {
  it('told apart by the first byte', async () => {
    const target = await startServer((socket) => void socket.pipe(socket));
    const { port } = await rig([scripts.pass]);
    const http = await tunnelTo(port, `127.0.0.1:${target.port}`);
    http.write('over http');
    await http.read('over http');
    const socks = use(await openWire(port));
    socks.write(Buffer.from([5, 1, 0]));
    await socks.read(2);
    socks.write(Buffer.from([5, 1, 0, 1, 127, 0, 0, 1, target.port >> 8, target.port & 255]));
    expect((await socks.read(12)).toString('hex')).toBe('050005000001000000000000');
    socks.write('over socks');
    await socks.read('over socks');
  });

  it.each([
    ['SOCKS4', Buffer.from([4, 1, 0, 80, 127, 0, 0, 1, 0])],
    ['a lower-case letter', Buffer.from('get / HTTP/1.1\r\n\r\n')],
    ['a line feed', Buffer.from('\r\n\r\n')],
    ['SSH', Buffer.from([0, 0, 0, 1])],
  ])('%s is closed without a response', async (_, bytes) => {
    const { port, gateway } = await rig([scripts.pass]);
    expect((await exchange(port, bytes)).text).toBe('');
    expect(gateway.stats()).toMatchObject({ refused: 1 });
  });

  it('a ClientHello gets a message to write http://', async () => {
    const { port } = await rig([scripts.pass]);
    const { text, ended } = await exchange(port, Buffer.from([22, 3, 1, 2, 0, 1, 0]));
    expect(status(text)).toBe('400');
    expect(text).toContain('write http:// in its URL');
    expect(ended).toBe('fin');
  });
});

describe('W2 an address that is not loopback needs credentials', () => {
  it.each(['0.0.0.0', '::', '192.0.2.1', 'proxy.example'])('%s', async (host) => {
    const { rotator } = await rig([]);
    expect(() => createGateway(rotator, { host })).toThrow(/auth must hold at least one/);
    expect(() => createGateway(rotator, { host, auth: [] })).toThrow(RangeError);
    expect(() => createGateway(rotator, { host, auth: ['ann:s3cret'] })).not.toThrow();
  });

  it.each(['127.0.0.1', '127.9.9.9', '::1', 'localhost'])('%s does not', async (host) => {
    const { rotator } = await rig([]);
    expect(() => createGateway(rotator, { host })).not.toThrow();
  });
});

describe('W3 a head has to come, in time and in bounds', () => {
  it('before anything is selected', async () => {
    const { port, connects, rotator } = await rig([scripts.pass], { headTimeoutMs: 100 });
    const started: unknown[] = [];
    rotator.bus.on('request:start', (event) => started.push(event));
    const { text } = await exchange(port, 'CONNECT shop.example:443 HTTP/1.1\r\nHost:');
    expect(status(text)).toBe('408');
    expect(connects()).toEqual([0]);
    expect(started).toEqual([]);
  });

  it('a silent client, and half a SOCKS greeting, are closed', async () => {
    const { port } = await rig([scripts.pass], { headTimeoutMs: 100 });
    expect((await exchange(port)).text).toBe('');
    expect((await exchange(port, Buffer.from([5]))).text).toBe('');
    expect((await exchange(port, Buffer.from([5, 1, 0]))).text).toBe('\u0005\u0000');
  });

  it('one over 16 KiB gets 431', async () => {
    const { port, connects } = await rig([scripts.pass]);
    const { text } = await exchange(port, connect('a.example:1', `X: ${'x'.repeat(16_384)}\r\n`));
    expect(status(text)).toBe('431');
    expect(connects()).toEqual([0]);
  });
});

describe('W4 CONNECT', () => {
  it('W5 the response has neither Content-Length nor Transfer-Encoding', async () => {
    const target = await startServer((socket) => void socket.pipe(socket));
    const { port } = await rig([scripts.pass]);
    const wire = await tunnelTo(port, `127.0.0.1:${target.port}`);
    expect(wire.received.toString()).toBe(granted);
  });

  it('W4 no byte behind the head is lost, in whatever segments it comes', async () => {
    const target = await startServer((socket) => void socket.pipe(socket));
    const { port } = await rig([scripts.pass]);
    const authority = `127.0.0.1:${target.port}`;
    const bytes = `${connect(authority)}first`;
    for (const at of [1, 20, bytes.length - 6, bytes.length - 4, bytes.length]) {
      const wire = use(await openWire(port));
      wire.write(bytes.slice(0, at));
      await new Promise((resolve) => setImmediate(resolve));
      wire.write(`${bytes.slice(at)}, second`);
      expect((await wire.read('second')).toString()).toBe(`${granted}first, second`);
    }
  });

  it.each([
    'shop.example',
    'shop.example:0',
    'shop.example:443/path',
    'http://shop.example:443',
    'ann:s3cret@shop.example:443',
    '2001:db8::7:443',
    'shop.example:443\u0001',
    'shop example:443',
  ])('W4 %j is refused with 400, and nothing is dialled', async (authority) => {
    const { port, connects } = await rig([scripts.pass]);
    const { text, ended } = await exchange(port, connect(authority));
    expect(status(text)).toBe('400');
    expect(text).not.toContain('s3cret');
    expect(ended).toBe('fin');
    expect(connects()).toEqual([0]);
  });

  it.each(['Content-Length: 0', 'Transfer-Encoding: chunked'])(
    'W4 %s is refused',
    async (field) => {
      const { port, connects } = await rig([scripts.pass]);
      const { text } = await exchange(port, connect('shop.example:443', `${field}\r\n`));
      expect(status(text)).toBe('400');
      expect(connects()).toEqual([0]);
    },
  );

  it('W4 an IPv6 address and a name go upstream as they are', async () => {
    const { port, proxies } = await rig([scripts.says('hi')]);
    for (const authority of ['[2001:db8::7]:443', 'no-such-name.example:8443']) {
      await tunnelTo(port, authority);
    }
    expect(proxies[0]?.tunnels.map(({ authority }) => authority)).toEqual([
      '[2001:db8::7]:443',
      'no-such-name.example:8443',
    ]);
  });
});

describe('W6 SOCKS5', () => {
  const greet = Buffer.from([5, 1, 0]);
  const ask = (command: number, host: string, port: number) =>
    Buffer.concat([
      Buffer.from([5, command, 0, 3, host.length]),
      Buffer.from(host),
      Buffer.from([port >> 8, port & 255]),
    ]);

  it('names go upstream unresolved', async () => {
    const { port, proxies } = await rig([scripts.says('hi')]);
    const wire = use(await openWire(port));
    wire.write(Buffer.concat([greet, ask(1, 'no-such-name.example', 8443)]));
    await wire.read('hi');
    expect(proxies[0]?.tunnels[0]?.authority).toBe('no-such-name.example:8443');
  });

  it('all at once, with the first bytes of the tunnel behind', async () => {
    const target = await startServer((socket) => void socket.pipe(socket));
    const { port } = await rig([scripts.pass]);
    const wire = use(await openWire(port));
    wire.write(Buffer.concat([greet, ask(1, '127.0.0.1', target.port), Buffer.from('early')]));
    expect((await wire.read('early')).length).toBe(17);
  });

  it.each([
    [2, 7],
    [3, 7],
  ])('command %i gets the reply %i', async (command, code) => {
    const { port, connects } = await rig([scripts.pass]);
    const { text } = await exchange(port, Buffer.concat([greet, ask(command, 'a.example', 1)]));
    expect(text.charCodeAt(3)).toBe(code);
    expect(connects()).toEqual([0]);
  });

  it('the method "none" is refused where credentials are configured', async () => {
    const { port } = await rig([scripts.pass], { auth: ['ann:s3cret'] });
    expect((await exchange(port, greet)).text).toBe('\u0005\u00ff');
  });
});

describe('W8 the origin form is never forwarded', () => {
  it.each(['/', '/index.html', '*'])('%s, whatever the Host field holds', async (target) => {
    const server = use(await startTarget());
    const { port, connects } = await rig([scripts.pass]);
    const host = `127.0.0.1:${server.port}`;
    const { text, ended } = await exchange(
      port,
      `OPTIONS ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    );
    expect(status(text)).toBe('400');
    expect(text).toContain('this is a proxy');
    expect(text).toContain('Connection: close');
    expect(ended).toBe('fin');
    expect(server.requests).toBe(0);
    expect(connects()).toEqual([0]);
  });
});

describe('W33 strict heads', () => {
  it.each([
    ['obs-fold', 'GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\nX: a\r\n b\r\n\r\n'],
    ['a bare CR', 'GET http://a.example/ HTTP/1.1\r\nHost: a\rb\r\n\r\n'],
    ['a bare LF', 'GET http://a.example/ HTTP/1.1\nHost: a.example\n\n'],
    ['NUL', 'GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\nX: \u0000\r\n\r\n'],
    ['a space before the colon', 'GET http://a.example/ HTTP/1.1\r\nHost : a.example\r\n\r\n'],
    ['two Hosts', 'GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\nHost: b\r\n\r\n'],
    [
      'two lengths',
      'POST http://a.example/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx',
    ],
    [
      'a length beside chunks',
      'POST http://a.example/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
  ])('%s: 400 and close, and what stands behind is not served', async (_, bytes) => {
    const { port, connects } = await rig([scripts.pass]);
    const { text, ended } = await exchange(port, `${bytes}${connect('shop.example:443')}`);
    expect(status(text)).toBe('400');
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(ended).toBe('fin');
    expect(connects()).toEqual([0]);
  });
});

describe('options', () => {
  it.each<[object, RegExp]>([
    [{ port: 65_536 }, /port must be an integer from 0 to 65535, got 65536/],
    [{ port: '8001' }, /port must be an integer from 0 to 65535, got "8001"/],
    [{ prot: 1 }, /unknown option "prot": did you mean "port"\?/],
    [{ auth: 'ann:s3cret' }, /auth must be an array/],
    [{ auth: ['s3cret'] }, /auth\[0\] must be "name:password"/],
    [{ auth: ['ann:'] }, /auth\[0\] must be "name:password"/],
    [{ auth: ['ann-session-1:x'] }, /auth\[0\] must have a name without a key/],
    [{ auth: ['my-session:x'] }, /auth\[0\] must have a name without a key/],
    [
      { auth: ['ann:x', 'ann:y'] },
      /auth\[1\] must have a name that no entry before it has, got "ann"/,
    ],
    [{ replay: 'all' }, /replay must be "tls", "http" or "none"/],
    [{ quietMs: 0 }, /quietMs must be a number ≥ 1 or Infinity, got 0/],
    [{ idleMs: Number.NaN }, /idleMs must be a number ≥ 1 or Infinity, got NaN/],
    [{ maxPerClient: 0 }, /maxPerClient must be an integer ≥ 1, got 0/],
    [{ via: 1 }, /via must be true or false/],
    [{ allow: ['a b'] }, /allow\[0\] must be/],
    [{ ownAddresses: ['api'] }, /ownAddresses\[0\] must be "host:port"/],
    [{ host: '' }, /host must be/],
  ])('%j is refused by name', async (options, reason) => {
    const { rotator } = await rig([]);
    expect(() => createGateway(rotator, options as object)).toThrow(reason);
    expect(() => createGateway(rotator, options as object)).not.toThrow(/s3cret/);
  });
});
