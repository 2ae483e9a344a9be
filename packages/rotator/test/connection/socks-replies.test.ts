import { once } from 'node:events';
import net from 'node:net';
import { startSocks, startTarget } from '@whirl/testkit';
import { roundRobin } from '@whirl/selector';
import { describe, expect, it } from 'vitest';
import { errorOf, fast } from '../support/pool-rig.ts';
import { failureOf, startRotator, use } from '../support/rig.ts';

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

describe('E1, E2 what a SOCKS5 proxy reports of the target (RFC 1928, section 6)', () => {
  for (const [reply, name, blame] of [
    [1, 'general failure', 'unknown'],
    [2, 'not allowed by ruleset', 'route'],
    [3, 'network unreachable', 'unknown'],
    [4, 'host unreachable', 'unknown'],
    [5, 'connection refused', 'unknown'],
    [6, 'TTL expired', 'unknown'],
    [7, 'command not supported', 'proxy'],
    [8, 'address type not supported', 'proxy'],
  ] as const) {
    it(`${reply} ${name}: while nothing else is known, ${blame}`, async () => {
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
      expect(seen).toEqual(Array(2).fill(`socks ${blame}`));
    });
  }

  it('E5b a dead target opens circuits of a pool of good SOCKS proxies until another target is asked for', async () => {
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
    const states = () =>
      [...rotator.getCircuitBreakerStates().values()].map(({ state, provisional }) =>
        provisional ? `${state} provisionally` : state,
      );
    expect(states()).toEqual(Array(3).fill('open provisionally'));
    expect(await errorOf(rotator.get(dead.url))).toMatchObject({
      code: 'ALL_PROXIES_UNAVAILABLE',
      message: expect.stringMatching(
        /^the circuits of all 3 proxies are open: no proxy has had a response from http:\/\/\S+ for \d+ s; it may be the target$/,
      ) as string,
    });
    await (await rotator.get(target.url)).body.dump();
    expect(states()).toEqual(Array(3).fill('closed'));
    // Not alone any more: the dead target opens nothing.
    for (let i = 0; i < 6; i++) await errorOf(rotator.get(dead.url));
    expect(states()).toEqual(Array(3).fill('closed'));
  });
});
