import { startTarget } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { clientHello, earlyData, serverHello } from './support/client-hello.ts';
import { granted, rig, startServer, tlsThrough, tunnelTo, until } from './support/rig.ts';
import { scripts, type Script } from './support/scripted-proxy.ts';

const hello = clientHello([0, 9], [43, 3]);
const quick = { firstByteMs: 150, quietMs: 150 };

describe('W15 the client gets its 200 when an upstream has opened the tunnel', () => {
  it('after failures that it does not see', async () => {
    const target = await startServer((socket) => void socket.pipe(socket));
    const { port, connects } = await rig([
      scripts.status('502 Bad Gateway'),
      scripts.status('407 Proxy Authentication Required'),
      scripts.mute,
      scripts.pass,
    ]);
    const wire = await tunnelTo(port, `127.0.0.1:${target.port}`);
    expect(wire.received.toString()).toBe(granted);
    wire.write('hello');
    await wire.read('hello');
    expect(connects()).toEqual([1, 1, 1, 1]);
  });
});

describe('W16 a tunnel whose proxy fails before the first byte goes on through another one', () => {
  it('unseen by a TLS client, past nine ways to fail', async () => {
    const target = await startTarget({ tls: true });
    const { port, connects, gateway } = await rig(
      [
        scripts.fin(0),
        scripts.silent,
        scripts.fin(1),
        scripts.rst(1),
        scripts.page(1),
        scripts.loses,
        scripts.status('502 Bad Gateway'),
        scripts.mute,
        scripts.rst(0),
        scripts.pass,
      ],
      quick,
    );
    const text = await tlsThrough(port, `127.0.0.1:${target.port}`, target.ca as string);
    expect(text).toContain('{"ok":true');
    expect(connects().slice(-1)).toEqual([1]);
    expect(gateway.stats()).toMatchObject({ tunnels: 1, failed: 0, lost: 0 });
    expect(gateway.stats()).toMatchObject({ failovers: 9, failoversLastHour: 9 });
    await target.close();
  });

  it.each<[string, Script]>([
    ['closes', scripts.fin(hello.length)],
    ['resets', scripts.rst(hello.length)],
    ['stays silent', scripts.silent],
    ['sends a page', scripts.page(hello.length)],
  ])('when the proxy %s, the next one gets the same bytes', async (_, bad) => {
    const { port, proxies, ends } = await rig(
      [bad, scripts.says(serverHello, hello.length)],
      quick,
    );
    const wire = await tunnelTo(port, 'shop.example:443');
    wire.write(hello);
    await wire.read(granted.length + serverHello.length);
    expect(wire.received).toEqual(Buffer.concat([Buffer.from(granted), serverHello]));
    expect(proxies.map(({ tunnels }) => tunnels[0]?.received)).toEqual([hello, hello]);
    expect(ends.map(({ proxyId, outcome }) => [proxyId, outcome === 'success'])).toEqual([
      [proxies[0]?.id, false],
      [proxies[1]?.id, true],
    ]);
  });

  it('when it closes before the client has sent anything', async () => {
    const { port, proxies } = await rig([scripts.fin(0), scripts.says('SSH-2.0-x\r\n')]);
    const wire = await tunnelTo(port, 'host.example:22');
    await wire.read('SSH-2.0-x\r\n');
    expect(proxies.map(({ tunnels }) => tunnels.length)).toEqual([1, 1]);
  });

  it('within maxAttempts: then the client sees RST', async () => {
    const bad = scripts.rst(hello.length);
    const { port, connects, gateway } = await rig([bad, bad, bad, bad], {
      retryPolicy: { maxAttempts: 3, failoverDelay: 'none' },
    });
    const wire = await tunnelTo(port, 'shop.example:443');
    wire.write(hello);
    expect(await wire.ended).toBe('reset');
    expect(connects()).toEqual([1, 1, 1, 0]);
    expect(gateway.stats()).toMatchObject({ tunnels: 1, lost: 1 });
  });

  it('within retries of the username', async () => {
    const bad = scripts.rst(hello.length);
    const { port, connects } = await rig([bad, bad, bad, bad]);
    const user = Buffer.from('ann-retries-1:').toString('base64');
    const wire = await tunnelTo(port, 'shop.example:443', `Proxy-Authorization: Basic ${user}\r\n`);
    wire.write(hello);
    expect(await wire.ended).toBe('reset');
    expect(connects()).toEqual([1, 1, 0, 0]);
  });
});

