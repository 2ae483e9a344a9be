import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { formatCount, formatNumber } from '../format.ts';
import type { PoolRow } from '../pool.ts';
import { holdOrder, viewPool } from '../pool-view.ts';
import { filter, findMore, found, metricsHours, sorting } from '../finding.ts';
import { refreshNow, rows, states } from '../store.ts';
import { stateIcons, stateNames } from './circuit-chip.tsx';
import { Icon } from './icons.tsx';
import { PoolTable } from './pool-table.tsx';
import { RemoveUnhealthy } from './remove-unhealthy.tsx';

/** The pool: search, filter by state, and the table. */
export function PoolCard() {
  const held = useSignal(false);
  const last = useRef<readonly PoolRow[]>([]);
  const sorted = useComputed(
    () => found.value?.rows ?? viewPool(rows.value ?? [], filter.value, sorting.value),
  );
  const all = found.value === undefined ? rows.value : found.value.rows;
  // Rows do not move away under a pointer that is about to press something.
  const shown = held.value ? holdOrder(last.current, all ?? []) : sorted.value;
  last.current = shown;
  // A new question gets its answer in order, wherever the pointer is.
  useEffect(() => {
    held.value = false;
  }, [filter.value, sorting.value]);

  return (
    <section
      class="card pool"
      id="pool"
      aria-labelledby="pool-title"
      data-loaded={rows.value !== undefined}
    >
      <header>
        <h2 id="pool-title">Pool</h2>
        <label class="search">
          <Icon name="search" />
          <input
            type="search"
            placeholder="Find by id, region, tag"
            aria-label="Find proxies by id, region or tag"
            value={filter.value.text}
            onInput={(event) =>
              (filter.value = { ...filter.value, text: event.currentTarget.value })
            }
          />
        </label>
        <StateFilter />
        <Period />
      </header>
      <PoolTable
        shown={shown}
        onHold={(hold) => {
          held.value = hold;
        }}
      />
      <footer>
        <span class="muted" aria-live="polite">
          {footer(shown.length, found.value?.total ?? rows.value?.length, held.value)}
        </span>
        {found.value?.more === true && (
          <button type="button" class="quiet slim" onClick={() => void findMore()}>
            Show more
          </button>
        )}
        {rows.value !== undefined && <RemoveUnhealthy />}
      </footer>
    </section>
  );
}

function footer(shown: number, all: number | undefined, held: boolean): string {
  if (all === undefined) return 'Loading the pool…';
  const number =
    shown === all
      ? formatNumber(all, 'proxy', 'proxies')
      : `${formatCount(shown)} of ${formatNumber(all, 'proxy', 'proxies')}`;
  return held ? `${number} · order held while you point at it` : number;
}

const choices = ['all', 'closed', 'half_open', 'open'] as const;

function StateFilter() {
  const counts = states.value;
  const total = counts.closed + counts.half_open + counts.open;
  return (
    <div class="segments" role="group" aria-label="Circuit state">
      {choices.map((state) => (
        <button
          key={state}
          type="button"
          data-state={state}
          aria-pressed={filter.value.state === state}
          onClick={() => (filter.value = { ...filter.value, state })}
        >
          {state === 'all' ? 'All' : <Icon name={stateIcons[state]} />}
          {state !== 'all' && <span class="word">{stateNames[state]}</span>}
          <small>{formatCount(state === 'all' ? total : counts[state])}</small>
        </button>
      ))}
    </div>
  );
}

function Period() {
  return (
    <div class="segments" role="group" aria-label="Period of latencies and counts">
      {([1, 24] as const).map((each) => (
        <button
          key={each}
          type="button"
          title={
            each === 1 ? 'Latencies and counts of this hour' : 'Latencies and counts of 24 hours'
          }
          aria-pressed={metricsHours.value === each}
          onClick={() => {
            metricsHours.value = each;
            refreshNow();
          }}
        >
          {each} h
        </button>
      ))}
    </div>
  );
}
