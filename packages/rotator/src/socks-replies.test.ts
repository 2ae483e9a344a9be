import { once } from 'node:events';
import net from 'node:net';
import { startSocks, startTarget } from '@whirl/testkit';
import { roundRobin } from '@whirl/selector';
import { describe, expect, it } from 'vitest';
import { errorOf, fast } from './testing/pool-rig.ts';
import { failureOf, startRotator, use } from './testing/rig.ts';

/** A SOCKS5 proxy that answers every request with one reply of RFC 1928. */
async function replying(reply: number): Promise<string> {
  const server = net.createServer((socket) => {
    socket.once('data', () => {
      socket.write(Buffer.from([5, 0]));
      socket.once('data', () => socket.end(Buffer.from([5, reply, 0, 1, 0, 0, 0, 0, 0, 0])));
    });
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  use(server);
  return `socks5h://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}

describe('C5 what a SOCKS5 proxy says of the target (RFC 1928, section 6)', () => {
  for (const [reply, name, blames] of [
    [1, 'general failure', ['proxy', 'proxy']],
    [2, 'not allowed by ruleset', ['proxy', 'proxy']],
    [3, 'network unreachable', ['proxy', 'target']],
    [4, 'host unreachable', ['proxy', 'target']],
    [5, 'connection refused', ['proxy', 'target']],
    [6, 'TTL expired', ['proxy', 'target']],
    [7, 'command not supported', ['proxy', 'proxy']],
    [8, 'address type not supported', ['proxy', 'proxy']],
  ] as const) {
    it(`${reply} ${name}: met through two proxies it is the ${blames[1]}'s`, async () => {
      const proxies = [await replying(reply), await replying(reply)];
      const rotator = startRotator({
        proxies,
        strategy: roundRobin(),
        retryPolicy: { ...fast, maxAttempts: 2 },
      });
      const seen: string[] = [];
      rotator.bus.on('attempt:end', ({ blame, phase }) => seen.push(`${phase} ${blame}`));
      const error = await failureOf(rotator.get('http://t.test/'));
      expect(error).toMatchObject({ code: 'PROXY_CONNECTION', phase: 'socks', socksReply: reply });
      expect(seen).toEqual(blames.map((blame) => `socks ${blame}`));
    });
  }

  it('a dead target opens no circuit of a pool of good SOCKS proxies', async () => {
    const target = use(await startTarget());
    const dead = use(await startTarget());
    await dead.close();
    const pool = await Promise.all([1, 2, 3].map(async () => use(await startSocks())));
    const rotator = startRotator({
      proxies: pool.map(({ url }) => url),
      strategy: roundRobin(),
      circuitBreaker: { failureThreshold: 2 },
      retryPolicy: fast,
      budget: false,
    });
    for (let i = 0; i < 6; i++) await errorOf(rotator.get(dead.url));
    expect(rotator.proxies().map(({ state }) => state)).toEqual(Array(3).fill('closed'));
    await (await rotator.get(target.url)).body.dump();
  });
});
