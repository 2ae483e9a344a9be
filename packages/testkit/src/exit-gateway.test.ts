import { ProxyAgent, request } from 'undici';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startExitGateway, type ExitFate, type ExitGateway } from './exit-gateway.ts';
import { startTarget, type Target } from './target.ts';

let target: Target;
let gateway: ExitGateway;
const clock = { at: 0 };
const fates: Record<string, ExitFate> = { dead1: 'dead', banned1: 'banned' };

beforeEach(async () => {
  target = await startTarget();
  const fate = (session: string) => fates[session] ?? 'ok';
  gateway = await startExitGateway({ fate, ttlMs: 1000, now: () => clock.at });
});

afterEach(async () => {
  await gateway.close();
  await target.close();
});

async function ask(session: string, password = 'pw', tunnel = false): Promise<number | string> {
  const token = `Basic ${Buffer.from(`U-cc-us-sessid-${session}:${password}`).toString('base64')}`;
  const uri = `http://${gateway.host}:${gateway.port}`;
  const dispatcher = new ProxyAgent({ uri, token, proxyTunnel: tunnel });
  try {
    const { statusCode, body } = await request(target.url, { dispatcher });
    await body.dump();
    return statusCode;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await dispatcher.destroy();
  }
}

it('a session leads to one exit, whose fate is decided once', async () => {
  expect([await ask('good1'), await ask('dead1'), await ask('banned1')]).toEqual([200, 502, 403]);
  expect(await ask('good1')).toBe(200);
  expect(gateway.exits.get('good1')).toMatchObject({ requests: 2, region: 'us' });
  expect(target.received[0]?.headers['x-exit']).toBe('good1');
});

it('a tunnel leads to the target, or is refused', async () => {
  expect(await ask('good1', 'pw', true)).toBe(200);
  expect(await ask('dead1', 'pw', true)).toContain('502');
});

it('after its time a session has another exit', async () => {
  await ask('good1');
  clock.at += 1000;
  await ask('good1');
  expect(gateway.exits.get('good1')).toMatchObject({ requests: 1, since: clock.at });
});

it('the whole gateway refuses, is down, and comes back on its port', async () => {
  expect(String(await ask('good1', 'wrong'))).toContain('407');
  await gateway.mood('no balance');
  expect(await ask('good1')).toBe(402);
  await gateway.mood('wrong password');
  expect(String(await ask('good1'))).toContain('407');
  await gateway.mood('down');
  expect(await ask('good1')).toContain('ECONNREFUSED');
  await gateway.mood('ok');
  expect(await ask('good1')).toBe(200);
});
