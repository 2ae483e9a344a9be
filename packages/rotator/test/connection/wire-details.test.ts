import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { certificateOf, startProxy, startTarget } from '@whirl/testkit';
import { request as undiciRequest, type Dispatcher } from 'undici';
import { describe, expect, it } from 'vitest';
import { retryAfterOf } from '../../src/message/retry-after.ts';
import { errorOf } from '../support/pool-rig.ts';
import { read, startRotator, use } from '../support/rig.ts';

describe('what goes over the wire', () => {
  it('port 0 of a target is refused before anything is dialled', async () => {
    const proxy = use(await startProxy());
    const rotator = startRotator({ proxies: [proxy.url] });
    for (const send of [
      () => rotator.get('http://t.test:0/'),
      () => rotator.get('https://t.test:0/'),
    ]) {
      expect(await errorOf(send())).toMatchObject({
        code: 'INVALID_REQUEST',
        message: 'the port must be 1 to 65535, got 0',
      });
    }
    expect(proxy.stats.connections).toBe(0);
  });

  it('OPTIONS * goes out as an absolute URL without a path (RFC 9112, 3.2.4), other methods have no *', async () => {
    const proxy = use(await startProxy({ behaviour: { kind: 'status', statusCode: 299 } }));
    const rotator = startRotator({ proxies: [proxy.url] });
    const send = (method: Dispatcher.HttpMethod, path: string) =>
      rotator.dispatcher.request({ origin: 'http://t.test:81', path, method });
    await read(send('OPTIONS', '*'));
    await read(send('GET', '?a=b'));
    expect(proxy.received.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'OPTIONS http://t.test:81',
      'GET http://t.test:81/?a=b',
    ]);
    for (const [method, path] of [
      ['GET', '*'],
      ['OPTIONS', '*/'],
    ] as const) {
      expect(await errorOf(send(method, path))).toMatchObject({ code: 'INVALID_REQUEST' });
    }
  });

  it('the server name of TLS has no trailing dot', async () => {
    const names: string[] = [];
    const { cert, key } = await certificateOf();
    const server = tls.createServer({
      cert,
      key,
      SNICallback: (name, done) => {
        names.push(name);
        done(null);
      },
    });
    server.on('secureConnection', (socket) => {
      socket.on('error', () => {}).end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    use(server);
    const { port } = server.address() as AddressInfo;
    const proxy = use(await startProxy({ hosts: { 'localhost.': '127.0.0.1' } }));
    const rotator = startRotator({ proxies: [proxy.url], tls: { ca: cert } });
    await read(rotator.get(`https://localhost.:${port}/`));
    expect(names).toEqual(['localhost']);
    expect(proxy.received[0]?.url).toBe(`localhost.:${port}`);
  });

  it('several cookies are one line (RFC 6265, 5.4), from every shape of headers', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const rotator = startRotator({ proxies: [proxy.url] });
    const { dispatcher } = rotator;
    await read(rotator.get(target.url, { headers: { cookie: ['a=1', 'b=2'] } }));
    await read(
      undiciRequest(target.url, { dispatcher, headers: ['Cookie', 'a=1', 'cookie', 'b=2'] }),
    );
    for (const { headers } of proxy.received) expect(headers.cookie).toBe('a=1; b=2');
    // Node's server would join two lines in the same way: one was sent.
    expect(proxy.received).toHaveLength(2);
  });

  it('F8 of several Retry-After fields the longest counts', () => {
    expect(retryAfterOf(['1', '60', 'soon'], 0)).toBe(60_000);
    expect(retryAfterOf(['soon', ''], 0)).toBeUndefined();
    expect(retryAfterOf('7', 0)).toBe(7000);
    expect(retryAfterOf(undefined, 0)).toBeUndefined();
  });
});
