import { createVirtualClock } from '@whirl/testkit';
import { expect, it } from 'vitest';
import { memoryStore } from './memory-store.ts';
import { storeContract } from './testing/store-contract.test-kit.ts';

storeContract('memoryStore()', async () => {
  const clock = createVirtualClock();
  return {
    store: memoryStore({ now: () => clock.now() }),
    wait: async (ms) => clock.advance(ms),
    close: async () => {},
  };
});

it('refuses options that it does not have', () => {
  expect(() => memoryStore({ clock: () => 0 } as never)).toThrow(
    'unknown option "clock"; known are now',
  );
  expect(() => memoryStore({ now: 5 as never })).toThrow('now must be a function, got 5');
});
