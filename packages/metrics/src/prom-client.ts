import type { Metric, Registry } from 'prom-client';
import {
  families,
  type Family,
  proxyLimit,
  readSeries,
  type Sample,
  type SeriesOptions,
} from './families.ts';
import type { RetryMetrics } from './retry-metrics.ts';
import { checkNames } from './validate.ts';

export interface PromClientOptions extends SeriesOptions {
  /** The registry to register in: your own, or prom-client's global `register`. */
  readonly registry: Pick<Registry, 'registerMetric' | 'removeSingleMetric' | 'getSingleMetric'>;
}

/**
 * Registers every whirl metric in a prom-client registry. They are read when the registry is, and
 * cost nothing in between. Returns a function that takes them out again. Throws, with nothing
 * registered, when a metric of one of the names is there already.
 */
export function registerRetryMetrics(
  metrics: RetryMetrics,
  options: PromClientOptions,
): () => void {
  checkNames(options, ['registry', 'maxProxySeries']);
  const { registry } = options;
  if (typeof registry?.registerMetric !== 'function') {
    throw new TypeError(`registry must be a prom-client Registry, got ${typeof registry}`);
  }
  proxyLimit(options);
  for (const { name } of families) {
    if (registry.getSingleMetric(name) !== undefined) {
      throw new Error(`registry has a metric named ${name} already`);
    }
  }
  for (const family of families) {
    registry.registerMetric(asMetric(family, metrics, options));
  }
  let registered = true;
  return () => {
    if (registered) for (const { name } of families) registry.removeSingleMetric(name);
    registered = false;
  };
}

/** What a registry asks of a metric is this much; the library's own classes would keep a copy. */
function asMetric(family: Family, metrics: RetryMetrics, options: SeriesOptions): Metric {
  const { type, help, labelNames } = family;
  const metric = {
    // A registry of the OpenMetrics type writes the name that it wants here.
    name: family.name,
    help,
    type,
    labelNames,
    aggregator: 'sum',
    get() {
      const samples = family.samples(readSeries(metrics, options));
      const values = samples.map((sample) => asValue(family, sample));
      return Promise.resolve({ name: metric.name, help, type, aggregator: 'sum', values });
    },
    // The counts are the metrics' own: a registry that is reset does not take them away.
    reset() {},
  };
  return metric as unknown as Metric;
}

function asValue({ name, type }: Family, { suffix, labels, value }: Sample) {
  if (type !== 'histogram') return { labels, value };
  const le = labels['le'];
  return {
    labels: le === undefined || le === '+Inf' ? labels : { le: Number(le) },
    value,
    metricName: `${name}${suffix ?? ''}`,
  };
}
