import { expect, it } from 'vitest';
import { exitIpIn } from './exit-ip.ts';

it.each([
  ['an address alone', ' 192.0.2.7\n', '192.0.2.7'],
  ['an IPv6 address alone', '2001:db8::7', '2001:db8::7'],
  ['ipify, ipinfo', '{"ip":"192.0.2.7","country":"DE"}', '192.0.2.7'],
  ['httpbin behind a proxy that tells', '{"origin": "192.0.2.7, 192.0.2.8"}', '192.0.2.7'],
  ['ip-api', '{"status":"success","query":"192.0.2.7"}', '192.0.2.7'],
  ['ifconfig.me', '{"ip_addr":"192.0.2.7"}', '192.0.2.7'],
  ['a trace of key and value', 'fl=1\nh=example.com\nip=192.0.2.7\nts=1\n', '192.0.2.7'],
  ['a page', '<p>your ip is 192.0.2.7</p>', undefined],
  ['JSON that tells something else', '{"ip":"unknown","origin":7}', undefined],
  ['broken JSON', '{"ip":"192.0.2.7"', undefined],
  ['nothing', '', undefined],
])('the exit address in %s', (_, body, address) => {
  expect(exitIpIn(body)).toBe(address);
});
