/** Half the width of a label such as 22:00, in CSS pixels. */
const halfLabel = 16;

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
