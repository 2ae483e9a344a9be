import { expect, it } from 'vitest';
import { curlCommand } from './curl-command.ts';

it.each([
  ['0.0.0.0', true, 'curl -x http://127.0.0.1:8001 -U name:password http://example.com/'],
  ['::', true, 'curl -x http://[::1]:8001 -U name:password http://example.com/'],
  ['192.0.2.7', false, 'curl -x http://192.0.2.7:8001 http://example.com/'],
])('A10 a gateway at %s is reached by an address, with a password if it requires one', (...row) => {
  const [host, needsPassword, command] = row;
  expect(curlCommand({ host, port: 8001, needsPassword })).toBe(command);
});
