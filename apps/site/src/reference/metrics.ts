import { families } from '../../../../packages/metrics/src/exporters/metric-families.ts';
import { code, page, table } from './markdown.ts';

/** Every series that the exporters write. */
export function metrics(): string {
  const rows = families.map(({ name, type, help, labelNames }) => [
    code(name),
    type,
    labelNames.map(code).join(' '),
    help,
  ]);
  return page(
    'Metrics',
    'The series of `@whirl/metrics/prometheus`, `prom-client` and `opentelemetry`, and of `/metrics` of the server. ' +
      'Durations are in seconds. What the readings of `RetryMetrics` mean: ' +
      '[@whirl/metrics](../packages/metrics.md#what-each-number-means).',
    [table(['series', 'type', 'labels', ''], rows)],
  );
}
