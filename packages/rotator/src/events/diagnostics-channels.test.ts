import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createBus, type WhirlEvents } from '@whirl/events';
import { expect, it, onTestFinished } from 'vitest';
import { withChannels } from './diagnostics-channels.ts';
import { rig } from '../../test/support/pool-rig.ts';

function hear(type: keyof WhirlEvents): unknown[] {
  const heard: unknown[] = [];
  const listener = (event: unknown) => void heard.push(event);
  subscribe(`whirl:${type}`, listener);
  onTestFinished(() => void unsubscribe(`whirl:${type}`, listener));
  return heard;
}

it('every event is published on its channel, without its password', async () => {
  const heard = hear('attempt:end');
  const { rotator, target, proxies } = await rig([{ kind: 'ok' }]);
  await (await rotator.get(target.url)).body.dump();
  expect(heard).toEqual([
    expect.objectContaining({ proxyId: proxies[0]?.id, outcome: 'success', attempt: 0 }),
  ]);
});

it('a channel without subscribers asks for no event', () => {
  const bus = withChannels(createBus<WhirlEvents>());
  expect(bus.has('attempt:end')).toBe(false);
  hear('attempt:end');
  expect(bus.has('attempt:end')).toBe(true);
  expect(bus.has('attempt:start')).toBe(false);
});
