import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import net from 'node:net';
import { openWire, startProxy, startTarget } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { createGateway } from '../src/index.ts';
import { exchange, granted, rig, startServer, tunnelTo, until, use } from './support/rig.ts';
import { scripts } from './support/scripted-proxy.ts';

const hi = scripts.says('220 hi\r\n');
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
const connect = (authority: string, fields = '') =>
  `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${fields}\r\n`;
const status = (text: string) => Number(text.slice(9, 12));
const socksTo = (host: string, port: number) =>
  Buffer.concat([
    Buffer.from([5, 1, 0, 3, host.length]),
    Buffer.from(host),
    Buffer.from([port >> 8, port & 255]),
  ]);
const socksLogin = (user: string, password: string) =>
  Buffer.concat([
    Buffer.from([5, 1, 2, 1, user.length]),
    Buffer.from(user),
    Buffer.from([password.length]),
    Buffer.from(password),
  ]);

describe('W29 credentials', () => {
  const auth = ['ann:s3cret'];
  const wrong: [string, string][] = [
    ['none', ''],
    ['a wrong password', `Proxy-Authorization: ${basic('ann:wrong')}\r\n`],
    ['another name', `Proxy-Authorization: ${basic('eve:s3cret')}\r\n`],
    ['another scheme', 'Proxy-Authorization: Bearer s3cret\r\n'],
    ['something that is none', 'Proxy-Authorization: Basic !\r\n'],
    ['two of them', `Proxy-Authorization: ${basic('ann:s3cret')}\r\n`.repeat(2)],
    ['those for the target', `Authorization: ${basic('ann:s3cret')}\r\n`],
  ];

  it.each(wrong)('%s: 407 with Proxy-Authenticate, and nothing is dialled', async (_, fields) => {
    const { port, connects } = await rig([hi], { auth });
    const tunnel = await exchange(port, connect('mail.example:110', fields));
    const absolute = await exchange(
      port,
      `GET http://shop.example/ HTTP/1.1\r\nHost: shop.example\r\n${fields}\r\n`,
    );
    for (const { text } of [tunnel, absolute]) {
      expect(status(text)).toBe(407);
      expect(text).toContain('Proxy-Authenticate: Basic realm="whirl"');
      expect(text).not.toContain('s3cret');
    }
    expect(connects()).toEqual([0]);
  });

  it('the right ones open CONNECT, the absolute form and SOCKS5 alike', async () => {
    const target = use(await startTarget());
    const { port } = await rig([scripts.pass], { auth }, { tunnel: 'always' });
    const fields = `Proxy-Authorization: ${basic('ann-session-1:s3cret')}\r\n`;
    const wire = await tunnelTo(port, `127.0.0.1:${target.port}`, fields);
    expect(wire.received.toString()).toBe(granted);
    const { text } = await exchange(
      port,
      `GET ${target.url} HTTP/1.1\r\nHost: a\r\n${fields}Connection: close\r\n\r\n`,
    );
    expect(status(text)).toBe(200);
    const socks = use(await openWire(port));
    socks.write(Buffer.concat([socksLogin('ann', 's3cret'), socksTo('127.0.0.1', target.port)]));
    expect((await socks.read(14)).toString('hex')).toBe('0502010005000001000000000000');
  });

  it('wrong ones over SOCKS5 are denied', async () => {
    const { port, connects } = await rig([hi], { auth });
    const { text } = await exchange(
      port,
      Buffer.concat([socksLogin('ann', 'wrong'), socksTo('mail.example', 110)]),
    );
    expect(Buffer.from(text, 'latin1').toString('hex')).toBe('05020101');
    expect(connects()).toEqual([0]);
  });

  it('wrong ones are limited for each address, the right one is never refused', async () => {
    const { port } = await rig([hi], { auth, maxWrongPasswords: 3 });
    const tries = async (password: string) => {
      const fields = `Proxy-Authorization: ${basic(`ann:${password}`)}\r\n`;
      const wire = await tunnelTo(port, 'mail.example:110', fields);
      wire.close();
      return wire.received.toString();
    };
    for (let i = 0; i < 5; i++) expect(status(await tries('same'))).toBe(407);
    for (const each of ['b', 'c']) expect(status(await tries(each))).toBe(407);
    const limited = await tries('d');
    expect(status(limited)).toBe(429);
    expect(limited).toMatch(/\r\nRetry-After: \d+\r\n/);
    expect(status(await tries('s3cret'))).toBe(200);
  });
});

