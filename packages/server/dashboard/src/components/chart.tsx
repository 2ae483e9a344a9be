import { useSignalEffect, type Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { hasRoom } from '../axis.ts';
import { paint } from '../theme.ts';

export interface ChartSeries {
  readonly label: string;
  /** Name of a CSS custom property. */
  readonly colour: string;
  readonly form: 'bars' | 'line' | 'area';
  readonly dash?: readonly number[];
  readonly values: readonly (number | null)[];
}

export interface ChartProps {
  /** What the picture says, for those who do not see it. */
  readonly summary: string;
  /** Epoch ms of each point. */
  readonly times: readonly number[];
  readonly stepMs: number;
  /** Epoch ms at the left and right edge. */
  readonly from: number;
  readonly to: number;
  readonly series: readonly ChartSeries[];
  /** The lowest and highest value of the axis for this range of values. */
  readonly range: (min: number, max: number) => readonly [number, number];
  readonly format: (value: number) => string;
  /** Index of the point under the pointer, shared by charts that stand together. */
  readonly cursor: Signal<number | undefined>;
}

const probe = document.createElement('span');

/** A canvas does not know custom properties: the browser is asked what colour one is now. */
function colour(name: string, alpha = 1): string {
  if (!probe.isConnected) {
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = `var(${name})`;
  const resolved = getComputedStyle(probe).color;
  return alpha === 1 ? resolved : resolved.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);
}

const clockText = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

/** One chart. Replaced only when the kind of its series changes. */
export function Chart(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const { summary, times, series, stepMs } = props;
  const kind = `${stepMs} ${series.map(({ label, form }) => `${label}/${form}`).join()}`;

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const size = () => ({ width: element.clientWidth, height: element.clientHeight });
    const made = new uPlot({ ...options(latest), ...size() }, align(latest.current), element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize(size()));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [kind]);

  useEffect(() => {
    plot.current?.setData(align(latest.current));
  }, [times, series]);

  useSignalEffect(() => {
    void paint.value;
    plot.current?.redraw(false, true);
  });

  return <div ref={box} class="plot" role="img" aria-label={summary} />;
}

function align({ times, series }: ChartProps): uPlot.AlignedData {
  return [times.map((at) => at / 1000), ...series.map(({ values }) => [...values])];
}

function options(latest: {
  readonly current: ChartProps;
}): Omit<uPlot.Options, 'width' | 'height'> {
  const { series, stepMs } = latest.current;
  const grid = { stroke: () => colour('--line'), width: 1 };
  const axis: uPlot.Axis = {
    stroke: () => colour('--muted'),
    font: '11px system-ui, sans-serif',
    grid,
    ticks: { show: false },
  };
  return {
    padding: [8, 4, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: {
      x: { time: true, range: () => [latest.current.from / 1000, latest.current.to / 1000] },
      y: {
        range: (_plot, min, max) => {
          const [low, high] = latest.current.range(min ?? 0, max ?? 0);
          return [low, high];
        },
      },
    },
    axes: [
      {
        ...axis,
        size: 26,
        space: 56,
        grid: { show: false },
        values: (plot, ticks) => {
          const { from, to } = latest.current;
          const width = plot.bbox.width / devicePixelRatio;
          const isWhole = (tick: number) => hasRoom(tick * 1000, { from, to, width });
          return ticks.map((tick) => (isWhole(tick) ? clockText.format(tick * 1000) : null));
        },
      },
      {
        ...axis,
        size: 48,
        space: 30,
        values: (_plot, ticks) => ticks.map((tick) => latest.current.format(tick)),
      },
    ],
    series: [{}, ...series.map((one) => drawing(one, stepMs))],
    hooks: {
      setCursor: [
        ({ cursor }) => {
          latest.current.cursor.value = cursor.idx ?? undefined;
        },
      ],
    },
  };
}

function drawing({ label, colour: name, form, dash }: ChartSeries, stepMs: number): uPlot.Series {
  const { bars } = uPlot.paths;
  if (form === 'bars' && bars !== undefined) {
    return {
      label,
      fill: () => colour(name),
      width: 0,
      // A bar begins where its hour or minute begins.
      paths: bars({ align: 1, size: [stepMs > 60_000 ? 0.72 : 0.8, 40, 1] }),
      points: { show: false },
    };
  }
  return {
    label,
    stroke: () => colour(name),
    width: 2,
    ...(form === 'area' ? { fill: () => colour(name, 0.12) } : {}),
    ...(dash === undefined ? {} : { dash: [...dash] }),
    points: { size: 5, fill: () => colour(name) },
  };
}
