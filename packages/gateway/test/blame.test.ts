import { describe, expect, it } from 'vitest';
import { clientHello, serverHello } from './support/client-hello.ts';
import { granted, rig, tunnelTo, until } from './support/rig.ts';
import { scripts } from './support/scripted-proxy.ts';

const hello = clientHello([0, 9], [43, 3]);

describe('W26 proxies that fail after their 200 for one target', () => {
  it('are judged by the evidence: no circuit of a flawless proxy opens', async () => {
    const good = scripts.says(serverHello, hello.length);
    const banned = scripts.rst(hello.length);
    const { port, rotator } = await rig(
      [banned, banned].map((bad) => (socket, tunnel) => {
        if (tunnel.authority.startsWith('bad.')) bad(socket, tunnel);
        else good(socket, tunnel);
      }),
      { retryPolicy: { maxAttempts: 2, failoverDelay: 'none' } },
    );
    const one = async (authority: string) => {
      const wire = await tunnelTo(port, authority);
      wire.write(hello);
      await Promise.race([wire.ended, wire.read(granted.length + serverHello.length)]);
      wire.close();
    };
    for (let i = 0; i < 10; i++) {
      await one('good.example:443');
      await one('bad.example:443');
    }
    const states = [...rotator.getCircuitBreakerStates().values()].map(({ state }) => state);
    expect(states.every((state) => state === 'closed')).toBe(true);
  });
});

describe('W25 hedging', () => {
  it('sends the same first flight through a second proxy, and the first response wins', async () => {
    const { port, proxies } = await rig(
      [scripts.silent, scripts.says(serverHello, hello.length)],
      { firstByteMs: 60_000 },
      { hedge: { afterMs: 50 } },
    );
    const wire = await tunnelTo(port, 'shop.example:443');
    wire.write(hello);
    await wire.read(granted.length + serverHello.length);
    expect(proxies.map(({ tunnels }) => tunnels[0]?.received)).toEqual([hello, hello]);
    await until(() => proxies[0]?.openSockets() === 0);
  });
});
