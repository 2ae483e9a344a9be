import { anything, check, checkOptions, withMethods } from '@whirl/check';
import type { Metric, Registry } from 'prom-client';
import {
  families,
  type Family,
  labelledSamples,
  ownLabelNames,
  seriesKinds,
  readSeries,
  type Sample,
  type SeriesOptions,
} from './metric-families.ts';
import type { RetryMetrics } from '../retry-metrics.ts';
import { checkLabels, exported, labelKey, type SourceLabels } from './source-labels.ts';

type AnyRegistry = Pick<Registry, 'registerMetric' | 'removeSingleMetric' | 'getSingleMetric'>;

/**
 * The options of `registerRetryMetrics()`. One that is unknown, of a wrong type or out of its bounds is refused with a
 * TypeError or RangeError that names it.
 */
export interface PromClientOptions extends SeriesOptions {
  /** The registry to register in: your own, or prom-client's global `register`. */
  readonly registry: AnyRegistry;
  /**
   * Labels on every series of these metrics, such as `{ pool: 'eu' }`: they tell several rotators
   * in one registry apart. At most 16, none by the name of a label that the series has already.
   * Default: none.
   */
  readonly labels?: SourceLabels | undefined;
}

const optionKinds = {
  registry: withMethods(
    'a prom-client Registry',
    'registerMetric',
    'removeSingleMetric',
    'getSingleMetric',
  ),
  labels: anything,
  ...seriesKinds,
};

/** One `RetryMetrics` in a registry. */
interface Source {
  readonly metrics: RetryMetrics;
  readonly labels: SourceLabels | undefined;
  readonly series: SeriesOptions;
}

/** The whirl metrics of one registry: each family once, with the series of every source. */
interface Registered {
  readonly metrics: ReadonlyMap<string, Metric>;
  readonly sources: Map<string, Source>;
}

const byRegistry = new WeakMap<AnyRegistry, Registered>();

/**
 * Registers every whirl metric in a prom-client registry. They are read when the registry is, and
 * cost nothing in between. Returns a function that takes them out again. Throws, with nothing
 * registered, when the registry has a metric by one of the names already, or whirl metrics with the
 * same labels.
 */
export function registerRetryMetrics(
  metrics: RetryMetrics,
  options: PromClientOptions,
): () => void {
  check('metrics', metrics, exported);
  checkOptions('', options, optionKinds, ['registry']);
  const { registry } = options;
  const labels =
    options.labels === undefined ? undefined : checkLabels('labels', options.labels, ownLabelNames);
  const key = labelKey(labels ?? {});
  const { sources } = registeredIn(registry);
  if (sources.has(key)) {
    throw new Error(
      `registry has whirl metrics with the labels ${key} already; give each rotator labels of its own`,
    );
  }
  const source: Source = { metrics, labels, series: options };
  sources.set(key, source);
  return () => {
    if (sources.get(key) !== source) return;
    sources.delete(key);
    // A registry that was cleared may hold the metrics of a later registration by now.
    if (sources.size > 0 || byRegistry.get(registry)?.sources !== sources) return;
    byRegistry.delete(registry);
    for (const { name } of families) registry.removeSingleMetric(name);
  };
}

/** The metrics that are in the registry, or new ones when there are none, or no longer. */
function registeredIn(registry: AnyRegistry): Registered {
  const known = byRegistry.get(registry);
  if (known !== undefined) {
    const present = families.every(
      ({ name }) => registry.getSingleMetric(name) === known.metrics.get(name),
    );
    if (present) return known;
  }
  for (const { name } of families) {
    if (registry.getSingleMetric(name) !== undefined) {
      throw new Error(`registry has a metric named ${name} already`);
    }
  }
  const sources = new Map<string, Source>();
  const metrics = new Map(families.map((family) => [family.name, asMetric(family, sources)]));
  for (const metric of metrics.values()) registry.registerMetric(metric);
  const made = { metrics, sources };
  byRegistry.set(registry, made);
  return made;
}

/** What a registry asks of a metric is this much; the library's own classes would keep a copy. */
function asMetric(family: Family, sources: ReadonlyMap<string, Source>): Metric {
  const { type, help, aggregator, labelNames } = family;
  const metric = {
    // A registry of the OpenMetrics type writes the name that it wants here.
    name: family.name,
    help,
    type,
    labelNames,
    aggregator,
    get() {
      const values = [...sources.values()].flatMap(({ metrics, labels, series }) =>
        labelledSamples(family, readSeries(metrics, series), labels).map((sample) =>
          asValue(family, sample),
        ),
      );
      return Promise.resolve({ name: metric.name, help, type, aggregator, values });
    },
    // The counts are the metrics' own: a registry that is reset does not take them away.
    reset() {},
  };
  return metric as unknown as Metric;
}

function asValue({ name, type }: Family, { suffix, labels, value }: Sample) {
  if (type !== 'histogram') return { labels, value };
  const { le } = labels;
  return {
    labels: le === undefined || le === '+Inf' ? labels : { ...labels, le: Number(le) },
    value,
    metricName: `${name}${suffix ?? ''}`,
  };
}
