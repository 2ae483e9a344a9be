import { expect, it } from 'vitest';
import { rig } from '../../test/support/pool-rig.ts';

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
