import { channel, type Channel } from 'node:diagnostics_channel';
import type { WhirlBus, WhirlEvents } from '@whirl/events';

const channels = new Map<string, Channel>();

function channelOf(type: keyof WhirlEvents): Channel {
  let found = channels.get(type);
  if (found === undefined) channels.set(type, (found = channel(`whirl:${type}`)));
  return found;
}

/**
 * The bus, and beside it a channel `whirl:<type>` of `node:diagnostics_channel` for every type of
 * event, so that tracing tools hear of attempts without being handed the rotator: undici's own
 * channels never link a request to its proxy. An event without subscribers is not built.
 */
export function withChannels(bus: WhirlBus): WhirlBus {
  return {
    on: bus.on.bind(bus) as WhirlBus['on'],
    once: bus.once.bind(bus) as WhirlBus['once'],
    off: bus.off.bind(bus) as WhirlBus['off'],
    has: (type) => bus.has(type) || channelOf(type).hasSubscribers,
    emit(type, event) {
      bus.emit(type, event);
      channelOf(type).publish(event);
    },
  };
}