describe('W30 refused targets', () => {
  it('403 over HTTP, 2 over SOCKS5, and nothing is dialled', async () => {
    const { port, connects } = await rig([hi], { deny: ['secret.example'] });
    for (const authority of ['mail.example:25', `127.1:${port}`, 'secret.example:443']) {
      const { text } = await exchange(port, connect(authority));
      expect(status(text)).toBe(403);
      const [host = '', at = ''] = authority.split(':');
      const socks = await exchange(
        port,
        Buffer.concat([Buffer.from([5, 1, 0]), socksTo(host, Number(at))]),
      );
      expect(socks.text.charCodeAt(3)).toBe(2);
      const absolute = await exchange(port, `GET http://${authority}/ HTTP/1.1\r\nHost: a\r\n\r\n`);
      expect(status(absolute.text)).toBe(403);
    }
    expect(connects()).toEqual([0]);
  });

  it('the addresses of the process beside its own, and private ones where asked for', async () => {
    const { port } = await rig([hi], { ownAddresses: ['127.0.0.1:8000'], denyPrivate: true });
    for (const authority of ['[::ffff:127.0.0.1]:8000', '0x7f000001:8000', '10.0.0.1:80']) {
      expect(status((await exchange(port, connect(authority))).text)).toBe(403);
    }
  });

  it('a target that the rotator itself denies is no failure of a proxy', async () => {
    const { port } = await rig([hi], {}, { deny: { targets: ['secret.example'] } });
    expect(status((await exchange(port, connect('secret.example:443'))).text)).toBe(400);
  });
});

describe('W32 limits', () => {
  it('a client with its fill of connections gets 429, over SOCKS5 1', async () => {
    const { port } = await rig([hi], { maxPerClient: 2 });
    const first = await tunnelTo(port, 'mail.example:110');
    await tunnelTo(port, 'mail.example:110');
    expect(status((await exchange(port, connect('mail.example:110'))).text)).toBe(429);
    const socks = await exchange(
      port,
      Buffer.concat([Buffer.from([5, 1, 0]), socksTo('mail.example', 110)]),
    );
    expect(socks.text.charCodeAt(3)).toBe(1);
    first.close();
    await until(() => true);
    let text = '';
    while (status(text) !== 200) {
      const wire = await tunnelTo(port, 'mail.example:110');
      text = wire.received.toString();
      wire.close();
    }
  });

  it('with credentials each name has its own', async () => {
    const { port } = await rig([hi], { maxPerClient: 1, auth: ['ann:x', 'bob:y'] });
    const as = (text: string) => `Proxy-Authorization: ${basic(text)}\r\n`;
    const opened = async (text: string) => {
      const wire = await tunnelTo(port, 'mail.example:110', as(text));
      return status(wire.received.toString());
    };
    expect(await opened('ann-session-1:x')).toBe(200);
    expect(await opened('bob:y')).toBe(200);
    expect(await opened('ann-session-2:x')).toBe(429);
  });

  it('connections beyond maxConnections are closed', async () => {
    const { port, gateway } = await rig([hi], { maxConnections: 2 });
    await tunnelTo(port, 'mail.example:110');
    await tunnelTo(port, 'mail.example:110');
    const { text } = await exchange(port, connect('mail.example:110'));
    expect(text).toBe('');
    expect(gateway.stats().connections).toBe(2);
  });

  it('an idle tunnel ends after idleMs, a half-closed one after halfClosedMs', async () => {
    const server = await startServer((socket) => {
      socket.write('hi');
      socket.on('data', () => socket.end());
    });
    const { port, gateway } = await rig([scripts.pass], { idleMs: 600, halfClosedMs: 50 });
    const idle = await tunnelTo(port, `127.0.0.1:${server.port}`);
    await idle.read('hi');
    await idle.ended;
    const half = await tunnelTo(port, `127.0.0.1:${server.port}`);
    await half.read('hi');
    half.write('bye');
    expect(await half.ended).toBe('fin');
    await until(() => gateway.stats().openTunnels === 0);
  });
});

