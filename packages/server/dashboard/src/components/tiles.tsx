import type { ComponentChildren } from 'preact';
import { useComputed } from '@preact/signals';
import { formatCount, formatLatency, formatNumber, formatPercent } from '../format.ts';
import { hours, rows, states } from '../store.ts';
import { sumTraffic } from '../traffic.ts';
import type { CircuitState } from '../wire.ts';
import { stateIcons, stateNames } from './circuit-chip.tsx';
import { Icon } from './icons.tsx';

/** The figures one looks at first. */
export function Tiles() {
  const day = useComputed(() => sumTraffic(hours.value ?? []));
  const hour = hours.value?.at(-1);
  const { requests, retries, successRate } = day.value;
  return (
    <section class="tiles" aria-label="Key figures">
      <PoolTile />
      <Tile
        name="requests"
        label="Requests"
        now={formatCount(hour?.requests)}
        day={formatCount(requests)}
      />
      <Tile
        name="retries"
        label="Retries"
        now={formatCount(hour?.retries)}
        day={formatCount(retries)}
      />
      <Tile
        name="success"
        label="Success rate"
        now={formatPercent(hour?.successRate)}
        day={formatPercent(successRate)}
      />
      <Tile name="latency" label="Latency, p95" now={formatLatency(hour?.p95)}>
        p50 {formatLatency(hour?.p50)} · p99 {formatLatency(hour?.p99)}
      </Tile>
    </section>
  );
}

interface TileProps {
  readonly name: string;
  readonly label: string;
  readonly now: string;
  readonly day?: string;
  readonly children?: ComponentChildren;
}

function Tile({ name, label, now, day, children }: TileProps) {
  return (
    <div class="tile" data-tile={name}>
      <h2>
        {label} <small>this hour</small>
      </h2>
      <p class="figure">{now}</p>
      <p class="muted">{day === undefined ? children : <>24 h: {day}</>}</p>
    </div>
  );
}

const order: readonly CircuitState[] = ['closed', 'half_open', 'open'];

function PoolTile() {
  const all = rows.value;
  const counts = states.value;
  const inFlight = useComputed(() =>
    (rows.value ?? []).reduce((sum, row) => sum + row.inFlight, 0),
  );
  const size = all?.length ?? 0;
  return (
    <div class="tile pool-tile" data-tile="pool">
      <h2>
        Proxies available{' '}
        <small>{formatNumber(inFlight.value, 'attempt', 'attempts')} in flight</small>
      </h2>
      <p class="figure">
        {all === undefined ? '–' : formatCount(size - counts.open)}
        <small> of {all === undefined ? '–' : formatCount(size)}</small>
      </p>
      <div class="share" aria-hidden="true">
        {order
          .filter((state) => counts[state] > 0)
          .map((state) => (
            <span key={state} class={state} style={{ flexGrow: counts[state] }} />
          ))}
      </div>
      <ul class="legend">
        {order.map((state) => (
          <li key={state} class={state}>
            <Icon name={stateIcons[state]} />
            {formatCount(counts[state])} {stateNames[state].toLowerCase()}
          </li>
        ))}
      </ul>
    </div>
  );
}
