import { describe, expect, it } from 'vitest';
import { Exit, type Gateway } from './exit.ts';
import { parseProxy } from './parse-proxy.ts';
import type { ProxyOptions } from './proxy.ts';
import { SessionTokens } from './session-tokens.ts';

/** What an exit in that region is sent, with its session as X or 9. */
function sent(options: ProxyOptions, region?: string): string {
  const gateway = parseProxy(options) as Gateway;
  const tokens = new SessionTokens(() => 0);
  const { host, port, username, password } = new Exit({ gateway, tokens }, 'x', region);
  const text = new SessionTokens(() => 0).next('text');
  const number = new SessionTokens(() => 0).next('number');
  return `${username}:${password}@${host}:${port}`.replace(text, 'X').replace(number, '9');
}

const account = { username: 'ann', password: 'pw' };

describe('V9 presets write sessions as the provider does', () => {
  it.each<[ProxyOptions, string]>([
    [
      { provider: 'brightdata', ...account, zone: 'res1' },
      'brd-customer-ann-zone-res1-session-X:pw@brd.superproxy.io:33335',
    ],
    [
      { provider: 'brightdata', ...account, zone: 'res1', country: 'US' },
      'brd-customer-ann-zone-res1-country-us-session-X:pw@brd.superproxy.io:33335',
    ],
    [{ provider: 'oxylabs', ...account }, 'customer-ann-sessid-X:pw@pr.oxylabs.io:7777'],
    [
      { provider: 'oxylabs', ...account, country: 'us', sessionTtlMs: 600_000 },
      'customer-ann-cc-us-sessid-X-sesstime-10:pw@pr.oxylabs.io:7777',
    ],
    [
      { provider: 'soax', ...account, country: 'us', sessionTtlMs: 90_000 },
      'package-ann-country-us-sessionid-X-sessionlength-90:pw@proxy.soax.com:5000',
    ],
    [
      { provider: 'iproyal', ...account, country: 'us', sessionTtlMs: 600_000 },
      'ann:pw_country-us_session-X_lifetime-600s@geo.iproyal.com:12321',
    ],
    [{ provider: 'netnut', ...account }, 'ann-res-any-sid-9:pw@gw.netnut.net:5959'],
    [
      { provider: 'netnut', ...account, zone: 'dc', country: 'GB' },
      'ann-dc-uk-sid-9:pw@gw.netnut.net:5959',
    ],
    [{ provider: 'apify', password: 'pw' }, 'session-X:pw@proxy.apify.com:8000'],
    [
      { provider: 'apify', password: 'pw', zone: 'RESIDENTIAL', country: 'us' },
      'groups-RESIDENTIAL,session-X,country-US:pw@proxy.apify.com:8000',
    ],
  ])('V9 %j', (options, line) => {
    expect(sent(options)).toBe(line);
  });

  it('V9 a country {region} is that of the request', () => {
    const country = '{region}';
    expect(sent({ provider: 'oxylabs', ...account, country }, 'DE')).toContain('-cc-de-');
    expect(sent({ provider: 'netnut', ...account, country }, 'GB')).toContain('-res-uk-');
    expect(sent({ provider: 'apify', password: 'pw', country }, 'de')).toContain(',country-DE:');
    expect(parseProxy({ provider: 'oxylabs', ...account, country }).exits?.perRegion).toBe(true);
  });

  it('V9 an address of its own, and options of the exits, go with a preset', () => {
    const proxy = parseProxy({
      ...{ provider: 'oxylabs', ...account, host: 'us-pr.oxylabs.io', port: 10_000 },
      ...{ exits: 20, renewPerMinute: 5, protocol: 'socks5h' },
    });
    expect(proxy).toMatchObject({ id: 'us-pr.oxylabs.io:10000', protocol: 'socks5h' });
    expect(proxy.exits).toMatchObject({ count: 20, renewPerMinute: 5 });
  });

  it('V9 a country that is given is the region of its exits', () => {
    expect(parseProxy({ provider: 'oxylabs', ...account, country: 'us' }).region).toBe('US');
  });

  it.each<[object, string]>([
    [{ provider: 'oxylab', ...account }, 'provider must be one of brightdata, oxylabs'],
    [{ provider: 'brightdata', ...account }, 'provider "brightdata" needs zone'],
    [{ provider: 'oxylabs', password: 'pw' }, 'provider "oxylabs" needs username'],
    [{ provider: 'apify' }, 'provider "apify" needs password'],
    [{ provider: 'oxylabs', ...account, zone: 'z' }, 'provider "oxylabs" has no zone'],
    [{ provider: 'oxylabs', ...account, country: 'us-city-x' }, 'country must be a word'],
    [{ provider: 'oxylabs', ...account, url: 'http://h:1' }, 'give no url'],
  ])('V9 %j is refused', (options, message) => {
    expect(() => parseProxy(options as ProxyOptions)).toThrow(message);
  });
});
