import { useSignal, type Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { timeTicks, valueTicks } from '../axis.ts';

export interface ChartSeries {
  readonly label: string;
  /** Name of a CSS custom property. */
  readonly colour: string;
  readonly form: 'bars' | 'line' | 'area';
  readonly dash?: string;
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

/** Around the drawing, in CSS pixels: labels of values at the left, of times below. */
const left = 48;
const right = 4;
const top = 8;
const bottom = 26;
const valueSpace = 30;
const timeSpace = 56;

const clockText = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

/** Where a time and a value are in the drawing. */
interface Place {
  readonly x: (at: number) => number;
  readonly y: (value: number) => number;
  readonly stepMs: number;
}

/** One chart of some dozens of points. Its colours follow the theme by themselves. */
export function Chart(props: ChartProps) {
  const { summary, times, stepMs, from, to, series, range, format, cursor } = props;
  const box = useRef<HTMLDivElement>(null);
  const size = useSignal<readonly [width: number, height: number]>([0, 0]);
  useEffect(() => {
    const element = box.current as HTMLDivElement;
    const observer = new ResizeObserver(() => {
      size.value = [element.clientWidth, element.clientHeight];
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const [width, height] = size.value;
  const innerWidth = width - left - right;
  const innerHeight = height - top - bottom;
  const known = series.flatMap(({ values }) => values.filter((value) => value !== null));
  const [low, high] = range(known.length === 0 ? 0 : Math.min(...known), Math.max(0, ...known));
  const place: Place = {
    x: (at) => left + ((at - from) / (to - from)) * innerWidth,
    y: (value) => top + (1 - (value - low) / (high - low)) * innerHeight,
    stepMs,
  };
  const offsetMs = -60_000 * new Date(to).getTimezoneOffset();
  const at = times[cursor.value ?? -1];

  const point = ({ clientX, currentTarget }: PointerEvent) => {
    const { left: edge } = (currentTarget as Element).getBoundingClientRect();
    const pointed = from + ((clientX - edge - left) / innerWidth) * (to - from);
    const index = times.findLastIndex((each) => each <= pointed);
    cursor.value = index === -1 ? undefined : index;
  };
  return (
    <div
      ref={box}
      class="plot"
      role="img"
      aria-label={summary}
      onPointerMove={point}
      onPointerLeave={() => (cursor.value = undefined)}
    >
      {innerWidth > 0 && (
        <svg width={width} height={height} aria-hidden="true">
          {valueTicks(low, high, Math.floor(innerHeight / valueSpace)).map((value) => (
            <g key={value}>
              <path class="level" d={`M${left} ${place.y(value)}H${width - right}`} />
              <text x={left - 8} y={place.y(value) + 4} text-anchor="end">
                {format(value)}
              </text>
            </g>
          ))}
          {timeTicks({ from, to, width: innerWidth }, timeSpace, offsetMs).map((time) => (
            <text key={time} x={place.x(time)} y={height - 8} text-anchor="middle">
              {clockText.format(time)}
            </text>
          ))}
          {series.map((one) => (
            <g key={one.label} style={{ color: `var(${one.colour})` }}>
              {one.form === 'bars' ? bars(one, times, place) : lines(one, times, place, low)}
            </g>
          ))}
          {at !== undefined && (
            <path class="cursor" d={`M${place.x(at)} ${top}V${height - bottom}`} />
          )}
          {at !== undefined && series.map((one) => marker(one, cursor.value as number, at, place))}
        </svg>
      )}
    </div>
  );
}

/** A bar begins where its hour or minute begins. */
function bars(
  { values }: ChartSeries,
  times: readonly number[],
  { x, y, stepMs }: Place,
): ComponentChildren {
  const width = Math.max(1, (x(stepMs) - x(0)) * 0.76);
  const drawn = values.map((value, i) => {
    return value ? `M${x(times[i] as number)} ${y(0)}V${y(value)}h${width}V${y(0)}z` : '';
  });
  return <path class="fill" d={drawn.join('')} />;
}

/** A line breaks where there is no value; a point that stands alone is a dot. */
function lines(
  { values, form, dash }: ChartSeries,
  times: readonly number[],
  { x, y }: Place,
  low: number,
): ComponentChildren {
  const runs: (readonly [x: number, y: number])[][] = [];
  for (const [i, value] of values.entries()) {
    if (value === null) continue;
    if (i === 0 || values[i - 1] === null) runs.push([]);
    runs.at(-1)?.push([x(times[i] as number), y(value)]);
  }
  return runs.map((run) => {
    const [startX, startY] = run[0] as readonly [number, number];
    if (run.length === 1) {
      return <circle key={startX} class="fill" cx={startX} cy={startY} r={2.5} />;
    }
    const d = `M${run.map((each) => each.join(' ')).join('L')}`;
    return (
      <g key={startX}>
        {form === 'area' && <path class="area" d={`${d}V${y(low)}H${startX}z`} />}
        <path class="line" d={d} stroke-dasharray={dash} />
      </g>
    );
  });
}

function marker(
  { label, colour, form, values }: ChartSeries,
  index: number,
  at: number,
  { x, y }: Place,
): ComponentChildren {
  const value = values[index];
  if (form === 'bars' || value === null || value === undefined) return null;
  return (
    <circle
      key={label}
      class="fill"
      style={{ color: `var(${colour})` }}
      cx={x(at)}
      cy={y(value)}
      r={3.5}
    />
  );
}
