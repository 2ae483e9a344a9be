import {
  createNoopMeter,
  metrics as api,
  type Attributes,
  type Meter,
  type Observable,
} from '@opentelemetry/api';
import { anything, boolean, check, checkOptions, withMethods } from '@whirl/check';
import type { AttemptEnd, WhirlBus } from '@whirl/events';
import { durationBoundsMs } from '../latency/duration-counts.ts';
import {
  families,
  type Family,
  readSeries,
  seriesKinds,
  type SeriesOptions,
} from './metric-families.ts';
import type { AttemptCounts } from '../readings.ts';
import { other } from '../tables/name-table.ts';
import { RequestMethods } from './request-methods.ts';
import type { RetryMetrics } from '../retry-metrics.ts';
import { maxPoints, SeriesCap } from './series-cap.ts';
import { checkAttributes, exported, labelKey } from './source-labels.ts';

/**
 * The options of `observeRetryMetrics()`. One that is unknown, of a wrong type or out of its bounds is refused with a
 * TypeError or RangeError that names it.
 */
export interface OpenTelemetryOptions extends SeriesOptions {
  /** Where the durations come from: the bus that the metrics listen to. */
  readonly bus: WhirlBus;
  /** The meter to export through. Default: the meter `@whirl/metrics` of the global provider. */
  readonly meter?: Meter | undefined;
  /**
   * Attributes on every series of these metrics, such as `{ pool: 'eu' }`: they tell several
   * rotators on one meter apart. Values are strings, numbers or booleans; at most 16. Default: none.
   */
  readonly attributes?: Readonly<Record<string, string | number | boolean>> | undefined;
  /**
   * Whether `http.client.request.duration` names the target, in `server.address` and `server.port`,
   * and `whirl.target.attempts` in `target`. Default true. Switch it off where targets are many or confidential.
   */
  readonly serverAddress?: boolean | undefined;
}

const optionKinds = {
  bus: withMethods('a bus', 'on'),
  meter: withMethods('a Meter', 'createHistogram', 'addBatchObservableCallback'),
  attributes: anything,
  serverAddress: boolean,
  ...seriesKinds,
};

/** A proxy, or a target, has a point for each outcome of its attempts. */
const maxNames = Math.floor(maxPoints / 4);
/** Points kept for durations without the target, once those with a target are full. */
const reservedPoints = 400;
/** Of these, points kept for series that are told apart by nothing but whether they failed. */
const lastPoints = 100;

/** What is exported through one meter: its instruments are shared, so are their limits. */
class MeterUse {
  /** The attributes in use. */
  readonly sources = new Set<string>();
  readonly proxies = new SeriesCap(maxNames);
  readonly targets = new SeriesCap(maxNames);
  readonly durations = new SeriesCap(maxPoints);
}

const uses = new WeakMap<Meter, MeterUse>();

function useOf(meter: Meter): MeterUse {
  let use = uses.get(meter);
  if (use === undefined) uses.set(meter, (use = new MeterUse()));
  return use;
}

const bounds = durationBoundsMs.map((ms) => ms / 1000);

/** Our own instruments, by the Prometheus name of the same series. */
const instrumentNames: Readonly<Record<string, string>> = {
  whirl_requests_total: 'whirl.requests',
  whirl_requests_refused_total: 'whirl.requests.refused',
  whirl_requests_succeeded_total: 'whirl.requests.succeeded',
  whirl_attempts_total: 'whirl.attempts',
  whirl_attempt_failures_total: 'whirl.attempt.failures',
  whirl_retries_total: 'whirl.retries',
  whirl_hedges_total: 'whirl.hedges',
  whirl_retries_refused_total: 'whirl.retries.refused',
  whirl_circuit_transitions_total: 'whirl.circuit.transitions',
  whirl_circuits: 'whirl.circuits',
  whirl_proxies: 'whirl.proxies',
  whirl_targets: 'whirl.targets',
  whirl_requests_in_flight: 'whirl.requests_in_flight',
  whirl_tunnels_open: 'whirl.tunnels.open',
  whirl_tunnels_closed_total: 'whirl.tunnels.closed',
  whirl_tunnel_bytes_total: 'whirl.tunnel.bytes',
  whirl_tunnel_replays_total: 'whirl.tunnel.replays',
  whirl_proxy_attempts_total: 'whirl.proxy.attempts',
  whirl_proxy_circuit_state: 'whirl.proxy.circuit_state',
  whirl_target_attempts_total: 'whirl.target.attempts',
};

/**
 * Observes the metrics through OpenTelemetry. Counts and gauges are read when the SDK collects;
 * `http.client.request.duration` (one per attempt, to the headers, as the semantic conventions count
 * resends) and `whirl.request.duration` (one per request, to the end of the body) are recorded as
 * they happen. Durations are in seconds. Returns a function that stops it.
 *
 * No instrument exceeds the 2,000 points that an SDK keeps by default: on one meter about 498
 * proxies and 498 targets have series of their own, and durations name no further targets once 1,599 series are in use.
 *
 * @throws {TypeError | RangeError} For an option that is unknown, of a wrong type or out of bounds.
 * @throws {Error} When the meter has whirl metrics with the same attributes already.
 */
