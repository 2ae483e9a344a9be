import { computed, useSignal } from '@preact/signals';
import { Component, type ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { forceOpen, reset } from '../circuit-actions.ts';
import { selectedProxy } from '../dialogs.ts';
import { formatCount, formatLatency, formatPercent, none } from '../format.ts';
import type { PoolRow } from '../pool.ts';
import { nextSorting, type SortKey } from '../pool-view.ts';
import { filter, sorting } from '../finding.ts';
import { connection, rows, setInView } from '../store.ts';
import { visibleRange } from '../visible-range.ts';
import { CircuitChip } from './circuit-chip.tsx';
import { ProxyName } from './proxy-name.tsx';

interface Column {
  readonly key: SortKey;
  readonly label: string;
  readonly title?: string;
  readonly cell: (row: PoolRow) => ComponentChildren;
  /** Columns of numbers stand at the right. */
  readonly text?: true;
}

const columns: readonly Column[] = [
  { key: 'id', label: 'Proxy', text: true, cell: (row) => <Name row={row} /> },
  { key: 'state', label: 'Circuit', text: true, cell: (row) => <CircuitChip row={row} /> },
  {
    key: 'successRate',
    label: 'Success',
    title: 'Success rate of its last attempts',
    cell: ({ successRate }) => <Success ratio={successRate} />,
  },
  {
    key: 'score',
    label: 'Score',
    title: 'What the selection expects of it, 0 to 1',
    cell: ({ score }) => (score === null ? none : score.toFixed(2)),
  },
  {
    key: 'avgLatency',
    label: 'Average',
    title: 'Average latency to the response headers',
    cell: ({ avgLatency }) => formatLatency(avgLatency),
  },
  { key: 'p50', label: 'p50', title: 'Half are faster', cell: ({ p50 }) => formatLatency(p50) },
  {
    key: 'p95',
    label: 'p95',
    title: '95 of 100 are faster',
    cell: ({ p95 }) => formatLatency(p95),
  },
  {
    key: 'p99',
    label: 'p99',
    title: '99 of 100 are faster',
    cell: ({ p99 }) => formatLatency(p99),
  },
  {
    key: 'inFlight',
    label: 'In flight',
    title: 'Attempts running now',
    cell: ({ inFlight }) => formatCount(inFlight),
  },
  { key: 'attempts', label: 'Attempts', cell: ({ attempts }) => formatCount(attempts) },
  {
    key: 'opens',
    label: 'Opens',
    title: 'How often its circuit opened',
    cell: ({ opens }) => formatCount(opens),
  },
];

const withoutScore = columns.filter(({ key }) => key !== 'score');

/** A server that keeps no scores gets no column of dashes. */
const shownColumns = computed(() =>
  (rows.value ?? []).some(({ score }) => score !== null) ? columns : withoutScore,
);

/** Above and below the visible rows, so that Tab and fast scrolling find a row. */
const overscan = 8;

export interface PoolTableProps {
  readonly shown: readonly PoolRow[];
  readonly onHold: (held: boolean) => void;
}

/** A table of any length: only the rows in view exist. */
export function PoolTable({ shown, onHold }: PoolTableProps) {
  const box = useRef<HTMLDivElement>(null);
  const scrollTop = useSignal(0);
  const height = useSignal(600);
  const rowHeight = useSignal(36);

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const measure = () => {
      height.value = element.clientHeight;
      rowHeight.value =
        Number.parseFloat(getComputedStyle(element).getPropertyValue('--row')) || 36;
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);

  // Another question is answered from the top.
  useLayoutEffect(() => {
    box.current?.scrollTo({ top: 0 });
  }, [filter.value, sorting.value]);

  const { first, end } = visibleRange(
    scrollTop.value,
    height.value,
    rowHeight.value,
    shown.length,
    overscan,
  );
  useEffect(() => setInView(shown.slice(first, end).map(({ id }) => id)));

  // One cell and no colSpan: it would count the columns that a narrow screen leaves out.
  const space = (count: number) => ({ height: `${count * rowHeight.value}px` });

  return (
    <div
      ref={box}
      class="table-box"
      tabIndex={0}
      role="region"
      aria-label="Proxies"
      onScroll={(event) => (scrollTop.value = event.currentTarget.scrollTop)}
    >
      <table aria-rowcount={shown.length + 1} data-rows={shown.length}>
        <thead>
          <tr aria-rowindex={1}>
            {shownColumns.value.map((column) => (
              <Head key={column.key} column={column} />
            ))}
            <th class="c-actions" scope="col">
              <span class="unseen">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody onPointerEnter={() => onHold(true)} onPointerLeave={() => onHold(false)}>
          {first > 0 && (
            <tr class="space" aria-hidden="true" style={space(first)}>
              <td />
            </tr>
          )}
          {shown.slice(first, end).map((row, i) => (
            <Row key={row.id} row={row} index={first + i + 2} />
          ))}
          {end < shown.length && (
            <tr class="space" aria-hidden="true" style={space(shown.length - end)}>
              <td />
            </tr>
          )}
        </tbody>
      </table>
      {rows.value === undefined && <Skeleton />}
      {rows.value !== undefined && shown.length === 0 && (
        <div class="no-match">
          <p>No proxy matches.</p>
          <button type="button" onClick={() => (filter.value = { text: '', state: 'all' })}>
            Clear the filter
          </button>
        </div>
      )}
    </div>
  );
}

function Head({ column }: { readonly column: Column }) {
  const { key, label, title, text } = column;
  const { key: current, descending } = sorting.value;
  const order = current !== key ? 'none' : descending ? 'descending' : 'ascending';
  return (
    <th class={`c-${key} ${text ? '' : 'number'}`} scope="col" aria-sort={order}>
      <button
        type="button"
        title={title}
        onClick={() => (sorting.value = nextSorting(sorting.value, key))}
      >
        {label}
        <span class="order" aria-hidden="true">
          {order === 'none' ? '' : descending ? '▼' : '▲'}
        </span>
      </button>
    </th>
  );
}

interface RowProps {
  readonly row: PoolRow;
  readonly index: number;
}

/** Drawn again only when its proxy changed: scrolling draws the rows that come in, no others. */
class Row extends Component<RowProps> {
  override shouldComponentUpdate({ row, index }: RowProps): boolean {
    return row !== this.props.row || index !== this.props.index;
  }

  override render({ row, index }: RowProps) {
    return <Cells row={row} index={index} />;
  }
}

function Cells({ row, index }: RowProps) {
  const { id, state, forced } = row;
  const offline = connection.value === 'reconnecting';
  return (
    <tr aria-rowindex={index} data-proxy={id} class={state}>
      {shownColumns.value.map(({ key, cell, text }) => (
        <td key={key} class={`c-${key} ${text ? '' : 'number'}`}>
          {cell(row)}
        </td>
      ))}
      <td class="c-actions">
        {state === 'closed' && !forced ? (
          <button
            type="button"
            class="quiet slim"
            disabled={offline}
            aria-label={`Force the circuit of ${id} open`}
            onClick={() => forceOpen(id)}
          >
            Force open
          </button>
        ) : (
          <button
            type="button"
            class="slim"
            disabled={offline}
            aria-label={`Reset the circuit of ${id}`}
            onClick={() => reset(id)}
          >
            Reset
          </button>
        )}
      </td>
    </tr>
  );
}

function Name({ row }: { readonly row: PoolRow }) {
  const { id, region, tags, exits } = row;
  return (
    <div class="who">
      <button
        type="button"
        class="link"
        title={row.url}
        aria-haspopup="dialog"
        onClick={() => (selectedProxy.value = id)}
      >
        <ProxyName id={id} />
      </button>
      {(region !== '' || tags.length > 0 || exits !== '') && (
        <span class="tags">
          {exits !== '' && <span class="tag">{exits}</span>}
          {region !== '' && <span class="tag">{region}</span>}
          {tags.map((tag) => (
            <span key={tag} class="tag">
              {tag}
            </span>
          ))}
        </span>
      )}
    </div>
  );
}

function Success({ ratio }: { readonly ratio: number | null }) {
  return (
    <span class="ratio">
      {formatPercent(ratio)}
      <span class="track" aria-hidden="true">
        <span style={{ width: `${100 * (ratio ?? 0)}%` }} />
      </span>
    </span>
  );
}

function Skeleton() {
  return (
    <div class="skeleton" aria-hidden="true">
      {Array.from({ length: 8 }, (_, i) => (
        <span key={i} />
      ))}
    </div>
  );
}
