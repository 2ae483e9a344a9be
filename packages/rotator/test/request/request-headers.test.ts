import { startProxy, startTarget } from '@whirl/testkit';
import { request } from 'undici';
import { describe, expect, it } from 'vitest';
import { read, startRotator, use } from '../support/rig.ts';

const shapes = {
  object: { 'Proxy-Authorization': 'Basic stolen', 'X-Mine': 'kept' },
  array: ['proxy-authorization', 'Basic stolen', 'X-Mine', 'kept'],
  Headers: new Headers({ 'proxy-authorization': 'Basic stolen', 'X-Mine': 'kept' }),
  Map: new Map([
    ['PROXY-AUTHORIZATION', 'Basic stolen'],
    ['X-Mine', 'kept'],
  ]),
};

for (const form of ['absolute form', 'a tunnel'] as const) {
  describe(`headers through ${form}`, () => {
    const rig = async () => {
      const tls = form === 'a tunnel';
      const target = use(await startTarget({ tls }));
      const proxy = use(await startProxy({ username: 'ann', password: 's3cret' }));
      const rotator = startRotator({ proxies: [proxy.url], tls: { ca: target.ca } });
      return { target, proxy, rotator };
    };

    for (const [shape, headers] of Object.entries(shapes)) {
      it(`C2 in a ${shape}: they arrive; Proxy-Authorization never reaches the target`, async () => {
        const { target, proxy, rotator } = await rig();
        await read(
          request(target.url, { headers: headers as never, dispatcher: rotator.dispatcher }),
        );
        expect(target.received[0]?.headers).toMatchObject({ 'x-mine': 'kept' });
        expect(target.received[0]?.headers).not.toHaveProperty('proxy-authorization');
        const credentials = Buffer.from('ann:s3cret').toString('base64');
        expect(proxy.received[0]?.headers['proxy-authorization']).toBe(`Basic ${credentials}`);
      });
    }

    it('C2 repeated keys in a header array stay repeated', async () => {
      const { target, rotator } = await rig();
      const headers = ['x-twice', 'one', 'x-twice', 'two', 'cookie', 'a=1', 'cookie', 'b=2'];
      await read(request(target.url, { headers, dispatcher: rotator.dispatcher }));
      expect(target.received[0]?.headers).toMatchObject({
        'x-twice': 'one, two',
        cookie: 'a=1; b=2',
      });
    });

    it('C2 fetch with a Headers instance keeps its headers', async () => {
      const { target, rotator } = await rig();
      await (await rotator.fetch(target.url, { headers: shapes.Headers })).text();
      expect(target.received[0]?.headers).toMatchObject({ 'x-mine': 'kept' });
      expect(target.received[0]?.headers).not.toHaveProperty('proxy-authorization');
    });
  });
}
