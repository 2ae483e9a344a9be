import { parseProxy } from '@whirl/rotator';
import { startExitGateway, startTarget } from '@whirl/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { addressOf } from './results/result.ts';
import { Tester } from './tester.ts';

let target: Awaited<ReturnType<typeof startTarget>>;
let gateway: Awaited<ReturnType<typeof startExitGateway>>;
let tester: Tester;

beforeEach(async () => {
  target = await startTarget();
  gateway = await startExitGateway();
  tester = new Tester({ url: new URL(target.url), expectStatus: (status) => status === 200 });
});

afterEach(async () => {
  await tester.close();
  await gateway.close();
  await target.close();
});

it.each([
  [{ query: '' }, undefined],
  [{ query: '-cc-{region}' }, 'us'],
  [{ query: '-cc-{region}', region: 'DE' }, 'de'],
  [{ query: '-cc-{region}', regions: { GB: 'uk' } }, 'uk'],
  [{ query: '-ttl-{ttl}', sessionTtlMs: 60_000 }, undefined],
])('V8 a gateway is tested through one exit: %j', async ({ query, ...options }, region) => {
  const url = `http://U${query}-sessid-{session}:pw@${gateway.host}:${gateway.port}`;
  const proxy = parseProxy({ url, exits: 50, ...options });
  expect(await tester.test(proxy, 'http', 5000)).toMatchObject({ ok: true, status: 200 });
  expect([...gateway.exits.values()]).toMatchObject([{ requests: 1, region }]);
});

it('V8 a gateway is written with its placeholders, so that the list can be used again', () => {
  const url = 'http://U-{session}:p%2Fw{session:number}@gate.example:7777';
  const proxy = parseProxy(url);
  expect(addressOf({ proxy, protocol: 'http' }, true)).toBe(url);
  expect(addressOf({ proxy, protocol: 'http' }, false)).toBe(
    'http://U-{session}:***@gate.example:7777',
  );
});
