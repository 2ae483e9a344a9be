import type { Histogram } from './histogram.ts';
import type { RetryMetrics } from './retry-metrics.ts';

export interface PrometheusOptions {
  readonly circuits?: Iterable<{ readonly proxyId: string; readonly state: string }> | undefined;
  readonly inFlight?: number | undefined;
  readonly proxies?: number | undefined;
  /** Series per proxy at most; the rest are `other`. Default 200. */
  readonly maxProxySeries?: number | undefined;
}

const boundsMs = [50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000];

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

/** The metrics in Prometheus' text format 0.0.4. */
export function renderPrometheus(metrics: RetryMetrics, options: PrometheusOptions = {}): string {
  const { totals, totalsByProxy } = metrics;
  const { circuits = [], inFlight, proxies, maxProxySeries = 200 } = options;
  const lines: string[] = [];
  const head = (name: string, type: string, help: string) =>
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  const labelled = (name: string, help: string, label: string, counts: Record<string, number>) => {
    head(name, 'counter', help);
    for (const [value, n] of Object.entries(counts)) {
      lines.push(`${name}{${label}="${escape(value)}"} ${n}`);
    }
  };
  const single = (name: string, type: string, help: string, value: number) => {
    head(name, type, help);
    lines.push(`${name} ${value}`);
  };
  const histogram = (name: string, help: string, from: Histogram) => {
    head(name, 'histogram', help);
    from.cumulative(boundsMs).forEach((n, i) => {
      lines.push(`${name}_bucket{le="${(boundsMs[i] as number) / 1000}"} ${n}`);
    });
    lines.push(`${name}_bucket{le="+Inf"} ${from.count}`);
    lines.push(`${name}_sum ${from.sumMs / 1000}`, `${name}_count ${from.count}`);
  };

  labelled('whirl_requests_total', 'Requests ended.', 'outcome', totals.requestOutcomes);
  labelled(
    'whirl_requests_succeeded_total',
    'Requests by the attempt that succeeded.',
    'attempt',
    Object.fromEntries(totals.successByAttempt.entries()) as Record<string, number>,
  );
  labelled('whirl_attempts_total', 'Attempts ended.', 'outcome', totals.outcomes);
  labelled('whirl_retries_total', 'Retries scheduled.', 'reason', totals.retriesByReason);
  single('whirl_hedges_total', 'counter', 'Hedged attempts.', totals.hedges);
  labelled('whirl_retries_refused_total', 'Retries not made.', 'reason', totals.retriesRefused);
  labelled('whirl_circuit_transitions_total', 'Transitions of circuits.', 'to', totals.transitions);
  const states: Record<string, number> = { closed: 0, open: 0, half_open: 0 };
  const all = [...circuits];
  for (const { state } of all) states[state] = (states[state] ?? 0) + 1;
  head('whirl_circuits', 'gauge', 'Circuits by state.');
  for (const [state, n] of Object.entries(states))
    lines.push(`whirl_circuits{state="${state}"} ${n}`);
  if (proxies !== undefined) single('whirl_proxies', 'gauge', 'Proxies in the pool.', proxies);
  if (inFlight !== undefined) {
    single('whirl_requests_in_flight', 'gauge', 'Requests in flight.', inFlight);
  }
  histogram('whirl_request_duration_seconds', 'Requests, body included.', totals.duration);
  histogram('whirl_attempt_duration_seconds', 'Attempts, to the headers.', totals.latency);

  head('whirl_proxy_attempts_total', 'counter', 'Attempts by proxy.');
  let shown = 0;
  let otherGood = 0;
  let otherBad = 0;
  const series = (id: string, good: number, bad: number) => {
    const proxy = escape(id);
    lines.push(`whirl_proxy_attempts_total{proxy="${proxy}",outcome="success"} ${good}`);
    lines.push(`whirl_proxy_attempts_total{proxy="${proxy}",outcome="failure"} ${bad}`);
  };
  for (const [id, counts] of totalsByProxy) {
    if (id === 'other' || shown >= maxProxySeries) {
      otherGood += counts.successes;
      otherBad += counts.failures;
    } else {
      shown++;
      series(id, counts.successes, counts.failures);
    }
  }
  if (otherGood + otherBad > 0) series('other', otherGood, otherBad);
  head('whirl_proxy_circuit_state', 'gauge', '0 closed, 1 half-open, 2 open.');
  for (const { proxyId, state } of all.slice(0, maxProxySeries)) {
    const value = state.endsWith('open') ? (state === 'half_open' ? 1 : 2) : 0;
    lines.push(`whirl_proxy_circuit_state{proxy="${escape(proxyId)}"} ${value}`);
  }
  return `${lines.join('\n')}\n`;
}
