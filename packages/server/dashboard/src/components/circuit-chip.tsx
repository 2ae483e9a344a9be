import { formatSpan } from '../format.ts';
import type { PoolRow } from '../pool.ts';
import { clock } from '../store.ts';
import type { CircuitState } from '../wire.ts';
import { Icon, type IconName } from './icons.tsx';

export const stateNames: Readonly<Record<CircuitState, string>> = {
  closed: 'Closed',
  half_open: 'Half-open',
  open: 'Open',
};

export const stateIcons: Readonly<Record<CircuitState, IconName>> = {
  closed: 'check',
  half_open: 'half',
  open: 'cross',
};

/** A circuit's state by shape, word and colour, with the time until its next test. */
export function CircuitChip({ row }: { readonly row: PoolRow }) {
  const { state, forced } = row;
  return (
    <span class={`chip circuit ${state}`}>
      <Icon name={stateIcons[state]} />
      {forced && state === 'closed' ? 'Disabled' : stateNames[state]}
      <Remark row={row} />
    </span>
  );
}

function Remark({ row }: { readonly row: PoolRow }) {
  if (row.forced) return row.state === 'open' ? <span class="remark">by hand</span> : null;
  if (row.state === 'half_open') return <span class="remark">testing</span>;
  if (row.state !== 'open' || row.nextTestAt === null) return null;
  const left = row.nextTestAt - clock.value;
  return (
    <span class="remark" title="Time until its next test">
      {left <= 0 ? 'test due' : formatSpan(left)}
    </span>
  );
}
