import { useSignal, type Signal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { formatCount, formatLatency, formatPercent, formatShort, formatTime } from '../format.ts';
import { clock, hours, minutes } from '../store.ts';
import { maxMinutes, sumTraffic, type TrafficPoint } from '../traffic.ts';
import { Chart, type ChartSeries } from './chart.tsx';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Requests, success and latency over time: the last hour by minute, or the last day by hour. */
export function TrafficCard() {
  const chosen = useSignal<'hour' | 'day' | undefined>(undefined);
  const cursor = useSignal<number | undefined>(undefined);
  // A server that has not seen two hours has no day to show.
  const period = chosen.value ?? ((hours.value?.length ?? 2) < 2 ? 'hour' : 'day');
  const day = period === 'day';
  const known = day ? hours.value : minutes.value;
  const points = known ?? [];
  const stepMs = day ? hourMs : minuteMs;
  const choose = (next: 'hour' | 'day') => {
    cursor.value = undefined;
    chosen.value = next;
  };
  return (
    <section class="card traffic" aria-labelledby="traffic-title" data-period={period}>
      <header>
        <h2 id="traffic-title">Traffic</h2>
        <span class="muted at">{moment(points, cursor.value, stepMs)}</span>
        <div class="segments" role="group" aria-label="Period">
          <button type="button" aria-pressed={!day} onClick={() => choose('hour')}>
            Last hour
          </button>
          <button type="button" aria-pressed={day} onClick={() => choose('day')}>
            24 hours
          </button>
        </div>
      </header>
      {known === undefined ? (
        <p class="empty-line muted">Loading…</p>
      ) : (
        <Charts key={period} points={points} stepMs={stepMs} cursor={cursor} />
      )}
    </section>
  );
}

function moment(
  points: readonly TrafficPoint[],
  index: number | undefined,
  stepMs: number,
): string {
  if (index === undefined) return '';
  const point = points[index];
  if (point === undefined) return '';
  return `${formatTime(point.at).slice(0, 5)} – ${formatTime(point.at + stepMs).slice(0, 5)}`;
}

interface ChartsProps {
  readonly points: readonly TrafficPoint[];
  readonly stepMs: number;
  readonly cursor: Signal<number | undefined>;
}

function Charts({ points, stepMs, cursor }: ChartsProps) {
  const view = useMemo(() => {
    const times = points.map(({ at }) => at);
    const last = times.at(-1) ?? clock.peek();
    const to = last + stepMs;
    const width = stepMs === hourMs ? 24 * hourMs : liveWidth(times[0] ?? last, to);
    return { times, to, from: to - width, ...seriesOf(points) };
  }, [points, stepMs]);
  const { times, from, to, traffic, success, latency } = view;
  const common = { times, stepMs, from, to, cursor };
  const total = sumTraffic(points);
  const shown = cursor.value === undefined ? undefined : points[cursor.value];
  const newest = points.findLast(({ p95 }) => p95 !== null);
  const at = shown ?? newest;
  return (
    <div class="charts">
      <figure>
        <Legend
          entries={[
            ['Requests', formatCount(shown?.requests ?? total.requests), '--accent', 'bar'],
            ['Retries', formatCount(shown?.retries ?? total.retries), '--retry', 'bar'],
          ]}
        />
        <Chart
          {...common}
          series={traffic}
          format={formatShort}
          range={(_min, max) => [0, Math.max(4, max * 1.05)]}
          summary={`${formatCount(total.requests)} requests and ${formatCount(total.retries)} retries in this period`}
        />
      </figure>
      <figure>
        <Legend
          entries={[
            [
              'Success rate',
              formatPercent(shown === undefined ? total.successRate : shown.successRate),
              '--good',
              'line',
            ],
          ]}
        />
        <Chart
          {...common}
          series={success}
          format={(value) => `${Math.round(value * 1000) / 10} %`}
          range={(min, max) => [successFloor(min, max), 1]}
          summary={`${formatPercent(total.successRate)} of the requests in this period succeeded`}
        />
      </figure>
      <figure>
        <Legend
          entries={[
            ['p50', formatLatency(at?.p50), '--accent', 'line'],
            ['p95', formatLatency(at?.p95), '--retry', 'dash'],
            ['p99', formatLatency(at?.p99), '--muted', 'dots'],
          ]}
        />
        <Chart
          {...common}
          series={latency}
          format={formatLatency}
          range={(_min, max) => [0, Math.max(0.01, max * 1.05)]}
          summary={`Latency: half of the attempts under ${formatLatency(newest?.p50)}, 95 of 100 under ${formatLatency(newest?.p95)}`}
        />
      </figure>
    </div>
  );
}

/** A young server shows ten minutes, an old one the hour. */
function liveWidth(first: number, to: number): number {
  return Math.min(maxMinutes * minuteMs, Math.max(10 * minuteMs, to - first));
}

/** The axis begins at a round tenth below the worst point, so that small dips can be seen. */
function successFloor(min: number, max: number): number {
  if (max === 0 && min === 0) return 0;
  return Math.max(0, Math.min(0.9, Math.floor(min * 10) / 10));
}

function seriesOf(points: readonly TrafficPoint[]) {
  const of = (pick: (point: TrafficPoint) => number | null) => points.map(pick);
  const traffic: readonly ChartSeries[] = [
    {
      // Stands behind the requests, so that what shows above them is the retries.
      label: 'Retries',
      colour: '--retry',
      form: 'bars',
      values: of(({ requests, retries }) => requests + retries),
    },
    { label: 'Requests', colour: '--accent', form: 'bars', values: of(({ requests }) => requests) },
  ];
  const success: readonly ChartSeries[] = [
    {
      label: 'Success rate',
      colour: '--good',
      form: 'area',
      values: of(({ successRate }) => successRate),
    },
  ];
  const latency: readonly ChartSeries[] = [
    { label: 'p50', colour: '--accent', form: 'line', values: of(({ p50 }) => p50) },
    { label: 'p95', colour: '--retry', form: 'line', dash: '6 4', values: of(({ p95 }) => p95) },
    { label: 'p99', colour: '--muted', form: 'line', dash: '2 3', values: of(({ p99 }) => p99) },
  ];
  return { traffic, success, latency };
}

type Entry = readonly [label: string, value: string, colour: string, mark: string];

function Legend({ entries }: { readonly entries: readonly Entry[] }) {
  return (
    <figcaption>
      {entries.map(([label, value, colour, mark]) => (
        <span key={label}>
          <span class={`mark ${mark}`} aria-hidden="true" style={{ color: `var(${colour})` }} />
          {label} <b>{value}</b>
        </span>
      ))}
    </figcaption>
  );
}
