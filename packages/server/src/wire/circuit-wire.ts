import type { CircuitState } from '@whirl/events';
import type { CircuitSnapshot } from '@whirl/rotator';
import { z } from 'zod';
import { iso } from './time-wire.ts';

export const circuitStateSchema = z
  .enum(['closed', 'open', 'half_open'])
  .meta({ id: 'CircuitState' });

export const circuitSchema = z
  .strictObject({
    proxy_id: z.string(),
    state: circuitStateSchema,
    forced: z
      .boolean()
      .meta({ description: 'Set by a person; time does not lift it, a reset does.' }),
    failure_count: z.int().min(0),
    failure_threshold: z.int().min(1),
    window_duration: z.number().meta({ description: 'Seconds.' }),
    timeout_duration: z.number().meta({ description: 'Seconds until an open circuit is tested.' }),
    next_test_time: z.iso.datetime().nullable(),
    last_state_change: z.iso.datetime(),
  })
  .meta({ id: 'CircuitBreaker' });

/** The overrides are states of their own inside; outside they are what they do. */
export function stateToWire(state: CircuitState): z.infer<typeof circuitStateSchema> {
  if (state === 'forced_open') return 'open';
  return state === 'disabled' ? 'closed' : state;
}

export function circuitToWire(id: string, circuit: CircuitSnapshot): z.infer<typeof circuitSchema> {
  return {
    proxy_id: id,
    state: stateToWire(circuit.state),
    forced: circuit.state === 'forced_open' || circuit.state === 'disabled',
    failure_count: circuit.failureCount,
    failure_threshold: circuit.failureThreshold,
    window_duration: circuit.windowMs / 1000,
    timeout_duration: circuit.openMs / 1000,
    next_test_time: circuit.state === 'forced_open' ? null : iso(circuit.nextTestAt),
    last_state_change: iso(circuit.lastTransitionAt),
  };
}
