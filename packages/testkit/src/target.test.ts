import { X509Certificate } from 'node:crypto';
import tls from 'node:tls';
import { request } from 'undici';
import { Agent } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { certificateOf } from './certificate.ts';
import { startTarget } from './target.ts';
import { openWire } from './wire.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

describe('startTarget', () => {
  it('serves its routes', async () => {
    const target = await startTarget();
    const dispatcher = new Agent();
    open.push(target, dispatcher);
    const get = (path: string) => request(target.origin + path, { dispatcher });
    expect(await (await get('/')).body.json()).toMatchObject({ ok: true });
    const limited = await get('/status/429?retry-after=3');
    expect([limited.statusCode, limited.headers['retry-after']]).toEqual([429, '3']);
    await limited.body.dump();
    expect((await (await get('/bytes/70000')).body.arrayBuffer()).byteLength).toBe(70_000);
    expect((await get('/gzip')).headers['content-encoding']).toBe('gzip');
    expect((await get('/redirect')).headers['location']).toBe('/');
    const echo = await request(`${target.origin}/echo`, {
      method: 'POST',
      body: 'hello',
      dispatcher,
    });
    expect(await echo.body.text()).toBe('hello');
    expect(target.received.at(-1)).toMatchObject({ method: 'POST', path: '/echo', body: 'hello' });
    const cut = await get('/cut');
    await expect(cut.body.text()).rejects.toThrow();
  });

  it('speaks TLS with a certificate for localhost and both loopback addresses', async () => {
    const target = await startTarget({ tls: true });
    open.push(target);
    const certificate = new X509Certificate(target.ca ?? '');
    expect(certificate.checkHost('localhost')).toBe('localhost');
    for (const address of ['127.0.0.1', '::1']) {
      expect(certificate.checkIP(address)).toBe(address);
    }
    const wire = await openWire(target.port, { ca: target.ca });
    open.push(wire);
    wire.write('GET / HTTP/1.1\r\nHost: t\r\n\r\n');
    await wire.read('200 OK');
  });

  it('clientCa: lets in only clients that show a certificate of that authority', async () => {
    const client = await certificateOf('client.test');
    const target = await startTarget({ tls: true, clientCa: client.cert });
    open.push(target);
    const outcome = (options: tls.ConnectionOptions) =>
      new Promise<string>((resolve) => {
        const socket = tls.connect({ port: target.port, host: '127.0.0.1', ...options });
        open.push({ close: () => socket.destroy() });
        socket.on('error', () => resolve('refused'));
        socket.on('data', (chunk: Buffer) => resolve(chunk.toString('latin1', 9, 12)));
        socket.write('GET / HTTP/1.1\r\nHost: t\r\n\r\n');
      });
    const ca = target.ca as string;
    expect(await outcome({ ca })).toBe('refused');
    expect(await outcome({ ca, cert: client.cert, key: client.key })).toBe('200');
  });

  it('idle: resolves when the last socket is gone', async () => {
    const target = await startTarget();
    open.push(target);
    const wire = await openWire(target.port);
    await expect.poll(() => target.openSockets()).toBe(1);
    wire.close();
    await target.idle();
    expect(target.openSockets()).toBe(0);
  });
});
