import { integer } from '@whirl/check';
import type { CircuitState } from '@whirl/events';
import { durationBoundsMs, type Durations } from '../latency/duration-counts.ts';
import type { AttemptCounts, ProxySeries, TargetSeries, Totals } from '../readings.ts';
import type { RetryMetrics } from '../retry-metrics.ts';
import type { SourceLabels } from './source-labels.ts';
import { maxTargets } from '../tables/target-counts.ts';

/** How many series an exporter makes. A bad value is refused with a TypeError or RangeError that names it. */
export interface SeriesOptions {
  /**
   * Proxies with series of their own, the first that were seen; the rest is `other`. An integer from 0 to 1,000,000,
   * default 200: each has five series.
   */
  readonly maxProxySeries?: number | undefined;
  /**
   * Targets with series of their own, the first that were seen; the rest is `other`. An integer from 0 to 1,000,
   * default 100: each has four series. 0 where targets are confidential.
   */
  readonly maxTargetSeries?: number | undefined;
}

/** One number of a family. */
export interface Sample {
  /** Behind the family's name: `_bucket`, `_sum` and `_count` of a histogram. */
  readonly suffix?: '_bucket' | '_sum' | '_count';
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with all of its series, in the terms that every exporter shares. */
export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labelNames: readonly string[];
  /**
   * How the processes of a cluster add up. Each of them holds the same pool, so the gauges of its
   * state are not summed: the largest is the worst.
   */
  readonly aggregator: 'sum' | 'max';
  /** Reads its numbers. */
  samples(reading: Reading): readonly Sample[];
}

/** What the families are read from, at one moment. */
export interface Reading {
  readonly totals: Totals;
  readonly byProxy: readonly ProxySeries[];
  readonly byTarget: readonly TargetSeries[];
}

const unlabelled = {};

/** A number for each state, for graphs: the higher, the worse. */
const circuitValues: Readonly<Record<CircuitState, number>> = {
  closed: 0,
  disabled: 0,
  half_open: 1,
  open: 2,
  forced_open: 2,
};

function labelled(label: string, counts: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(counts).map(([word, value]) => ({ labels: { [label]: word }, value }));
}

function byOutcome(label: string, name: string, attempts: AttemptCounts): Sample[] {
  return Object.entries(attempts).map(([outcome, value]) => ({
    labels: { [label]: name, outcome },
    value,
  }));
}

function histogram({ cumulative, count, sumMs }: Durations): Sample[] {
  const buckets = cumulative.map((value, i) => {
    const boundMs = durationBoundsMs[i];
    const le = boundMs === undefined ? '+Inf' : String(boundMs / 1000);
    return { suffix: '_bucket', labels: { le }, value } as const;
  });
  return [
    ...buckets,
    { suffix: '_sum', labels: unlabelled, value: sumMs / 1000 },
    { suffix: '_count', labels: unlabelled, value: count },
  ];
}

function counter(
  name: string,
  help: string,
  labelNames: readonly string[],
  samples: Family['samples'],
): Family {
  return { name, type: 'counter', help, labelNames, aggregator: 'sum', samples };
}

function gauge(
  name: string,
  help: string,
  labelNames: readonly string[],
  samples: Family['samples'],
  aggregator: Family['aggregator'] = 'max',
): Family {
  return { name, type: 'gauge', help, labelNames, aggregator, samples };
}