describe('W32 an idle tunnel', () => {
  it('is reset on both sides, and tunnel:end has the reason', async () => {
    const { port, proxies, rotator } = await rig([scripts.says('hi')], { idleMs: 100 });
    const ended = new Promise<{ closedBy: string }>((resolve) => {
      rotator.bus.once('tunnel:end', resolve);
    });
    const wire = await tunnelTo(port, 'mail.example:110');
    await wire.read('hi');
    expect(await wire.ended).toBe('reset');
    expect(await ended).toMatchObject({ closedBy: 'idle', bytesDown: 2 });
    await until(() => proxies[0]?.tunnels[0]?.ended === 'reset');
  });
});

describe('W34 back-pressure', () => {
  it('a client that does not read stops the target, and one that does not read stops the client', async () => {
    const chunk = Buffer.alloc(65_536);
    let sent = 0;
    const server = await startServer((socket) => {
      socket.pause();
      const pump = () => {
        while (!socket.destroyed && sent < 1e9) {
          sent += chunk.length;
          if (!socket.write(chunk)) {
            socket.once('drain', pump);
            return;
          }
        }
      };
      pump();
    });
    const { port } = await rig([scripts.pass]);
    const client = net.connect({ port, host: '127.0.0.1' });
    use({ close: () => client.destroy() });
    client.on('error', () => {});
    client.write(connect(`127.0.0.1:${server.port}`));
    await new Promise((resolve) => client.once('readable', resolve));
    // Neither side reads from here on.
    let before = -1;
    while (sent !== before) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    // What the kernel and the streams of four sockets hold; the rest of 1 GB stays where it is.
    expect(sent).toBeLessThan(32_000_000);
    let accepted = 0;
    while (client.write(chunk)) accepted += chunk.length;
    let flowing = true;
    while (flowing && accepted < 1e9) {
      flowing = await Promise.race([
        new Promise<boolean>((resolve) => client.once('drain', () => resolve(true))),
        new Promise<boolean>((resolve) => setTimeout(resolve, 500, false)),
      ]);
      if (flowing) {
        client.write(chunk);
        accepted += chunk.length;
      }
    }
    expect(accepted).toBeLessThan(32_000_000);
  });
});

