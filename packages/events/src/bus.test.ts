import { describe, expect, it, vi } from 'vitest';
import { createBus } from './index.ts';

type Events = { a: { n: number }; b: string };

describe('createBus', () => {
  it('delivers to everybody in order of subscription, typed listeners before "*"', () => {
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

  it('has is true only while somebody listens, and counts "*"', () => {
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

  it('once hears one event, and can be taken back before it', () => {
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

  it("a listener's fault is kept to itself: others hear, the emitter goes on, onListenerError knows", () => {
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

  it('K15 an emit made inside a listener waits until the current event has reached everybody', () => {
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
    expect(() => bus.on('a', 1 as never)).toThrow(/"a" must be a function/);
  });
});
