import { metrics as api, type Meter, type Observable } from '@opentelemetry/api';
import type { AttemptEnd, WhirlBus } from '@whirl/events';
import { durationBoundsMs } from './duration-counts.ts';
import { families, type Family, proxyLimit, readSeries, type SeriesOptions } from './families.ts';
import { RequestMethods } from './request-methods.ts';
import type { RetryMetrics } from './retry-metrics.ts';
import { checkBus, checkNames } from './validate.ts';

export interface OpenTelemetryOptions extends SeriesOptions {
  /** Where the durations come from: the bus that the metrics listen to. */
  readonly bus: WhirlBus;
  /** Default: the meter `@whirl/metrics` of the global provider. */
  readonly meter?: Meter | undefined;
}

const bounds = durationBoundsMs.map((ms) => ms / 1000);

/** Our own instruments, by the Prometheus name of the same series. */
const instrumentNames: Readonly<Record<string, string>> = {
  whirl_requests_total: 'whirl.requests',
  whirl_requests_refused_total: 'whirl.requests.refused',
  whirl_requests_succeeded_total: 'whirl.requests.succeeded',
  whirl_attempts_total: 'whirl.attempts',
  whirl_retries_total: 'whirl.retries',
  whirl_hedges_total: 'whirl.hedges',
  whirl_retries_refused_total: 'whirl.retries.refused',
  whirl_circuit_transitions_total: 'whirl.circuit.transitions',
  whirl_circuits: 'whirl.circuits',
  whirl_proxies: 'whirl.proxies',
  whirl_requests_in_flight: 'whirl.requests_in_flight',
  whirl_proxy_attempts_total: 'whirl.proxy.attempts',
  whirl_proxy_circuit_state: 'whirl.proxy.circuit_state',
};

/**
 * Observes the metrics through OpenTelemetry. Counts and gauges are read when the SDK collects;
 * `http.client.request.duration` (one per attempt, to the headers, as the semantic conventions count
 * resends) and `whirl.request.duration` (one per request, to the end of the body) are recorded as
 * they happen. Durations are in seconds. Returns a function that stops it.
 */
export function observeRetryMetrics(
  metrics: RetryMetrics,
  options: OpenTelemetryOptions,
): () => void {
  checkNames(options, ['bus', 'meter', 'maxProxySeries']);
  const { bus, meter = api.getMeter('@whirl/metrics') } = options;
  checkBus(bus);
  proxyLimit(options);

  const observed = families.flatMap((family) => {
    const name = instrumentNames[family.name];
    return name === undefined ? [] : [[family, instrument(meter, name, family)] as const];
  });
  const observables = observed.map(([, observable]) => observable);
  const read: Parameters<Meter['addBatchObservableCallback']>[0] = (result) => {
    const reading = readSeries(metrics, options);
    for (const [family, observable] of observed) {
      for (const { labels, value } of family.samples(reading)) {
        result.observe(observable, value, labels);
      }
    }
  };
  meter.addBatchObservableCallback(read, observables);
  const offs = recordDurations(meter, bus);
  return () => {
    meter.removeBatchObservableCallback(read, observables);
    for (const off of offs.splice(0)) off();
  };
}

function instrument(meter: Meter, name: string, { type, help }: Family): Observable {
  return type === 'counter'
    ? meter.createObservableCounter(name, { description: help })
    : meter.createObservableGauge(name, { description: help });
}

function recordDurations(meter: Meter, bus: WhirlBus): (() => void)[] {
  const advice = { explicitBucketBoundaries: bounds };
  const attempts = meter.createHistogram('http.client.request.duration', {
    description: 'Duration of HTTP client requests: of each attempt, to the response headers.',
    unit: 's',
    advice,
  });
  const requests = meter.createHistogram('whirl.request.duration', {
    description: 'Duration of requests with all their attempts, to the end of the body.',
    unit: 's',
    advice,
  });
  const methods = new RequestMethods();
  return [
    bus.on('request:start', ({ requestId, method }) => methods.start(requestId, method)),
    bus.on('attempt:end', (event) => {
      attempts.record(event.latencyMs / 1000, attributes(event, methods.of(event.requestId)));
    }),
    bus.on('request:end', ({ requestId, attemptCount, durationMs, outcome }) => {
      methods.end(requestId);
      if (attemptCount > 0) requests.record(durationMs / 1000, { outcome });
    }),
  ];
}

/** The attributes that the semantic conventions of HTTP clients name. */
function attributes(event: AttemptEnd, method: string): Record<string, string | number> {
  const { statusCode, errorCode, outcome, origin } = event;
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  const failed = outcome !== 'success';
  const error =
    errorCode ?? (statusCode !== undefined && statusCode >= 400 ? String(statusCode) : undefined);
  return {
    'http.request.method': method,
    ...(url === undefined
      ? {}
      : {
          'server.address': url.hostname,
          'server.port': Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
          'url.scheme': url.protocol.slice(0, -1),
        }),
    ...(statusCode === undefined ? {} : { 'http.response.status_code': statusCode }),
    ...(failed || error !== undefined ? { 'error.type': error ?? event.reason ?? outcome } : {}),
  };
}