describe('W17 a ClientHello', () => {
  it('split over segments goes on in the middle of it', async () => {
    const { port, proxies } = await rig(
      [scripts.rst(10), scripts.says(serverHello, hello.length)],
      quick,
    );
    const wire = await tunnelTo(port, 'shop.example:443');
    wire.write(hello.subarray(0, 10));
    await until(() => proxies[1]?.tunnels[0]?.received.length === 10);
    wire.write(hello.subarray(10));
    await wire.read(granted.length + serverHello.length);
    expect(proxies[1]?.tunnels[0]?.received).toEqual(hello);
  });

  it.each<[string, Buffer]>([
    ['with early data', clientHello([earlyData, 0])],
    ['with a record behind it', Buffer.concat([hello, Buffer.from([20, 3, 3, 0, 1, 1])])],
    ['malformed', Buffer.concat([hello.subarray(0, -1), Buffer.from([1, 2])])],
  ])('W17 and W18 %s is never sent twice: RST', async (_, bytes) => {
    const { port, connects } = await rig([scripts.rst(bytes.length), scripts.says(serverHello)]);
    const wire = await tunnelTo(port, 'shop.example:443');
    wire.write(bytes);
    expect(await wire.ended).toBe('reset');
    expect(connects()).toEqual([1, 0]);
  });
});

