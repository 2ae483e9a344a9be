export interface VisibleRange {
  /** Index of the first row to draw. */
  readonly first: number;
  /** One past the last row to draw. */
  readonly end: number;
}

/**
 * Which rows of a long list must exist: those in the viewport and `overscan` rows on either side,
 * so that keyboard focus can move on and fast scrolling shows no gap.
 */
export function visibleRange(
  scrollTop: number,
  viewportHeight: number,
  rowHeight: number,
  count: number,
  overscan: number,
): VisibleRange {
  const top = Math.floor(Math.max(0, scrollTop) / rowHeight) - overscan;
  const rows = Math.ceil(viewportHeight / rowHeight) + 1 + 2 * overscan;
  const first = Math.max(0, Math.min(top, count - rows));
  return { first, end: Math.min(count, Math.max(first, top) + rows) };
}
