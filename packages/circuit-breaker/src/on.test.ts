import { createBus, type CircuitTransition, type WhirlEvents } from '@whirl/events';
import { expect, test, vi } from 'vitest';
import { CircuitBreaker } from './index.ts';

test('K20b on() delivers this breaker’s transitions until it is unsubscribed', () => {
  let t = 5;
  const breaker = new CircuitBreaker({ name: 'db', now: () => t });
  const heard: CircuitTransition[] = [];
  const off = breaker.on('circuit:transition', (event) => heard.push(event));
  breaker.trip();
  expect(heard).toEqual([
    {
      name: 'db',
      from: 'closed',
      to: 'open',
      reason: 'custom',
      generation: 1,
      failureCount: 0,
      nextTestAt: 30_005,
      at: 5,
    },
  ]);
  off();
  off();
  breaker.reset();
  expect(heard).toHaveLength(1);
});

test('K20b one function may subscribe twice, and each subscription ends by itself', () => {
  const breaker = new CircuitBreaker();
  const listener = vi.fn();
  const off = breaker.on('circuit:transition', listener);
  breaker.on('circuit:transition', listener);
  breaker.trip();
  expect(listener).toHaveBeenCalledTimes(2);
  off();
  breaker.reset();
  expect(listener).toHaveBeenCalledTimes(3);
});

test('K15 the bus and the listeners of on() get all transitions in their true order', () => {
  const bus = createBus<WhirlEvents>();
  const breaker = new CircuitBreaker({ bus });
  const heard: string[] = [];
  bus.on('circuit:transition', ({ to }) => {
    heard.push(`bus ${to}`);
    if (to === 'forced_open') breaker.disable();
  });
  breaker.on('circuit:transition', ({ to }) => {
    heard.push(`first ${to}`);
    if (to === 'open') breaker.forceOpen();
  });
  breaker.on('circuit:transition', ({ to }) => heard.push(`second ${to}`));
  breaker.trip();
  expect(heard).toEqual(
    ['open', 'forced_open', 'disabled'].flatMap((to) => [
      `first ${to}`,
      `second ${to}`,
      `bus ${to}`,
    ]),
  );
});

test('K15 a listener that throws or rejects is written to the console and harms nothing', async () => {
  const told = vi.spyOn(console, 'error').mockImplementation(() => {});
  const breaker = new CircuitBreaker();
  const errors = [new Error('thrown'), new Error('rejected')];
  breaker.on('circuit:transition', () => {
    throw errors[0]!;
  });
  breaker.on('circuit:transition', () => Promise.reject(errors[1]));
  const last = vi.fn();
  breaker.on('circuit:transition', last);
  breaker.trip();
  expect([breaker.state, last.mock.calls.length]).toEqual(['open', 1]);
  await vi.waitFor(() => expect(told.mock.calls).toEqual([[errors[0]], [errors[1]]]));
  told.mockRestore();
});

test('K20b a bus without listeners is given no event', () => {
  const emit = vi.fn();
  const breaker = new CircuitBreaker({ bus: { has: () => false, emit } });
  breaker.on('circuit:transition', () => {})();
  breaker.trip();
  expect(emit).not.toHaveBeenCalled();
});

test('K15 the error of a bus that throws is written to the console, and the bus gets the next transition', async () => {
  const told = vi.spyOn(console, 'error').mockImplementation(() => {});
  const error = new Error('bus');
  const heard: string[] = [];
  const breaker = new CircuitBreaker({
    bus: {
      has: () => true,
      emit: (_type, event) => {
        heard.push((event as CircuitTransition).to);
        throw error;
      },
    },
  });
  breaker.on('circuit:transition', ({ to }) => heard.push(`listener ${to}`));
  breaker.trip();
  breaker.reset();
  expect(heard).toEqual(['listener open', 'open', 'listener closed', 'closed']);
  await vi.waitFor(() => expect(told.mock.calls).toEqual([[error], [error]]));
  told.mockRestore();
});

test('K15 a transition that a listener of another breaker causes waits for its turn', () => {
  const first = new CircuitBreaker({ name: 'first' });
  const second = new CircuitBreaker({ name: 'second' });
  const heard: string[] = [];
  second.on('circuit:transition', ({ name }) => heard.push(name));
  first.on('circuit:transition', () => second.trip());
  first.on('circuit:transition', ({ name }) => heard.push(name));
  first.trip();
  expect(heard).toEqual(['first', 'second']);
});

test('K20b another type of event and a listener that is no function are refused', () => {
  const breaker = new CircuitBreaker();
  expect(() => breaker.on('open' as never, () => {})).toThrow(
    new TypeError('unknown option "open"; known are circuit:transition'),
  );
  for (const listener of [5, null, undefined]) {
    expect(() => breaker.on('circuit:transition', listener as never)).toThrow(
      /^circuit:transition must be a function, got /,
    );
  }
});
