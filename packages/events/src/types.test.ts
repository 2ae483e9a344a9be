import { expect, expectTypeOf, it } from 'vitest';
import {
  createBus,
  type AttemptEnd,
  type Bus,
  type CircuitTransition,
  type WhirlBus,
  type WhirlEvents,
} from './index.ts';

interface Jobs {
  queued: { id: number };
  failed: Error;
  idle: undefined;
  drained: void;
  never: never;
  maybe: string | undefined;
}

it('an interface is an event map, and needs no index signature', () => {
  const bus = createBus<Jobs>();
  bus.on('queued', (event) => expectTypeOf(event).toEqualTypeOf<{ id: number }>());
  // @ts-expect-error no such event
  bus.on('queed', () => {});
  // @ts-expect-error another payload
  bus.emit('queued', { id: '7' });
  // @ts-expect-error a payload is missing
  bus.emit('failed');
});

it('an event without a payload takes no second argument', () => {
  const bus = createBus<Jobs>();
  const heard: unknown[] = [];
  bus.on('*', (...args) => void heard.push(args));
  bus.emit('idle');
  bus.emit('drained');
  bus.emit('never');
  bus.emit('maybe');
  bus.emit('maybe', 'text');
  bus.emit('idle', undefined);
  // @ts-expect-error it has no payload
  bus.emit('idle', 5);
  expect(heard).toHaveLength(7);
  expect(heard[0]).toEqual(['idle', undefined]);
});

it("'*' narrows the event by its type", () => {
  const bus = createBus<Jobs>();
  const ids: number[] = [];
  bus.on('*', (type, event) => {
    if (type === 'queued') ids.push(event.id);
    else if (type === 'failed') expectTypeOf(event).toEqualTypeOf<Error>();
    else expectTypeOf(type).toEqualTypeOf<'idle' | 'drained' | 'never' | 'maybe'>();
  });
  bus.emit('queued', { id: 7 });
  expect(ids).toEqual([7]);
  const whirl = createBus<WhirlEvents>();
  const off = whirl.on('*', (type, event) => {
    if (type === 'attempt:end') expectTypeOf(event).toEqualTypeOf<AttemptEnd>();
    if (type === 'circuit:transition') expectTypeOf(event).toEqualTypeOf<CircuitTransition>();
  });
  expectTypeOf(off).toEqualTypeOf<() => void>();
});

it("a listener of '*' may take the type alone, nothing, or any pair", () => {
  const bus = createBus<Jobs>();
  const types: string[] = [];
  const generic = <Type extends keyof Jobs>(type: Type, _event: Jobs[Type]) =>
    void types.push(type);
  bus.on('*', (type) => types.push(type));
  bus.on('*', () => {});
  bus.on('*', generic);
  bus.emit('idle');
  bus.off('*', generic);
  bus.emit('idle');
  expect(types).toEqual(['idle', 'idle', 'idle']);
});

it('a bus of more events is a bus of fewer, where those are emitted', () => {
  const bus = createBus<WhirlEvents & { mine: number }>();
  const narrow: Pick<WhirlBus, 'emit' | 'has'> = bus;
  expect(narrow.has('target:up')).toBe(false);
});

it('without a map any type is an event, of unknown payload', () => {
  const bus = createBus();
  expectTypeOf(bus).toEqualTypeOf<Bus<Record<string, unknown>>>();
  bus.on('anything', (event) => expectTypeOf(event).toBeUnknown());
  bus.emit('anything', 5);
});
