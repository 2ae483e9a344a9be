import { formatNumber } from './format.ts';
import type { StateCounts } from './pool.ts';
import type { WireTarget } from './wire.ts';

/** The host of an origin, as people name it. */
export const hostOf = (origin: string) => origin.replace(/^https?:\/\//, '');

/** What is to blame for most of a target's failures; undefined without any. */
export function mostlyToBlame({ failures }: WireTarget): string | undefined {
  const [most] = Object.entries(failures).toSorted(([, a], [, b]) => b - a);
  return most === undefined || most[1] === 0 ? undefined : most[0];
}

/** Who is to blame, in a sentence; undefined when there is nothing to say. */
export function verdictOn(targets: readonly WireTarget[], pool: StateCounts): string | undefined {
  const down = targets.filter(({ state }) => state === 'down');
  const size = pool.closed + pool.half_open + pool.open;
  const well = size - pool.open;
  const [first] = down;
  if (first !== undefined) {
    const who =
      down.length === 1
        ? `${hostOf(first.origin)} responds to no proxy`
        : `${formatNumber(down.length, 'target', 'targets')} respond to no proxy`;
    if (size === 0) return `${who}.`;
    if (well === 0) return `${who}; all circuits are open.`;
    const fine =
      well === size
        ? `your ${formatNumber(size, 'proxy is', 'proxies are')} fine`
        : `${well} of your ${size} proxies are fine`;
    return `${who}; ${fine}.`;
  }
  return undefined;
}