describe('W35 close()', () => {
  it('stops accepting, lets tunnels end within graceMs, then tears them', async () => {
    const server = await startServer((socket) => void socket.pipe(socket));
    const { port, gateway, proxies } = await rig([scripts.pass]);
    const wire = await tunnelTo(port, `127.0.0.1:${server.port}`);
    wire.write('hello');
    await wire.read('hello');
    const silent = use(await openWire(port));
    const closed = gateway.close({ graceMs: 300 });
    await silent.ended;
    await expect(openWire(port)).rejects.toThrow('ECONNREFUSED');
    wire.write(', still here');
    await wire.read('still here');
    expect(await wire.ended).toBe('reset');
    await closed;
    expect(gateway.stats()).toMatchObject({ connections: 0, openTunnels: 0 });
    await until(() => proxies[0]?.openSockets() === 0);
  });

  it('resolves as soon as the last tunnel has ended, and twice', async () => {
    const server = await startServer((socket) => void socket.pipe(socket));
    const { port, gateway } = await rig([scripts.pass]);
    const wire = await tunnelTo(port, `127.0.0.1:${server.port}`);
    wire.write('hello');
    await wire.read('hello');
    const closed = gateway.close({ graceMs: 600_000 });
    wire.close();
    await closed;
    await gateway.close();
    await expect(gateway.listen()).rejects.toThrow('the gateway is closed');
  });

  it('lets an upgraded connection end within graceMs, then tears it', async () => {
    const server = await startServer((socket) => {
      socket.once('data', () => {
        const fields = 'Connection: Upgrade\r\nUpgrade: echo\r\n';
        socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\nhello`);
        socket.pipe(socket);
      });
    });
    const { port, gateway, proxies } = await rig([scripts.pass]);
    const upgrade = async () => {
      const wire = use(await openWire(port));
      wire.write(
        `GET http://127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n`,
      );
      await wire.read('hello');
      return wire;
    };
    const [leaves, stays] = [await upgrade(), await upgrade()];
    const closed = gateway.close({ graceMs: 300 });
    for (const wire of [leaves, stays]) {
      wire.write(', still here');
      await wire.read('still here');
    }
    leaves.close();
    expect(await stays.ended).toBe('reset');
    await closed;
    expect(gateway.stats()).toMatchObject({ connections: 0 });
    await until(() => proxies[0]?.openSockets() === 0 && server.sockets.size === 0);
  });

  it('ends a connection that could be used again with the response that is under way', async () => {
    let respond: (() => void) | undefined;
    const server = await startServer((socket) => {
      socket.once('data', () => {
        respond = () => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    const { url } = use(await startProxy());
    const { port, gateway } = await rig([], {}, { proxies: [url] });
    const wire = use(await openWire(port));
    const request = `GET http://127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: a\r\n\r\n`;
    wire.write(request);
    await until(() => respond !== undefined);
    const closed = gateway.close({ graceMs: 600_000 });
    wire.write(request);
    respond?.();
    expect(await wire.ended).toBe('fin');
    wire.close();
    await closed;
    const text = wire.received.toString();
    expect(text.match(/^HTTP/gm)).toHaveLength(1);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n.*Connection: close\r\n\r\nok$/is);
  });

  it('lets the last bytes of a response go out to a client that reads slowly', async () => {
    let ofClient: net.Socket | undefined;
    const server = await startServer(async (socket) => {
      socket.resume().write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      await until(() => ofClient !== undefined);
      // Until the system takes no more, and some of it waits in the gateway.
      while (ofClient?.writableLength === 0) {
        const passed = ofClient.bytesWritten + 4096;
        socket.write(`1000\r\n${'x'.repeat(4096)}\r\n`);
        await until(() => (ofClient?.bytesWritten ?? 0) > passed);
      }
      socket.write('3\r\nend\r\n0\r\n\r\n');
    });
    const { url } = use(await startProxy());
    const { port, gateway, rotator } = await rig([], {}, { proxies: [url] });
    const accepted = (message: unknown) => {
      const { socket } = message as { readonly socket: net.Socket };
      if (socket.localPort === port) ofClient = socket;
    };
    subscribe('net.server.socket', accepted);
    use({ close: () => unsubscribe('net.server.socket', accepted) });
    const client = net.connect(port, '127.0.0.1');
    use({ close: () => client.destroy() });
    client.write(`GET http://127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: a\r\n\r\n`);
    await new Promise((resolve) => rotator.bus.once('request:end', resolve));
    expect(ofClient?.writableLength).toBeGreaterThan(0);
    const closed = gateway.close({ graceMs: 600_000 });
    let end = '';
    for await (const chunk of client) end = (end + String(chunk)).slice(-20);
    expect(end).toMatch(/\r\nend\r\n0\r\n\r\n$/);
    await closed;
  });

  it('before listen(), with a wrong graceMs, and with a port that is taken', async () => {
    const { rotator, port } = await rig([]);
    const gateway = createGateway(rotator, { port });
    expect(() => gateway.address).toThrow('the gateway does not listen');
    await expect(gateway.listen()).rejects.toThrow('EADDRINUSE');
    await expect(gateway.close({ graceMs: -1 })).rejects.toThrow(RangeError);
    await gateway.close();
  });
});
