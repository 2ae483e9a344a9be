/** Epoch milliseconds as ISO 8601; null when there are none. */
export function iso(at: number): string;
export function iso(at: number | undefined): string | null;
export function iso(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}

/** Milliseconds as seconds; null when there are none. */
export function seconds(ms: number): number;
export function seconds(ms: number | null | undefined): number | null;
export function seconds(ms: number | null | undefined): number | null {
  return ms === null || ms === undefined ? null : ms / 1000;
}
