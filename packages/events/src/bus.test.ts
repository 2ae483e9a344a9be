import { describe, expect, it, vi } from 'vitest';
import { createBus } from './index.ts';

type Events = { a: { n: number }; b: string };

describe('createBus', () => {
  it('delivers to all in order of subscription, typed listeners before "*"', () => {
    const bus = createBus<Events>();
    const heard: string[] = [];
    bus.on('*', (type) => heard.push(`*${type}`));
    bus.on('a', ({ n }) => heard.push(`first${n}`));
    bus.on('a', ({ n }) => heard.push(`second${n}`));
    bus.emit('a', { n: 1 });
    expect(heard).toEqual(['first1', 'second1', '*a']);
  });

  it('on returns its own unsubscribe, which leaves a second subscription of the same function', () => {
    const bus = createBus<Events>();
    const listener = vi.fn<(event: string) => void>();
    const off = bus.on('b', listener);
    bus.on('b', listener);
    off();
    off();
    bus.emit('b', 'x');
    expect(listener).toHaveBeenCalledTimes(1);
    bus.off('b', listener);
    bus.emit('b', 'y');
    expect(listener).toHaveBeenCalledTimes(1);
  });

  it('has is true only while there is a listener, and counts "*"', () => {
    const bus = createBus<Events>();
    expect(bus.has('a')).toBe(false);
    const off = bus.on('a', () => {});
    expect(bus.has('a')).toBe(true);
    expect(bus.has('b')).toBe(false);
    off();
    expect(bus.has('a')).toBe(false);
    const offAll = bus.on('*', () => {});
    expect(bus.has('b')).toBe(true);
    offAll();
    expect(bus.has('b')).toBe(false);
  });

  it('once delivers one event, and can be unsubscribed before it', () => {
    const bus = createBus<Events>();
    const heard: string[] = [];
    bus.once('b', (event) => heard.push(event));
    const off = bus.once('b', () => heard.push('never'));
    off();
    bus.emit('b', '1');
    bus.emit('b', '2');
    expect(heard).toEqual(['1']);
    expect(bus.has('b')).toBe(false);
  });

  it('an error of a listener stays with it: the others are called, the emitter goes on, onListenerError gets it', () => {
    const errors: unknown[] = [];
    const bus = createBus<Events>({ onListenerError: (error, type) => errors.push([error, type]) });
    const boom = new Error('boom');
    const heard: string[] = [];
    bus.on('b', () => {
      throw boom;
    });
    bus.on('b', (event) => heard.push(event));
    bus.emit('b', 'x');
    expect(heard).toEqual(['x']);
    expect(errors).toEqual([[boom, 'b']]);
  });

  it('K15 an emit made inside a listener waits until the current event has reached all listeners', () => {
    const bus = createBus<Events>();
    const heard: string[] = [];
    bus.on('a', ({ n }) => {
      if (n < 3) bus.emit('a', { n: n + 1 });
    });
    bus.on('a', ({ n }) => heard.push(`late${n}`));
    bus.on('*', (type, event) => heard.push(`${type}${(event as { n: number }).n}`));
    bus.emit('a', { n: 1 });
    expect(heard).toEqual(['late1', 'a1', 'late2', 'a2', 'late3', 'a3']);
  });

  it('a listener that is not a function is refused with the name of the event', () => {
    const bus = createBus<Events>();
    expect(() => bus.on('a', 1 as never)).toThrow(/^listener "a" must be a function, got number$/);
  });

  it('a listener that unsubscribed is called no more, not even with the event that is being delivered', () => {
    const bus = createBus<Events>();
    const heard: string[] = [];
    bus.on('b', () => {
      off();
      bus.off('b', third);
    });
    const off = bus.on('b', () => heard.push('second'));
    const third = () => heard.push('third');
    bus.on('b', third);
    bus.emit('b', 'x');
    expect(heard).toEqual([]);
  });

  it('a listener of once is called once, even when its listener emits the same again', () => {
    const bus = createBus<Events>();
    const heard: string[] = [];
    bus.once('b', (event) => {
      heard.push(event);
      bus.emit('b', 'again');
    });
    bus.emit('b', 'first');
    expect(heard).toEqual(['first']);
  });

  it('off removes every subscription of a listener, once ones too, and no other', () => {
    const bus = createBus<Events>();
    const heard: string[] = [];
    const listener = () => heard.push('gone');
    bus.on('b', listener);
    bus.once('b', listener);
    bus.on('b', () => heard.push('other'));
    bus.off('b', listener);
    bus.off('b', listener);
    bus.off('a', listener);
    bus.emit('b', 'x');
    expect(heard).toEqual(['other']);
  });

  it('K15 emits made inside listeners keep their order, also across types and after an error', () => {
    const bus = createBus<Events>({ onListenerError: () => bus.emit('b', 'error') });
    const heard: string[] = [];
    bus.on('a', ({ n }) => {
      heard.push(`a${n}`);
      if (n > 1) return;
      bus.emit('b', 'one');
      bus.emit('a', { n: 2 });
      throw new Error('boom');
    });
    bus.on('a', ({ n }) => heard.push(`A${n}`));
    bus.on('b', (event) => heard.push(event));
    bus.emit('a', { n: 1 });
    bus.emit('b', 'after');
    expect(heard).toEqual(['a1', 'A1', 'one', 'a2', 'A2', 'error', 'after']);
  });

  it('without onListenerError, or when that throws too, the error is written out and harms no other', () => {
    const written = vi.spyOn(console, 'error').mockImplementation(() => {});
    const [boom, second] = [new Error('boom'), new Error('second')];
    const heard: string[] = [];
    const plain = createBus<Events>();
    const failing = createBus<Events>({
      onListenerError: () => {
        throw second;
      },
    });
    for (const bus of [plain, failing]) {
      bus.on('b', () => {
        throw boom;
      });
      bus.on('b', (event) => heard.push(event));
      bus.emit('b', 'x');
    }
    const errors = written.mock.calls;
    written.mockRestore();
    expect(heard).toEqual(['x', 'x']);
    expect(errors).toEqual([[boom, 'b'], [second]]);
  });

  it('a console that throws ends neither the event nor the bus', () => {
    const written = vi.spyOn(console, 'error').mockImplementation(() => {
      throw new Error('no output wanted here');
    });
    const heard: string[] = [];
    const bus = createBus<Events>();
    bus.on('b', () => {
      throw new Error('boom');
    });
    bus.on('b', (event) => heard.push(event));
    bus.emit('b', 'x');
    bus.emit('b', 'y');
    expect(written).toHaveBeenCalledTimes(2);
    written.mockRestore();
    expect(heard).toEqual(['x', 'y']);
  });

  it("an async listener's rejection reaches onListenerError, and one of that the console", async () => {
    const written = vi.spyOn(console, 'error').mockImplementation(() => {});
    const errors: unknown[] = [];
    const bus = createBus<Events>({
      onListenerError: async (error, type) => {
        errors.push([error, type]);
        throw 'second';
      },
    });
    bus.on('b', async () => {
      throw 'boom';
    });
    bus.on('*', async () => {
      throw 'wild';
    });
    bus.emit('b', 'x');
    await new Promise((resolve) => setImmediate(resolve));
    expect(errors).toEqual([
      ['boom', 'b'],
      ['wild', 'b'],
    ]);
    expect(written.mock.calls).toEqual([['second'], ['second']]);
    written.mockRestore();
  });

  it("'*' gets an error with the type of its event", () => {
    const types: string[] = [];
    const bus = createBus<Events>({ onListenerError: (_, type) => types.push(type) });
    bus.on('*', () => {
      throw new Error('boom');
    });
    bus.emit('b', 'x');
    expect(types).toEqual(['b']);
  });

  it('bad options are refused by name', () => {
    expect(() => createBus({ onError: () => {} } as never)).toThrow(
      new TypeError('unknown option "onError"; known are onListenerError'),
    );
    expect(() => createBus({ onListenerError: 5 as never })).toThrow(
      new TypeError('onListenerError must be a function, got number'),
    );
  });

  it('an emit without listeners allocates nothing', () => {
    const event = { n: 1 };
    // Few enough to fit between two collections, which would make the heap smaller.
    const count = 1000;
    /** Bytes by which the heap grows for each emit: the median of many rounds. */
    const bytesPerEmit = (bus: { emit(type: 'a', payload: Events['a']): void }) => {
      const grown = Array.from({ length: 200 }, () => {
        const before = process.memoryUsage().heapUsed;
        for (let i = 0; i < count; i++) bus.emit('a', event);
        return (process.memoryUsage().heapUsed - before) / count;
      });
      // The first half warms the code up.
      return grown.slice(100).sort((one, other) => one - other)[50];
    };
    const silent = createBus<Events>();
    silent.on('b', () => {});
    silent.on('a', () => {})();
    const heard = createBus<Events>();
    heard.on('a', () => {});
    // An object is 16 bytes at the least; reading the heap's size takes some itself.
    expect(bytesPerEmit(silent)).toBeLessThan(8);
    expect(bytesPerEmit(heard)).toBeGreaterThan(16);
  });
});
