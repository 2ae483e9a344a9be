import { signal } from '@preact/signals';
import { api } from './api.ts';
import type * as Wire from './wire.ts';

/** What the server is, with its gateway. Undefined until it told; an older one does not. */
export const status = signal<Wire.WireStatus | undefined>(undefined);

/** The targets asked for last; undefined where the server tells of none. */
export const targets = signal<readonly Wire.WireTarget[] | undefined>(undefined);

/** The servers that share this pool; null where this one is alone. */
export const fleet = signal<Wire.WireFleet | null>(null);

/** Everything that the pool is not: read now and then, and when an event says that it changed. */
export async function seeOverview(): Promise<void> {
  await Promise.all([seeStatus(), seeTargets(), seeFleet()]);
}

// An older server lacks one or the other; then the page does without.

export async function seeStatus(): Promise<void> {
  status.value = await known(api.call<Wire.WireStatus>('GET', 'status'), status.value);
}

async function seeTargets(): Promise<void> {
  const answer = await known(
    api.call<{ targets: Wire.WireTarget[] }>('GET', 'targets?limit=20'),
    undefined,
  );
  if (answer !== undefined) targets.value = answer.targets;
}

async function seeFleet(): Promise<void> {
  fleet.value = await readFleet('fleet');
}

/** What each process of the fleet says of a proxy. */
export async function readReports(proxyId: string): Promise<readonly Wire.WireFleetReport[]> {
  if (fleet.value === null) return [];
  return (await readFleet(`fleet?proxy_id=${encodeURIComponent(proxyId)}`))?.reports ?? [];
}

async function readFleet(path: string): Promise<Wire.WireFleet | null> {
  return (
    (await known(api.call<{ fleet: Wire.WireFleet | null }>('GET', path), undefined))?.fleet ?? null
  );
}

async function known<Value>(reading: Promise<Value>, otherwise: Value | undefined) {
  try {
    return await reading;
  } catch {
    return otherwise;
  }
}
