import { certificateOf, startProxy, startTarget } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { failureOf, read, startRotator, use } from '../../test/support/rig.ts';
import { TlsClient } from './tls-client.ts';

describe('F16d tls and proxyTls', () => {
  it('ca: the target and the https proxy are each verified by their own', async () => {
    const target = use(await startTarget({ tls: true }));
    const proxy = use(await startProxy({ tls: true }));
    const wrong = (await certificateOf('wrong.test')).cert;
    const phaseWith = (tls: string, proxyTls: string) =>
      failureOf(
        read(
          startRotator({
            proxies: [proxy.url],
            tls: { ca: tls },
            proxyTls: { ca: [Buffer.from(proxyTls)] },
          }).get(target.url),
        ),
      ).then(
        ({ phase }) => phase,
        () => 'none',
      );
    expect(await phaseWith(wrong, proxy.ca as string)).toBe('tls_target');
    expect(await phaseWith(target.ca as string, wrong)).toBe('tls_proxy');
    expect(await phaseWith(target.ca as string, proxy.ca as string)).toBe('none');
  });

  it('rejectUnauthorized: false accepts any certificate, of the side it is set for', async () => {
    const target = use(await startTarget({ tls: true }));
    const proxy = use(await startProxy({ tls: true }));
    const any = { rejectUnauthorized: false };
    const proxies = [proxy.url];
    const both = startRotator({ proxies, tls: any, proxyTls: any });
    expect(await read(both.get(target.url))).toMatchObject({ statusCode: 200 });
    expect(await failureOf(startRotator({ proxies, tls: any }).get(target.url))).toMatchObject({
      phase: 'tls_proxy',
    });
    expect(await failureOf(startRotator({ proxies, proxyTls: any }).get(target.url))).toMatchObject(
      {
        phase: 'tls_target',
      },
    );
  });

  it('servername: verified instead of the host of the URL', async () => {
    const target = use(await startTarget({ tls: true }));
    const proxy = use(await startProxy({ hosts: { 'front.test': '127.0.0.1' } }));
    const ask = (servername: string | undefined) =>
      startRotator({ proxies: [proxy.url], tls: { ca: target.ca, servername } }).get(
        `https://front.test:${target.port}/`,
      );
    expect(await read(ask('localhost'))).toMatchObject({ statusCode: 200 });
    expect(await failureOf(ask(undefined))).toMatchObject({ code: 'TARGET_CONNECTION' });
  });

  it('cert and key: shown to a target that asks for them', async () => {
    const { cert, key } = await certificateOf('client.test');
    const target = use(await startTarget({ tls: true, clientCa: cert }));
    const proxy = use(await startProxy());
    const ca = target.ca as string;
    const proxies = [proxy.url];
    const known = startRotator({ proxies, tls: { ca, cert, key } });
    expect(await read(known.get(target.url))).toMatchObject({ statusCode: 200 });
    const unknown = startRotator({ proxies, tls: { ca } });
    await expect(read(unknown.get(target.url))).rejects.toThrow();
  });

  it('bad options are refused at construction, by name', () => {
    const make = (options: unknown) => () => new TlsClient('proxyTls', options as never);
    expect(make({ cipher: 'x' })).toThrow(/unknown option "proxyTls.cipher"/);
    expect(make({ cert: 'x' })).toThrow(/proxyTls\.cert and proxyTls\.key/);
    expect(make({ cert: 'x', key: 'y' })).toThrow(/proxyTls: cert and key must be PEM/);
    expect(make({ servername: '' })).toThrow(/proxyTls\.servername/);
    expect(make({ rejectUnauthorized: 1 })).toThrow(/proxyTls\.rejectUnauthorized.*got 1/);
    expect(make(null)).toThrow(/proxyTls must be an object/);
  });
});
