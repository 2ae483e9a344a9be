import { expect, it } from 'vitest';
import { rig } from '../../test/support/pool-rig.ts';
import { startRotator } from '../../test/support/rig.ts';
import { startRawTarget } from '../../test/support/tunnel-rig.ts';

it('F1 a response has its attempts itself: the last one is provisional until its body has ended, and a copy keeps them', async () => {
  const { rotator, target, proxies } = await rig([{ kind: 'ok' }]);
  const response = await rotator.get(`${target.origin}/bytes/1000000`);
  const early = { ...response };
  expect(Object.keys(early).toSorted()).toEqual([
    'attempts',
    'body',
    'context',
    'headers',
    'opaque',
    'proxyId',
    'statusCode',
    'statusText',
    'trailers',
  ]);
  const provisional = { proxyId: proxies[0]?.id, outcome: 'success', statusCode: 200 };
  expect(early.attempts).toMatchObject([provisional]);
  expect(response.attempts).toMatchObject([provisional]);
  response.body.on('error', () => {}).destroy();
  await rotator.close();
  expect(response.attempts).toMatchObject([{ outcome: 'aborted' }]);
  expect(early.attempts).toMatchObject([provisional]);
  expect({ ...response }.attempts).toMatchObject([{ outcome: 'aborted' }]);
});

it('F1 a short body has come when its response does: the attempts are final, and a plain property', async () => {
  const proxy = await startRawTarget((socket) => {
    // Head and body in one packet.
    socket.on('data', () => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));
  });
  const rotator = startRotator({ proxies: [`http://127.0.0.1:${proxy.port}`] });
  const response = await rotator.get('http://target.test/');
  expect(rotator.inFlight()).toEqual([]);
  const final = [expect.objectContaining({ proxyId: response.proxyId, outcome: 'success' })];
  expect(Object.getOwnPropertyDescriptor(response, 'attempts')).toMatchObject({
    value: final,
    enumerable: true,
  });
  await response.body.dump();
  expect({ ...response }.attempts).toEqual(final);
});
