import { createBus, type WhirlEvents } from '@whirl/events';
import { startProxy, startTarget } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { banProxy, ProxyRotator } from '../../src/index.ts';
import { use } from '../support/rig.ts';

/** Two rotators on one bus whose proxies have the same id, and what the bus said. */
async function pair() {
  const bus = createBus<WhirlEvents>();
  const target = use(await startTarget());
  const proxy = use(await startProxy());
  const make = (options = {}) => {
    const proxies = [{ id: 'a', url: proxy.url }];
    const rotator = new ProxyRotator({ bus, proxies, metrics: false, ...options });
    use({ close: () => rotator.destroy() });
    return rotator;
  };
  const told: string[] = [];
  bus.on('*', (type) => void told.push(type));
  return { target, make, told };
}

describe('a bus that two rotators share', () => {
  it('a circuit that one opens does not keep the other from its own proxy of that id', async () => {
    const { target, make } = await pair();
    const [one, other] = [make(), make()];
    one.forceOpenCircuitBreaker('a');
    const response = await other.get(target.url);
    expect(response.proxyId).toBe('a');
    await response.body.dump();
  });

  it('neither attempts nor bans of one are known to the other', async () => {
    const { target, make } = await pair();
    const banRules = [{ name: 'blocked', judge: () => banProxy(60_000) }];
    const [one, other] = [make({ banRules, retryPolicy: null }), make()];
    await (await one.get(target.url)).body.dump();
    expect(one.proxies()).toMatchObject([{ successRate: 0 }]);
    expect(other.proxies()).toMatchObject([{ successRate: 0.5, score: 0.8 }]);
    const response = await other.get(target.url);
    await response.body.dump();
    expect(other.proxies()).toMatchObject([{ successRate: 1 }]);
    expect(one.proxies()).toMatchObject([{ successRate: 0 }]);
  });

  it('M7b a transition names the proxy that the circuit belongs to', async () => {
    const { make } = await pair();
    const rotator = make();
    const heard: (string | undefined)[] = [];
    rotator.bus.on('circuit:transition', ({ proxyId }) => void heard.push(proxyId));
    rotator.forceOpenCircuitBreaker('a');
    expect(heard).toEqual(['a']);
  });

  it('its listeners get every event once, and in order', async () => {
    const { target, make, told } = await pair();
    const banRules = [{ name: 'blocked', judge: () => banProxy(60_000) }];
    await (await make({ banRules, retryPolicy: null }).get(target.url)).body.dump();
    expect(told).toEqual([
      'proxy:added',
      'request:start',
      'attempt:start',
      'connection:open',
      'proxy:banned',
      'circuit:transition',
      'attempt:end',
      'request:end',
    ]);
  });
});
