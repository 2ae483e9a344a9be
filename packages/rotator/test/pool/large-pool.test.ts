import { describe, expect, it } from 'vitest';
import { ProxyRotator } from '../../src/index.ts';
import { heldBytes } from '../support/memory.ts';
import { use } from '../support/rig.ts';

/** What a customer's list looks like: no two texts share a character in memory. */
const list = (size: number) =>
  Array.from({ length: size }, (_, i) => {
    const host = `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;
    return Buffer.from(`http://user${i}:secret${i}@${host}:8080`).toString();
  });

describe('C8 100,000 proxies configured cost at most 100 MB', () => {
  const ways: Record<string, () => ProxyRotator> = {
    'given to the constructor': () => new ProxyRotator({ proxies: list(100_000) }),
    'added one by one': () => {
      const rotator = new ProxyRotator();
      for (const proxy of list(100_000)) rotator.addProxy(proxy);
      return rotator;
    },
  };
  for (const [way, configure] of Object.entries(ways)) {
    it(way, () => {
      const before = heldBytes();
      const rotator = configure();
      use({ close: () => rotator.destroy() });
      // Looking at all of them makes no circuit.
      expect(rotator.proxies().at(-1)?.id).toBe('user99999@10.1.134.159:8080');
      expect(rotator.getCircuitBreakerStates().size).toBe(100_000);
      const { heap, arrays } = heldBytes();
      expect(heap - before.heap + arrays - before.arrays).toBeLessThan(100e6);
    });
  }
});