describe('W18 other bytes are never sent twice', () => {
  const get = 'GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n';

  it.each(['tls', 'none'] as const)(
    'under replay %j a GET is lost with its proxy',
    async (replay) => {
      const { port, connects } = await rig([scripts.rst(get.length), scripts.pass], { replay });
      const wire = await tunnelTo(port, 'shop.example:80');
      wire.write(get);
      expect(await wire.ended).toBe('reset');
      expect(connects()).toEqual([1, 0]);
    },
  );

  it.each(['GET', 'HEAD', 'OPTIONS'])('under replay "http" a whole %s goes on', async (method) => {
    const target = await startTarget();
    const request = `${method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
    const { port, connects } = await rig([scripts.rst(request.length), scripts.pass], {
      replay: 'http',
    });
    const wire = await tunnelTo(port, `127.0.0.1:${target.port}`);
    wire.write(request);
    await wire.read('HTTP/1.1 200 OK');
    expect(connects()).toEqual([1, 1]);
    expect(target.requests).toBe(1);
    wire.close();
    await target.close();
  });

  it.each([
    ['a POST', 'POST / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a body', 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n'],
    ['an upgrade', 'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n'],
    ['two requests', `${get}${get}`],
  ])('under replay "http" %s is not', async (_, bytes) => {
    const { port, connects } = await rig([scripts.rst(bytes.length), scripts.pass], {
      replay: 'http',
      ...quick,
    });
    const wire = await tunnelTo(port, 'shop.example:80');
    wire.write(bytes);
    expect(await wire.ended).toBe('reset');
    expect(connects()).toEqual([1, 0]);
  });

  it('under replay "none" a tunnel stays with its proxy', async () => {
    const { port, connects } = await rig([scripts.rst(hello.length), scripts.pass], {
      replay: 'none',
      ...quick,
    });
    const wire = await tunnelTo(port, 'shop.example:443');
    wire.write(hello);
    expect(await wire.ended).toBe('reset');
    expect(connects()).toEqual([1, 0]);
  });

  it('a request that waits for its response is left in peace, however long that takes', async () => {
    const server = await startServer((socket) => {
      socket.once('data', () => setTimeout(() => socket.end('late'), 400));
    });
    const { port, connects } = await rig([scripts.pass, scripts.pass], quick);
    const wire = await tunnelTo(port, `127.0.0.1:${server.port}`);
    wire.write(get);
    await wire.read('late');
    expect(connects()).toEqual([1, 0]);
  });
});

describe('W19 after a ClientHello the first byte decides', () => {
  it.each<[string, Buffer | string]>([
    ['a page', 'HTTP/1.1 200 OK\r\n\r\nhello'],
    ['application data', Buffer.from([23, 3, 3, 0, 1, 0])],
    ['zeros', Buffer.alloc(10)],
  ])('%s comes from the proxy and is not passed on', async (_, bytes) => {
    const { port, ends, proxies } = await rig([
      scripts.says(bytes, hello.length),
      scripts.says(serverHello, hello.length),
    ]);
    const wire = await tunnelTo(port, 'shop.example:443');
    wire.write(hello);
    await wire.read(granted.length + serverHello.length);
    expect(wire.received).toEqual(Buffer.concat([Buffer.from(granted), serverHello]));
    expect(ends[0]).toMatchObject({ proxyId: proxies[0]?.id, reason: 'protocol' });
  });

  it('an alert is passed on', async () => {
    const alert = Buffer.from([21, 3, 3, 0, 2, 2, 40]);
    const { port, connects } = await rig([scripts.says(alert, hello.length), scripts.pass]);
    const wire = await tunnelTo(port, 'shop.example:443');
    wire.write(hello);
    await wire.read(granted.length + alert.length);
    expect(connects()).toEqual([1, 0]);
  });

  it('bytes that came before the ClientHello are judged by it', async () => {
    const { port } = await rig([
      scripts.says('welcome to this proxy'),
      scripts.says(serverHello, hello.length),
    ]);
    const wire = await tunnelTo(port, 'shop.example:4433');
    wire.write(hello);
    await wire.read(granted.length + serverHello.length);
    expect(wire.received.includes('welcome')).toBe(false);
  });

  it.each([443, 8443])('on port %i for a slow client too', async (to) => {
    const { port, proxies } = await rig([
      (socket) => void socket.end(`${granted}\u0000\u0001 this is not the target`),
      scripts.says(serverHello, hello.length),
    ]);
    const wire = await tunnelTo(port, `shop.example:${to}`);
    // As one whose way to the gateway is long.
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(wire.received.toString()).toBe(granted);
    wire.write(hello);
    await wire.read(granted.length + serverHello.length);
    expect(wire.received).toEqual(Buffer.concat([Buffer.from(granted), serverHello]));
    expect(proxies.map(({ tunnels }) => tunnels.length)).toEqual([1, 1]);
  });

  it('on a port of no protocol a client that is silent for over 250 ms gets them, as it would a greeting', async () => {
    const lie = '\u0000\u0001 this is not the target';
    const { port, connects } = await rig([
      (socket) => void socket.end(granted + lie),
      scripts.pass,
    ]);
    const wire = await tunnelTo(port, 'shop.example:11443');
    await wire.read(lie);
    expect(wire.received.toString()).toBe(granted + lie);
    expect(connects()).toEqual([1, 0]);
  });

  it('a server that speaks first on port 443 is heard when its client has spoken', async () => {
    const { port, connects } = await rig([scripts.says('SSH-2.0-server\r\n'), scripts.pass]);
    const wire = await tunnelTo(port, 'shop.example:443');
    wire.write('SSH-2.0-client\r\n');
    await wire.read('SSH-2.0-server\r\n');
    expect(connects()).toEqual([1, 0]);
  });

  it('a page before any request comes from the proxy too', async () => {
    const { port } = await rig([scripts.page(0), scripts.says(serverHello, hello.length)]);
    const wire = await tunnelTo(port, 'shop.example:443');
    wire.write(hello);
    await wire.read(granted.length + serverHello.length);
    expect(wire.received.includes('banned')).toBe(false);
  });

  it('a server that speaks first on an unusual port is passed on', async () => {
    const { port, connects } = await rig([scripts.says('+OK ready\r\n'), scripts.pass]);
    const wire = await tunnelTo(port, 'mail.example:11000');
    await wire.read('+OK ready\r\n');
    expect(connects()).toEqual([1, 0]);
  });

  it('one that sends all it has to send and closes is passed on as well', async () => {
    const script: Script = (socket) => void socket.end(`${granted}daytime\r\n`);
    const { port, connects } = await rig([script, scripts.pass]);
    const wire = await tunnelTo(port, 'time.example:1300');
    await wire.read('daytime\r\n');
    expect(await wire.ended).toBe('fin');
    expect(connects()).toEqual([1, 0]);
  });
});

describe('W20 when neither side has spoken the tunnel is opened again', () => {
  it('through another proxy, blaming none, and the last one stays open', async () => {
    const { port, proxies, ends } = await rig([scripts.silent, scripts.silent, scripts.silent], {
      ...quick,
      retryPolicy: { maxAttempts: 3, failoverDelay: 'none' },
    });
    const wire = await tunnelTo(port, 'shop.example:443');
    await until(() => proxies[2]?.tunnels.length === 1 && proxies[1]?.openSockets() === 0);
    expect(proxies.map(({ tunnels }) => tunnels.length)).toEqual([1, 1, 1]);
    expect(proxies.map((each) => each.openSockets())).toEqual([0, 0, 1]);
    expect(ends.every(({ blame }) => blame === 'caller')).toBe(true);
    wire.write('hello');
    await until(() => proxies[2]?.tunnels[0]?.received.toString() === 'hello');
    wire.close();
  });

  it('and stays where it is when there is no other', async () => {
    const { port, proxies, connects } = await rig([scripts.silent], quick);
    const wire = await tunnelTo(port, 'shop.example:443');
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(connects()).toEqual([1]);
    wire.write('hello');
    await until(() => proxies[0]?.tunnels[0]?.received.toString() === 'hello');
    wire.close();
  });

  it('the first byte of the client keeps the proxy that it has', async () => {
    const { port, proxies } = await rig([scripts.says(serverHello, hello.length), scripts.mute], {
      ...quick,
      firstByteMs: 1000,
    });
    const wire = await tunnelTo(port, 'shop.example:443');
    await until(() => proxies[1]?.tunnels.length === 1);
    wire.write(hello);
    await wire.read(granted.length + serverHello.length);
    expect(proxies[0]?.tunnels[0]?.received).toEqual(hello);
    await until(() => proxies[1]?.openSockets() === 0);
  });
});

describe('W21 from the first byte on', () => {
  it('nothing is repeated: RST is passed as RST', async () => {
    const server = await startServer((socket) => {
      socket.write('hi');
      socket.once('data', () => {
        Object.assign(socket, { resetAndClosing: true });
        socket.destroy();
      });
    });
    const { port, connects } = await rig([scripts.pass, scripts.pass]);
    const wire = await tunnelTo(port, `127.0.0.1:${server.port}`);
    await wire.read('hi');
    wire.write('bye');
    expect(await wire.ended).toBe('reset');
    expect(connects()).toEqual([1, 0]);
  });

  it('FIN of the target is passed as FIN, and the client may go on', async () => {
    const heard: string[] = [];
    const server = await startServer((socket) => {
      socket.end('last words');
      socket.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
    });
    const { port } = await rig([scripts.pass]);
    const wire = await tunnelTo(port, `127.0.0.1:${server.port}`);
    await wire.read('last words');
    expect(await wire.ended).toBe('fin');
    wire.write('still here');
    await until(() => heard.join('') === 'still here');
    wire.close();
  });

  it('FIN of the client is passed as FIN, and the target may go on', async () => {
    const server = await startServer((socket) => {
      let text = '';
      socket.write('go ');
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
      socket.on('end', () => socket.end(`you said ${text}`));
    });
    const { port } = await rig([scripts.pass]);
    const net = await import('node:net');
    const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    client.write(`CONNECT 127.0.0.1:${server.port} HTTP/1.1\r\nHost: a\r\n\r\n`);
    let text = '';
    client.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.endsWith('go ')) client.end('everything');
    });
    await new Promise((resolve) => client.on('end', resolve));
    expect(text).toBe(`${granted}go you said everything`);
  });

  it('RST of the client reaches the target as RST', async () => {
    let ended = '';
    const server = await startServer((socket) => {
      socket.write('hi');
      socket.on('error', () => (ended = 'reset')).on('end', () => (ended ||= 'fin'));
      socket.resume();
    });
    const { port } = await rig([scripts.pass]);
    const wire = await tunnelTo(port, `127.0.0.1:${server.port}`);
    await wire.read('hi');
    (wire as unknown as { reset?: () => void }).reset?.();
    wire.close();
    await until(() => ended !== '');
    expect(['reset', 'fin']).toContain(ended);
  });
});

describe('W22 a failure before the 200', () => {
  it('is 502 with Proxy-Status and the number of attempts', async () => {
    const { port } = await rig([scripts.status('500 No'), scripts.status('503 No')], {
      retryPolicy: { maxAttempts: 2, failoverDelay: 'none' },
    });
    const wire = await tunnelTo(port, 'shop.example:443');
    await wire.ended;
    const text = wire.received.toString();
    expect(text).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
    expect(text).toMatch(/\r\nProxy-Status: whirl; error=[a-z_]+\r\n/);
    expect(text).toContain('"error":"tunnel_failed"');
    expect(text).toContain('"attempts":2');
    expect(text).toContain('Connection: close');
  });

  it('is never 407, whatever the upstream responds', async () => {
    const { port } = await rig([scripts.status('407 Proxy Authentication Required')]);
    const wire = await tunnelTo(port, 'shop.example:443');
    await wire.ended;
    expect(wire.received.toString()).toMatch(/^HTTP\/1\.1 502 /);
  });
});

describe('W23 a failure after the 200 ends in RST, never in FIN', () => {
  it.each<[string, Script]>([
    ['FIN', scripts.fin(5)],
    ['RST', scripts.rst(5)],
  ])('when the proxy ends with %s after bytes that are not sent twice', async (_, bad) => {
    const { port } = await rig([bad, scripts.pass]);
    const wire = await tunnelTo(port, 'shop.example:80');
    wire.write('hello');
    expect(await wire.ended).toBe('reset');
    expect(wire.received.toString()).toBe(granted);
  });
});

describe('W24 a client that leaves frees its attempt', () => {
  it.each<[string, Script]>([
    ['while a proxy is dialled', scripts.mute],
    ['while the first byte is waited for', scripts.silent],
  ])('%s, blaming no proxy', async (_, script) => {
    const { port, proxies, gateway, ends } = await rig([script], { firstByteMs: 60_000 });
    const { openWire } = await import('@whirl/testkit');
    const wire = await openWire(port);
    wire.write('CONNECT shop.example:443 HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => proxies[0]?.tunnels.length === 1);
    if (script === scripts.silent) {
      await wire.read('\r\n\r\n');
      wire.write(hello);
    }
    wire.close();
    await until(() => proxies[0]?.openSockets() === 0 && gateway.stats().connections === 0);
    expect(ends.every(({ blame }) => blame === 'caller')).toBe(true);
    expect(gateway.stats()).toMatchObject({ openTunnels: 0, lost: 0 });
  });
});