export function observeRetryMetrics(
  metrics: RetryMetrics,
  options: OpenTelemetryOptions,
): () => void {
  check('metrics', metrics, exported);
  checkOptions('', options, optionKinds, ['bus']);
  const { bus, meter = api.getMeter('@whirl/metrics'), serverAddress = true } = options;
  const own = checkAttributes(options.attributes === undefined ? {} : options.attributes);
  const key = labelKey(own);
  const use = useOf(meter);
  // Without an SDK all share one meter, and it exports nothing.
  if (use.sources.has(key) && meter !== createNoopMeter()) {
    throw new Error(
      `meter has whirl metrics with the attributes ${key} already; give each rotator attributes of its own`,
    );
  }
  use.sources.add(key);
  use.proxies.grants(key, 0);
  use.targets.grants(key, 0);

  const observed = families.flatMap((family) => {
    const name = instrumentNames[family.name];
    return name === undefined ? [] : [[family, instrument(meter, name, family)] as const];
  });
  const observables = observed.map(([, observable]) => observable);
  const read: Parameters<Meter['addBatchObservableCallback']>[0] = (result) => {
    const { totals, byProxy, byTarget } = readSeries(metrics, options);
    const reading = {
      totals,
      byProxy: folded(
        byProxy,
        ({ proxyId }) => proxyId !== other && use.proxies.grants(`${key} ${proxyId}`, 0),
        (attempts) => ({ proxyId: other, attempts }),
      ),
      byTarget: folded(
        byTarget,
        ({ origin }) =>
          serverAddress && origin !== other && use.targets.grants(`${key} ${origin}`, 0),
        (attempts) => ({ origin: other, attempts }),
      ),
    };
    for (const [family, observable] of observed) {
      for (const { labels, value } of family.samples(reading)) {
        result.observe(observable, value, { ...own, ...labels });
      }
    }
  };
  meter.addBatchObservableCallback(read, observables);
  const offs = recordDurations(meter, bus, own, (event, method) =>
    durationAttributes(use.durations, key, event, method, serverAddress),
  );
  let stopped = false;
  return () => {
    if (stopped) return;
    stopped = true;
    use.sources.delete(key);
    meter.removeBatchObservableCallback(read, observables);
    for (const off of offs) off();
  };
}

/** The series with those that are not granted added to `other`. */
function folded<Series extends { readonly attempts: AttemptCounts }>(
  all: readonly Series[],
  granted: (series: Series) => boolean,
  otherSeries: (attempts: AttemptCounts) => Series,
): readonly Series[] {
  const shown: Series[] = [];
  const rest = { success: 0, failure: 0, timeout: 0, aborted: 0 };
  let any = false;
  for (const series of all) {
    if (granted(series)) {
      shown.push(series);
      continue;
    }
    any = true;
    for (const outcome of Object.keys(rest) as (keyof typeof rest)[]) {
      rest[outcome] += series.attempts[outcome];
    }
  }
  return any ? [...shown, otherSeries(rest)] : shown;
}

function instrument(meter: Meter, name: string, { type, help }: Family): Observable {
  return type === 'counter'
    ? meter.createObservableCounter(name, { description: help })
    : meter.createObservableGauge(name, { description: help });
}

function recordDurations(
  meter: Meter,
  bus: WhirlBus,
  own: Attributes,
  attributesOf: (event: AttemptEnd, method: string) => Attributes,
): (() => void)[] {
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
      const attributes = attributesOf(event, methods.of(event.requestId));
      attempts.record(event.latencyMs / 1000, { ...own, ...attributes });
    }),
    bus.on('request:end', ({ requestId, attemptCount, durationMs, outcome }) => {
      methods.end(requestId);
      if (attemptCount > 0) requests.record(durationMs / 1000, { ...own, outcome });
    }),
  ];
}

/**
 * The attributes that the semantic conventions of HTTP clients name: all of them, those without the
 * target once its series are full, or `_OTHER` once those are full too.
 */
function durationAttributes(
  cap: SeriesCap,
  source: string,
  event: AttemptEnd,
  method: string,
  serverAddress: boolean,
): Attributes {
  const { statusCode, errorCode, outcome, reason, origin } = event;
  const failed = outcome !== 'success';
  const said =
    errorCode ?? (statusCode !== undefined && statusCode >= 400 ? String(statusCode) : undefined);
  const error = said ?? (failed ? (reason ?? outcome) : undefined);
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  const scheme = url?.protocol.slice(0, -1);
  const key = `${source} ${method} ${statusCode} ${error}`;
  const named =
    serverAddress && url !== undefined && cap.grants(`${key} ${url.origin}`, reservedPoints);
  if (!named && !cap.grants(`${key} ${scheme}`, lastPoints)) {
    return {
      'http.request.method': '_OTHER',
      ...(error === undefined ? {} : { 'error.type': '_OTHER' }),
    };
  }
  return {
    'http.request.method': method,
    ...(named
      ? {
          'server.address': url.hostname,
          'server.port': Number(url.port) || (scheme === 'https' ? 443 : 80),
        }
      : {}),
    ...(scheme === undefined ? {} : { 'url.scheme': scheme }),
    ...(statusCode === undefined ? {} : { 'http.response.status_code': statusCode }),
    ...(error === undefined ? {} : { 'error.type': error }),
  };
}
