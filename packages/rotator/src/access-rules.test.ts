import dns from 'node:dns';
import { startProxy, startTarget } from '@whirl/testkit';
import { describe, expect, it, vi } from 'vitest';
import { AccessRules } from './access-rules.ts';
import { InvalidProxyError, InvalidRequestError, ProxyRotator } from './index.ts';
import { errorOf } from '../test/support/pool-rig.ts';
import { use } from '../test/support/rig.ts';

const denying = (...rules: string[]) => new AccessRules('targets', {}, { targets: rules });
const allowing = (...rules: string[]) => new AccessRules('targets', { targets: rules });

describe('A18 rules for hosts', () => {
  it.each([
    ['example.com', 'example.com', 443, true],
    ['example.com', 'EXAMPLE.com.', 443, true],
    ['example.com', 'www.example.com', 443, false],
    ['*.example.com', 'www.example.com', 443, true],
    ['*.example.com', 'example.com', 443, false],
    ['*.example.com', 'a.b.example.com', 443, true],
    ['api-*.example.*', 'api-1.example.net', 443, true],
    ['a*a', 'a', 443, false],
    ['*:25', 'mail.test', 25, true],
    ['*:25', '192.0.2.1', 25, true],
    ['*:25', 'mail.test', 26, false],
    ['*:1-1023', 'mail.test', 1023, true],
    ['*:1-1023', 'mail.test', 1024, false],
    ['10.0.0.0/8', '10.255.0.1', 80, true],
    ['10.0.0.0/8', '11.0.0.1', 80, false],
    ['10.0.0.0/8:80', '10.0.0.1', 81, false],
    ['0.0.0.0/0', '1.2.3.4', 80, true],
    ['0.0.0.0/0', 'name.test', 80, false],
    ['fe80::/10', 'febf::1', 80, true],
    ['fe80::/10', '[fe80::1]', 80, true],
    ['[fe80::]/10:80', 'fe80::1', 81, false],
    ['fd00:ec2::254', 'fd00:ec2:0::254', 80, true],
    // What stands for an IPv4 address is one.
    ['169.254.0.0/16', '::ffff:169.254.169.254', 80, true],
    ['169.254.0.0/16', '[::ffff:a9fe:a9fe]', 80, true],
    ['169.254.0.0/16', '64:ff9b::a9fe:a9fe', 80, true],
    ['169.254.0.0/16', '2002:a9fe:a9fe::1', 80, true],
    ['169.254.0.0/16', '::a9fe:a9fe', 80, true],
    ['0.0.0.0/8', '::1', 80, false],
    ['169.254.0.0/16', '2852039166', 80, true],
    ['169.254.0.0/16', '0xa9fea9fe', 80, true],
    ['169.254.0.0/16', '0251.0376.0251.0376', 80, true],
    ['169.254.0.0/16', '169.254.43518', 80, true],
    ['169.254.0.0/16', '169.254.169.254.', 80, true],
    ['0xa9fea9fe', '169.254.169.254', 80, true],
  ])('A18 %s and the host %s, port %i: %s', (rule, host, port, matched) => {
    expect(denying(rule).refusal(host, port) !== undefined).toBe(matched);
    expect(allowing(rule).refusal(host, port) === undefined).toBe(matched);
  });

  it('A18 a rule of deny wins over one of allow', () => {
    const rules = new AccessRules('targets', { targets: ['*.test'] }, { targets: ['a.test'] });
    expect(rules.refusal('a.test', 80)).toBe('is denied by a.test (deny.targets)');
    expect(rules.refusal('b.test', 80)).toBeUndefined();
    expect(rules.refusal('b.example', 80)).toBe('matches no rule of allow.targets');
  });

  it('A18 an empty allow admits nothing, no rules admit all', () => {
    expect(allowing().refusal('a.test', 80)).toBe('matches no rule of allow.targets');
    expect(denying().isEmpty).toBe(true);
  });

  it.each([
    [''],
    ['http://a.test'],
    ['a.test/8'],
    ['10.0.0.0/33'],
    ['fe80::/129'],
    ['a.test:0'],
    ['a.test:65536'],
    ['a.test:9-8'],
    ['[a.test]'],
    ['a b'],
    [7],
  ])('A18 the rule %j is refused by name', (rule) => {
    expect(() => denying('ok.test', rule as string)).toThrow(/^deny\.targets\[1\] must be /);
  });

  it('A18 a rule that is a proxy with a password is not shown', () => {
    expect(() => denying('bob:hunter2@proxy.test:80')).not.toThrow(/hunter2/);
    expect(() => denying('bob:hunter2@proxy.test:80')).toThrow('deny.targets[0]');
  });

  it('A18 hostile names are compared in linear time', () => {
    const rules = denying(`${'*a'.repeat(120)}*b`);
    const startedAt = performance.now();
    for (let i = 0; i < 1000; i++) rules.refusal('a'.repeat(253), 80);
    // 1,000 comparisons that backtrack would take hours.
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });
});

