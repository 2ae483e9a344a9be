import { anyString, check, checkOptions, matching, object } from '@whirl/check';
import type { FleetMetrics } from './fleet.ts';
import type { FleetState } from './protocol/protocol.ts';

/**
 * The options of `renderFleetPrometheus()`. One that is unknown or of a wrong type is refused with a TypeError, and a
 * label that no series may have with a RangeError.
 */
export interface FleetPageOptions {
  /** Labels on every series, such as `{ pool: 'eu' }`. Default: none. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

type Labels = readonly (readonly [name: string, value: string])[];
type Samples = readonly (readonly [value: number, name?: string, of?: string])[];

const states: readonly FleetState[] = ['joining', 'joined', 'degraded', 'suspect'];
/** Labels that series have of themselves. */
const ownLabels = ['state', 'outcome', 'direction', 'kind', 'reason'];
const labelNames = matching('letters, digits and _, no digit and no __ in front', (name) =>
  /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/.test(name),
);
const freeNames = matching(
  "a name that no series of whirl's own has",
  (name) => !ownLabels.includes(name),
);

/**
 * The metrics of a fleet, in text format 0.0.4, for a Prometheus server to scrape: a page of its own, or to be put behind that of
 * `@whirl/metrics`. Counters count since this process joined.
 *
 * @throws {TypeError | RangeError} On an option that is unknown, and on a label whose name is no label's, or a series' own.
 */
export function renderFleetPrometheus(
  metrics: FleetMetrics,
  options: FleetPageOptions = {},
): string {
  const labels = checkedLabels(options);
  const counts = (label: string, table: object): Samples =>
    Object.entries(table as Readonly<Record<string, number>>).map(([name, value]) => {
      return [value, label, name] as const;
    });
  const families: [name: string, type: 'counter' | 'gauge', help: string, samples: Samples][] = [
    ['processes', 'gauge', 'Processes of the fleet, this one included.', [[metrics.processes]]],
    [
      'state',
      'gauge',
      'Whether this process is in that state.',
      states.map((state) => [Number(metrics.state === state), 'state', state] as const),
    ],
    ['syncs_total', 'counter', 'Round trips to the store.', counts('outcome', metrics.syncs)],
    ['sync_seconds', 'gauge', 'What the last round trip took.', [[metrics.syncMs / 1000]]],
    ['lag_seconds', 'gauge', 'From the last fact to its arrival here.', [[metrics.lagMs / 1000]]],
    [
      'rows_total',
      'counter',
      'Facts told and heard.',
      counts('direction', { sent: metrics.rows.sent, received: metrics.rows.received }),
    ],
    ['rows_delayed_total', 'counter', 'Facts that had to wait.', [[metrics.rows.delayed]]],
    [
      'adopted_total',
      'counter',
      'Decisions of others taken over.',
      counts('kind', metrics.adopted),
    ],
    [
      'ignored_total',
      'counter',
      'Facts that nothing followed from.',
      counts('reason', metrics.ignored),
    ],
    ['leases_total', 'counter', 'Leases of tests asked for.', counts('outcome', metrics.leases)],
  ];
  return families
    .map(([name, type, help, samples]) => {
      const full = `whirl_fleet_${name}`;
      const lines = samples.map(([value, label, of = '']) => {
        const all: Labels = label === undefined ? labels : [...labels, [label, of]];
        return `${full}${braced(all)} ${value}\n`;
      });
      return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.join('')}`;
    })
    .join('');
}

function braced(labels: Labels): string {
  if (labels.length === 0) return '';
  return `{${labels.map(([name, value]) => `${name}="${escaped(value)}"`).join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function checkedLabels(options: FleetPageOptions): Labels {
  checkOptions('', options, { labels: object });
  const labels = Object.entries(options.labels ?? {});
  for (const [name, value] of labels) {
    check('each name in labels', name, labelNames);
    check('each name in labels', name, freeNames);
    check(`labels.${name}`, value, anyString);
  }
  return labels;
}
