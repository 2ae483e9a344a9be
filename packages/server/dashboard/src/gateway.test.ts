import { expect, it } from 'vitest';
import { curlCommand, gatewayUrl, failoversText } from './gateway.ts';
import type { WireGateway } from './wire.ts';

const gateway = (fields: Partial<WireGateway>) =>
  ({ address: '127.0.0.1:8001', needs_password: false, ...fields }) as WireGateway;

it.each([
  ['127.0.0.1:8001', 'http://127.0.0.1:8001'],
  ['[::1]:8001', 'http://[::1]:8001'],
  ['0.0.0.0:8001', 'http://whirl.example.com:8001'],
  ['[::]:8001', 'http://whirl.example.com:8001'],
])('a gateway at %s is reached at %s', (address, url) => {
  expect(gatewayUrl(gateway({ address }), 'whirl.example.com')).toBe(url);
});

it('the command holds a password where the gateway requires one', () => {
  const at = (fields: Partial<WireGateway>) =>
    curlCommand(gateway(fields), 'localhost', 'http://t.example/');
  expect(at({})).toBe('curl -x http://127.0.0.1:8001 http://t.example/');
  expect(at({ needs_password: true })).toBe(
    'curl -x http://127.0.0.1:8001 -U name:password http://t.example/',
  );
});

it.each([
  [1, 'one dead proxy was passed unseen in the last hour.'],
  [12, '12 dead proxies were passed unseen in the last hour.'],
])('tells of %i', (failovers_last_hour, text) => {
  expect(failoversText(gateway({ failovers_last_hour }))).toBe(text);
});
