import { describe, expect, it } from 'vitest';
import { parseAuthority } from './authority.ts';

describe('W4 the target of CONNECT is host:port or [v6]:port', () => {
  it.each([
    ['shop.example:443', 'shop.example', 443],
    ['SHOP.Example:1', 'shop.example', 1],
    ['shop.example.:65535', 'shop.example.', 65_535],
    ['_service.x-y.example:443', '_service.x-y.example', 443],
    ['xn--mller-kva.example:443', 'xn--mller-kva.example', 443],
    ['127.0.0.1:80', '127.0.0.1', 80],
    ['127.1:80', '127.1', 80],
    ['[::1]:443', '::1', 443],
    ['[2001:DB8::7]:8443', '2001:db8::7', 8443],
    ['[::ffff:127.0.0.1]:443', '::ffff:127.0.0.1', 443],
  ])('%s', (text, host, port) => {
    expect(parseAuthority(text)).toEqual({ host, port });
  });

  it.each([
    ['', /port is missing/],
    ['shop.example', /port is missing/],
    ['[::1]', /port is missing/],
    ['shop.example:', /port must be a number/],
    ['shop.example:0', /port must be a number/],
    ['shop.example:00443', /port must be a number/],
    ['shop.example:65536', /port must be a number/],
    ['shop.example:+443', /port must be a number/],
    ['shop.example:4 4', /port must be a number/],
    ['shop.example:https', /port must be a number/],
    ['shop.example:443/', /without a path/],
    ['/shop.example:443', /without a path/],
    ['shop.example:443?x', /without a path/],
    ['https://shop.example:443', /without a path/],
    ['ann@shop.example:443', /without credentials/],
    ['ann:s3cret@shop.example:443', /without credentials/],
    ['::1:443', /stands in brackets/],
    ['2001:db8::7', /stands in brackets/],
    ['[::1:443', /host:port/],
    ['::1]:443', /stands in brackets/],
    ['[fe80::1%eth0]:443', /host:port/],
    ['[1.2.3.4]:443', /must hold an IPv6 address/],
    ['[::g]:443', /host:port/],
    [':443', /the host must be/],
    ['.:443', /the host must be/],
    ['a..b:443', /the host must be/],
    ['shop example:443', /the host must be/],
    ['müller.example:443', /the host must be/],
    ['a%00b.example:443', /the host must be/],
    ['*.example:443', /the host must be/],
    [`${'a'.repeat(64)}.example:443`, /the host must be/],
    [`${'a.'.repeat(127)}:443`, /the host must be/],
  ])('%j is refused with 400', (text, reason) => {
    expect(() => parseAuthority(text)).toThrow(expect.objectContaining({ statusCode: 400 }));
    expect(() => parseAuthority(text)).toThrow(reason);
  });

  it('a refusal never shows the credentials', () => {
    expect(() => parseAuthority('ann:s3cret@shop.example:443')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('s3cret') }),
    );
  });

  it('a port may be left out where there is a default', () => {
    expect(parseAuthority('shop.example', 80)).toEqual({ host: 'shop.example', port: 80 });
    expect(parseAuthority('shop.example:', 80)).toEqual({ host: 'shop.example', port: 80 });
    expect(parseAuthority('[::1]', 80)).toEqual({ host: '::1', port: 80 });
  });
});