describe('A18 a rotator with rules', () => {
  it('A18 refuses proxies that may not be used, and changes nothing', () => {
    const rotator = new ProxyRotator({
      proxies: ['10.0.0.1:80'],
      allow: { proxies: ['10.0.0.0/8', '*.proxies.test:1000-2000'] },
      deny: { proxies: ['10.6.6.6'] },
    });
    expect(rotator.addProxy('eu.proxies.test:1080')).toBe('eu.proxies.test:1080');
    for (const bad of [
      'bob:hunter2@10.6.6.6:80',
      '11.0.0.1:80',
      'eu.proxies.test:80',
      '[::1]:80',
    ]) {
      expect(() => rotator.addProxy(bad)).toThrow(InvalidProxyError);
      expect(() => rotator.setProxies(['10.0.0.2:80', bad])).toThrow(InvalidProxyError);
      expect(() => rotator.addProxy({ url: bad, circuitBreaker: false })).toThrow(/proxies/);
    }
    expect(() => rotator.addProxy('bob:hunter2@10.6.6.6:80')).toThrow(
      'the proxy 10.6.6.6:80 is denied by 10.6.6.6 (deny.proxies)',
    );
    expect([...rotator.proxyIds()]).toEqual(['10.0.0.1:80', 'eu.proxies.test:1080']);
    expect(() => new ProxyRotator({ proxies: ['h:1'], deny: { proxies: ['*'] } })).toThrow(/h:1/);
  });

  it('A18 refuses requests to targets that may not be asked, each hop of a redirect too', async () => {
    const [proxy, target] = await Promise.all([startProxy(), startTarget()]);
    use(proxy);
    use(target);
    const rotator = new ProxyRotator({
      proxies: [proxy.url],
      deny: { targets: ['169.254.0.0/16', '*.internal'] },
    });
    use({ close: () => rotator.destroy() });
    const error = await errorOf(rotator.get('http://0xa9fea9fe/latest/meta-data'));
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error).toMatchObject({
      message: 'the target 169.254.169.254:80 is denied by 169.254.0.0/16 (deny.targets)',
    });
    expect(await errorOf(rotator.fetch('https://Metadata.internal/'))).toMatchObject({
      cause: { code: 'INVALID_REQUEST' },
    });
    expect((await rotator.get(target.url)).statusCode).toBe(200);
    expect(
      () =>
        new ProxyRotator({
          healthCheck: { url: 'http://a.internal/' },
          deny: { targets: ['*.internal'] },
        }),
    ).toThrow(/a\.internal/);
  });

  it('A18 a name that leads to a denied address is not dialled', async () => {
    const lookup = vi
      .spyOn(dns, 'lookup')
      .mockImplementation(((
        _name: string,
        _options: object,
        done: (error: null, found: dns.LookupAddress[]) => void,
      ) =>
        done(null, [{ address: '169.254.169.254', family: 4 }])) as unknown as typeof dns.lookup);
    const proxied = new ProxyRotator({
      proxies: ['rebound.test:80'],
      retryPolicy: null,
      deny: { proxies: ['169.254.0.0/16'] },
    });
    use({ close: () => proxied.destroy() });
    expect(await errorOf(proxied.get('http://target.test/'))).toMatchObject({
      cause: { message: expect.stringContaining('leads to 169.254.169.254') as string },
    });
    const socks = new ProxyRotator({
      proxies: ['socks5://127.0.0.1:1'],
      retryPolicy: null,
      deny: { targets: ['169.254.0.0/16'] },
    });
    use({ close: () => socks.destroy() });
    expect(await errorOf(socks.get('http://rebound.test/'))).toMatchObject({
      cause: { message: expect.stringContaining('leads to 169.254.169.254') as string },
    });
    lookup.mockRestore();
  });

  it.each([
    [{ allow: ['a.test'] }, 'allow must be an object'],
    [{ deny: { proxys: [] } }, 'unknown option "deny.proxys": did you mean "proxies"?'],
    [{ deny: { targets: 'a.test' } }, 'deny.targets must be an array'],
  ])('A18 the options %j are refused', (options, message) => {
    expect(() => new ProxyRotator(options as object)).toThrow(message);
  });
});
