import { api } from './api.ts';
import type * as Wire from './wire.ts';

/** The transitions of a day, of all circuits. */
export async function readCircuitEvents(): Promise<readonly Wire.WireCircuitEvent[]> {
  const { events: all } = await api.call<{ events: Wire.WireCircuitEvent[] }>(
    'GET',
    'circuit-breakers/metrics?hours=24',
  );
  return all;
}

/** The latest transitions of one proxy's circuit, newest first. */
export async function readTransitions(id: string): Promise<readonly Wire.WireCircuitEvent[]> {
  return (await readCircuitEvents())
    .filter(({ proxy_id }) => proxy_id === id)
    .toSorted((a, b) => b.timestamp.localeCompare(a.timestamp))
    .slice(0, 8);
}