/** Every metric that whirl exports, in the order in which it is rendered. */
export const families: readonly Family[] = [
  counter(
    'whirl_requests_total',
    'Requests that ended, those refused without an attempt included.',
    ['outcome'],
    ({ totals }) => labelled('outcome', totals.requests),
  ),
  counter(
    'whirl_requests_refused_total',
    'Requests that ended without an attempt.',
    [],
    ({ totals }) => [{ labels: unlabelled, value: totals.refusedRequests }],
  ),
  counter(
    'whirl_requests_succeeded_total',
    'Successes by the number of the attempt that succeeded, the first try being 0.',
    ['attempt'],
    ({ totals }) => labelled('attempt', totals.successByAttempt),
  ),
  counter(
    'whirl_attempts_total',
    'Attempts that ended: first tries, retries and hedges.',
    ['outcome'],
    ({ totals }) => labelled('outcome', totals.attempts),
  ),
  counter(
    'whirl_attempt_failures_total',
    'Attempts that did not succeed, by what was to blame.',
    ['blame'],
    ({ totals }) => labelled('blame', totals.attemptFailures),
  ),
  counter(
    'whirl_retries_total',
    'Retries that were attempted, by the reason of the failure before.',
    ['reason'],
    ({ totals: { retries } }) => {
      const { unknown, ...known } = retries;
      return labelled('reason', unknown > 0 ? retries : known);
    },
  ),
  counter('whirl_hedges_total', 'Attempts sent beside one still running.', [], ({ totals }) => [
    { labels: unlabelled, value: totals.hedges },
  ]),
  counter(
    'whirl_retries_refused_total',
    'Retries that were wanted and not made.',
    ['reason'],
    ({ totals }) => labelled('reason', totals.retriesRefused),
  ),
  counter(
    'whirl_circuit_transitions_total',
    'Transitions of circuits, by the state they went to.',
    ['to'],
    ({ totals }) => labelled('to', totals.circuitTransitions),
  ),
  gauge('whirl_circuits', 'Circuits of the pool by state.', ['state'], ({ totals }) =>
    labelled('state', totals.circuits),
  ),
  gauge('whirl_proxies', 'Proxies in the pool.', [], ({ totals }) => [
    { labels: unlabelled, value: totals.proxies },
  ]),
  gauge(
    'whirl_targets',
    'Targets by whether they respond, the 1,000 used last.',
    ['state'],
    ({ totals }) => labelled('state', totals.targets),
  ),
  gauge(
    'whirl_requests_in_flight',
    'Requests under way.',
    [],
    ({ totals }) => [{ labels: unlabelled, value: totals.requestsInFlight }],
    'sum',
  ),
  gauge(
    'whirl_tunnels_open',
    'Tunnels that have not closed.',
    [],
    ({ totals }) => [{ labels: unlabelled, value: totals.tunnels.open }],
    'sum',
  ),
  counter(
    'whirl_tunnels_closed_total',
    'Tunnels that have closed, by the side that ended them first.',
    ['closed_by'],
    ({ totals }) => labelled('closed_by', totals.tunnels.closed),
  ),
  counter(
    'whirl_tunnel_bytes_total',
    'Bytes through tunnels that have closed: up to targets, down from them.',
    ['direction'],
    ({ totals: { tunnels } }) =>
      labelled('direction', { up: tunnels.bytesUp, down: tunnels.bytesDown }),
  ),
  counter(
    'whirl_tunnel_replays_total',
    'First flights that were sent again through another proxy.',
    [],
    ({ totals }) => [{ labels: unlabelled, value: totals.tunnels.replays }],
  ),
  {
    name: 'whirl_request_duration_seconds',
    type: 'histogram',
    help: 'Requests with at least one attempt, from start to the end of the body.',
    labelNames: ['le'],
    aggregator: 'sum',
    samples: ({ totals }) => histogram(totals.requestDuration),
  },
  {
    name: 'whirl_attempt_duration_seconds',
    type: 'histogram',
    help: 'Attempts, from start to the response headers or the failure.',
    labelNames: ['le'],
    aggregator: 'sum',
    samples: ({ totals }) => histogram(totals.attemptDuration),
  },
  counter(
    'whirl_proxy_attempts_total',
    'Attempts that ended, by proxy; other is all without series of their own.',
    ['proxy', 'outcome'],
    ({ byProxy }) =>
      byProxy.flatMap(({ proxyId, attempts }) => byOutcome('proxy', proxyId, attempts)),
  ),
  gauge(
    'whirl_proxy_circuit_state',
    'State of the circuit of a proxy: 0 closed, 1 half-open, 2 open.',
    ['proxy'],
    ({ byProxy }) =>
      byProxy.flatMap(({ proxyId, circuit }) =>
        circuit === undefined
          ? []
          : [{ labels: { proxy: proxyId }, value: circuitValues[circuit] }],
      ),
  ),
  counter(
    'whirl_target_attempts_total',
    'Attempts that ended, by target; other is all without series of their own.',
    ['target', 'outcome'],
    ({ byTarget }) =>
      byTarget.flatMap(({ origin, attempts }) => byOutcome('target', origin, attempts)),
  ),
];

/** Labels that some series bears: no source may bring one of its own by these names. */
export const ownLabelNames: ReadonlySet<string> = new Set(
  families.flatMap(({ labelNames }) => labelNames),
);

/** The numbers of a family, each with the labels of its source. */
export function labelledSamples(
  family: Family,
  reading: Reading,
  labels: SourceLabels | undefined,
): readonly Sample[] {
  const samples = family.samples(reading);
  if (labels === undefined) return samples;
  return samples.map((sample) => ({ ...sample, labels: { ...labels, ...sample.labels } }));
}

/** Reads what the families ask for, at most once, and refuses bad options at once. */
export function readSeries(metrics: RetryMetrics, options: SeriesOptions): Reading {
  const { maxProxySeries = 200, maxTargetSeries = 100 } = options;
  let totals: Totals | undefined;
  let byProxy: readonly ProxySeries[] | undefined;
  let byTarget: readonly TargetSeries[] | undefined;
  return {
    get totals() {
      return (totals ??= metrics.totals());
    },
    get byProxy() {
      return (byProxy ??= metrics.totalsByProxy(maxProxySeries));
    },
    get byTarget() {
      return (byTarget ??= metrics.totalsByTarget(maxTargetSeries));
    },
  };
}

/** What each of `SeriesOptions` must be. */
export const seriesKinds = {
  maxProxySeries: integer(0, 1_000_000),
  maxTargetSeries: integer(0, maxTargets),
};
