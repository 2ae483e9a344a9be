import { anything, check, checkOptions, integer, object, oneOf, type Kind } from '@whirl/check';
import type { CircuitState } from '@whirl/events';
import { circuitStates } from '../tables/label-sets.ts';
import { byWord } from '../tables/pool-counts.ts';
import {
  families,
  labelledSamples,
  ownLabelNames,
  seriesKinds,
  readSeries,
  type Reading,
  type Sample,
  type SeriesOptions,
} from './metric-families.ts';
import type { RetryMetrics } from '../retry-metrics.ts';
import { checkLabels, exported, labelKey, type SourceLabels } from './source-labels.ts';

/** What one `RetryMetrics` brings to a page. */
interface SourceOptions {
  /**
   * Labels on every series of these metrics, such as `{ pool: 'eu' }`. At most 16, none by the name
   * of a label that the series has already. Default: none.
   */
  readonly labels?: SourceLabels | undefined;
  /**
   * The circuits as they are, instead of as the facts tell: for metrics that began to listen after
   * the pool was filled. Each of them, or how many are in each state; the states of single proxies are
   * then those of the facts. Default: as the facts tell.
   */
  readonly circuits?:
    | Iterable<{ readonly proxyId: string; readonly state: CircuitState }>
    | Readonly<Record<CircuitState, number>>
    | undefined;
  /** Requests in flight. An integer ≥ 0. Default: as the facts tell. */
  readonly inFlight?: number | undefined;
  /** Proxies in the pool. An integer ≥ 0. Default: as the facts tell. */
  readonly proxies?: number | undefined;
}

/** The metrics of one rotator on a page that several share. */
export interface PrometheusSource extends SourceOptions {
  readonly metrics: RetryMetrics;
}

/** How a page is written. */
export interface PageOptions extends SeriesOptions {
  /** `text` is text format 0.0.4, `openmetrics` OpenMetrics 1.0.0. Default `text`. */
  readonly format?: keyof typeof contentTypes | undefined;
}

/** The options of `renderPrometheus()` for the metrics of one rotator. */
export interface PrometheusOptions extends PageOptions, SourceOptions {}

/** What to send as `content-type`, by format. */
export const contentTypes = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
} as const;

const counts = integer(0);
const states = oneOf(...circuitStates);
const pageKinds = { format: oneOf(...Object.keys(contentTypes)), ...seriesKinds };
const sourceKinds: Readonly<Record<keyof SourceOptions, Kind>> = {
  labels: anything,
  circuits: {
    wanted: 'an iterable of circuits or an object of counts',
    isType: (value) => typeof value === 'object' && value !== null,
  },
  inFlight: counts,
  proxies: counts,
};

/**
 * The metrics for a Prometheus server to scrape. Counters count since the start and never fall.
 * Throws a TypeError or RangeError for an option that is unknown or out of bounds.
 */
export function renderPrometheus(metrics: RetryMetrics, options?: PrometheusOptions): string;
/**
 * The same for several rotators on one page. Each source needs labels that no other source has, or
 * a RangeError says so: without them their series would be the same.
 */
export function renderPrometheus(
  sources: readonly PrometheusSource[],
  options?: PageOptions,
): string;
export function renderPrometheus(
  given: RetryMetrics | readonly PrometheusSource[],
  options: PrometheusOptions = {},
): string {
  const several = Array.isArray(given);
  checkOptions('', options, several ? pageKinds : { ...pageKinds, ...sourceKinds });
  const { format = 'text' } = options;
  const sources = several
    ? readAll(given as readonly PrometheusSource[], options)
    : [read('', given as RetryMetrics, options, options)];
  const open = format === 'openmetrics';
  const lines: string[] = [];
  for (const family of families) {
    const { name, type, help } = family;
    // OpenMetrics names a counter without the ending that its samples bear.
    const familyName = open && type === 'counter' ? name.slice(0, -'_total'.length) : name;
    lines.push(`# HELP ${familyName} ${escapeHelp(help)}`, `# TYPE ${familyName} ${type}`);
    for (const { reading, labels } of sources) {
      for (const sample of labelledSamples(family, reading, labels)) {
        lines.push(render(name, sample, open));
      }
    }
  }
  if (open) lines.push('# EOF');
  return `${lines.join('\n')}\n`;
}

interface ReadSource {
  readonly reading: Reading;
  readonly labels: SourceLabels | undefined;
}

function read(
  path: string,
  metrics: RetryMetrics,
  source: SourceOptions,
  series: SeriesOptions,
): ReadSource {
  check(`${path}metrics`, metrics, exported);
  const { labels } = source;
  return {
    labels: labels === undefined ? undefined : checkLabels(`${path}labels`, labels, ownLabelNames),
    reading: withGiven(path, readSeries(metrics, series), source),
  };
}

function readAll(sources: readonly PrometheusSource[], series: SeriesOptions): ReadSource[] {
  const seen = new Set<string>();
  return sources.map((source, i) => {
    checkOptions(`sources[${i}]`, source, { metrics: exported, ...sourceKinds });
    const one = read(`sources[${i}].`, source.metrics, source, series);
    const key = labelKey(one.labels ?? {});
    if (seen.has(key)) {
      throw new RangeError(
        `sources[${i}].labels must be labels that no source before it has, got ${key}`,
      );
    }
    seen.add(key);
    return one;
  });
}

function render(name: string, { suffix, labels, value }: Sample, open: boolean): string {
  const pairs = Object.entries(labels).map(([label, text]) => {
    // OpenMetrics wants a bound to look like a float.
    const shown = open && label === 'le' && /^\d+$/.test(text) ? `${text}.0` : text;
    return `${label}="${escapeLabel(shown)}"`;
  });
  return `${name}${suffix ?? ''}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
}

function withGiven(path: string, reading: Reading, source: SourceOptions): Reading {
  const { circuits, inFlight, proxies } = source;
  const totals = {
    ...reading.totals,
    ...(inFlight === undefined ? {} : { requestsInFlight: inFlight }),
    ...(proxies === undefined ? {} : { proxies }),
  };
  const { byProxy, byTarget } = reading;
  if (circuits === undefined) return { totals, byProxy, byTarget };
  if (!(Symbol.iterator in circuits)) {
    for (const state of circuitStates) check(`${path}circuits.${state}`, circuits[state], counts);
    const given = byWord(circuitStates, (i) => circuits[circuitStates[i]!], 'keep');
    return { totals: { ...totals, circuits: given }, byProxy, byTarget };
  }
  const stateOf = new Map<string, CircuitState>();
  const inState = { closed: 0, open: 0, half_open: 0, forced_open: 0, disabled: 0 };
  for (const circuit of circuits) {
    check(`each of ${path}circuits`, circuit, object);
    check(`the state of each of ${path}circuits`, circuit.state, states);
    stateOf.set(circuit.proxyId, circuit.state);
    inState[circuit.state]++;
  }
  return {
    totals: { ...totals, circuits: inState },
    byTarget,
    byProxy: byProxy.map((each) =>
      each.circuit === undefined
        ? each
        : { ...each, circuit: stateOf.get(each.proxyId) ?? each.circuit },
    ),
  };
}

/** Both formats: backslash, line feed and quote in a label's value. */
function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
