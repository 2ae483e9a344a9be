import type { CircuitState } from '@whirl/events';
import { circuitStateIndex } from './closed-sets.ts';
import { families, readSeries, type Reading, type Sample, type SeriesOptions } from './families.ts';
import type { RetryMetrics } from './retry-metrics.ts';
import { checkNames, checkWhole } from './validate.ts';

export interface PrometheusOptions extends SeriesOptions {
  /** `text` is text format 0.0.4, `openmetrics` OpenMetrics 1.0.0. Default `text`. */
  readonly format?: keyof typeof contentTypes | undefined;
  /**
   * The circuits as they are, instead of as the facts tell: for metrics that began to listen after
   * the pool was filled.
   */
  readonly circuits?:
    Iterable<{ readonly proxyId: string; readonly state: CircuitState }> | undefined;
  /** Requests in flight, instead of as the facts tell. */
  readonly inFlight?: number | undefined;
  /** Proxies in the pool, instead of as the facts tell. */
  readonly proxies?: number | undefined;
}

/** What to answer as `content-type`, by format. */
export const contentTypes = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
} as const;

const known = ['format', 'maxProxySeries', 'circuits', 'inFlight', 'proxies'];

/**
 * The metrics for a Prometheus server to scrape. Counters count since the start and never fall.
 * Throws a TypeError or RangeError for an option that is unknown or out of bounds.
 */
export function renderPrometheus(metrics: RetryMetrics, options: PrometheusOptions = {}): string {
  checkNames(options, known);
  const { format = 'text' } = options;
  if (!Object.hasOwn(contentTypes, format)) {
    throw new RangeError(`format must be text or openmetrics, got ${String(format)}`);
  }
  const open = format === 'openmetrics';
  const reading = withGiven(readSeries(metrics, options), options);
  const lines: string[] = [];
  for (const family of families) {
    const { name, type, help } = family;
    // OpenMetrics names a counter without the ending that its samples bear.
    const familyName = open && type === 'counter' ? name.slice(0, -'_total'.length) : name;
    lines.push(`# HELP ${familyName} ${escapeHelp(help)}`, `# TYPE ${familyName} ${type}`);
    for (const sample of family.samples(reading)) lines.push(render(name, sample, open));
  }
  if (open) lines.push('# EOF');
  return `${lines.join('\n')}\n`;
}

function render(name: string, { suffix, labels, value }: Sample, open: boolean): string {
  const pairs = Object.entries(labels).map(([label, text]) => {
    // OpenMetrics wants a bound to look like a float.
    const shown = open && label === 'le' && /^\d+$/.test(text) ? `${text}.0` : text;
    return `${label}="${escapeLabel(shown)}"`;
  });
  return `${name}${suffix ?? ''}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
}

function withGiven(reading: Reading, options: PrometheusOptions): Reading {
  const { circuits, inFlight, proxies } = options;
  const totals = {
    ...reading.totals,
    ...(inFlight === undefined ? {} : { requestsInFlight: checkCount('inFlight', inFlight) }),
    ...(proxies === undefined ? {} : { proxies: checkCount('proxies', proxies) }),
  };
  if (circuits === undefined) return { totals, byProxy: reading.byProxy };
  const states = new Map<string, CircuitState>();
  const counts = { closed: 0, open: 0, half_open: 0, forced_open: 0, disabled: 0 };
  for (const { proxyId, state } of circuits) {
    if (!Object.hasOwn(circuitStateIndex, state)) {
      throw new RangeError(`circuits must have a known state, got ${String(state)}`);
    }
    states.set(proxyId, state);
    counts[state]++;
  }
  return {
    totals: { ...totals, circuits: counts },
    byProxy: reading.byProxy.map((each) =>
      each.circuit === undefined
        ? each
        : { ...each, circuit: states.get(each.proxyId) ?? each.circuit },
    ),
  };
}

function checkCount(name: string, value: number): number {
  return checkWhole(name, value, 0, Number.MAX_SAFE_INTEGER);
}

/** Both formats: backslash, line feed and quote in a label's value. */
function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
