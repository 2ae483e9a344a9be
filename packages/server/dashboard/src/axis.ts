/** Half the width of a label such as 22:00, in CSS pixels. */
const halfLabel = 16;

const minuteMs = 60_000;
const stepsInMinutes = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720];

interface Axis {
  /** Epoch ms at its ends. */
  readonly from: number;
  readonly to: number;
  /** In CSS pixels. */
  readonly width: number;
}

/** Whether the label under a time is whole: it stands around its tick, and the picture ends where the axis does. */
export function hasRoom(at: number, { from, to, width }: Axis): boolean {
  return ((to - at) / (to - from)) * width >= halfLabel;
}

/** Round times of a clock that is `offsetMs` ahead of UTC, at least `space` pixels apart. */
export function timeTicks(axis: Axis, space: number, offsetMs: number): number[] {
  const { from, to, width } = axis;
  const least = (space / width) * (to - from);
  const minutes = stepsInMinutes.find((each) => each * minuteMs >= least) ?? 1440;
  const stepMs = minutes * minuteMs;
  const ticks: number[] = [];
  const first = Math.ceil((from + offsetMs) / stepMs) * stepMs - offsetMs;
  for (let at = first; at < to; at += stepMs) if (hasRoom(at, axis)) ticks.push(at);
  return ticks;
}

/** Round values from `low` to `high`, at most `count` + 1 of them. */
export function valueTicks(low: number, high: number, count: number): number[] {
  const least = (high - low) / Math.max(1, count);
  if (!(least > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10]
    .map((each) => each * power)
    .find((each) => each >= least * 0.999) as number;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  // Whole multiples: sums of a step such as 0.1 would drift.
  return Array.from(
    { length: last - first + 1 },
    (_, i) => Math.round((first + i) * step * 1e9) / 1e9,
  );
}
