import type { CircuitState } from '@whirl/events';
import type { RetryPolicy } from '@whirl/rotator';
import { stateToWire } from './circuit-wire.ts';
import { policyToWire } from './policy-wire.ts';
import { iso } from './time-wire.ts';

/** Fields that have another name on the wire than their snake_case. */
const renamed: Readonly<Record<string, string>> = {
  at: 'timestamp',
  nextTestAt: 'next_test_time',
};

/** Epoch milliseconds, whatever they are called. */
const times = new Set(['at', 'nextTestAt', 'until']);

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/**
 * An event of the bus as it travels: snake_case, durations in seconds, times in ISO 8601, and a
 * circuit's transition in the words of the circuit routes.
 */
export function eventToWire(type: string, event: object): Record<string, unknown> {
  const wire: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(event)) {
    if (value === undefined) continue;
    if (times.has(name)) wire[renamed[name] ?? snake(name)] = iso(value as number);
    else if (name.endsWith('Ms')) wire[snake(name.slice(0, -2))] = (value as number) / 1000;
    else wire[snake(name)] = value;
  }
  if (type === 'circuit:transition') {
    const { name, from, to, ...rest } = wire;
    return {
      proxy_id: name,
      from_state: stateToWire(from as CircuitState),
      to_state: stateToWire(to as CircuitState),
      ...rest,
    };
  }
  if (type === 'group:transition') {
    const { from, to, ...rest } = wire;
    return {
      from_state: stateToWire(from as CircuitState),
      to_state: stateToWire(to as CircuitState),
      ...rest,
    };
  }
  if (type === 'policy:changed' && wire.policy !== null) {
    wire.policy = policyToWire(wire.policy as RetryPolicy);
  }
  return wire;
}
