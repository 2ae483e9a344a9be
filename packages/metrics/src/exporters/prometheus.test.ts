import { beforeEach, describe, expect, it } from 'vitest';
import {
  attemptEnd,
  circuitTransition,
  midnight,
  requestEnd,
  requestStart,
  retryScheduled,
} from '../facts.fixture.ts';
import { hourMs } from '../tables/hour-ring.ts';
import { renderPrometheus } from './prometheus.ts';
import { RetryMetrics } from '../retry-metrics.ts';

describe('renderPrometheus', () => {
  let at: number;
  let metrics: RetryMetrics;
  beforeEach(() => {
    at = midnight;
    metrics = new RetryMetrics({ now: () => at });
  });

  /** The lines of these families, without HELP. */
  const lines = (names: readonly string[], text = renderPrometheus(metrics)) =>
    text.split('\n').filter((line) => names.some((name) => line.startsWith(name)));

  const refused = { outcome: 'failure', phase: 'tcp', reason: 'tcp', blame: 'proxy' } as const;
  const someTraffic = () => {
    metrics.record('proxy:added', { proxyId: 'p1', weight: 1, at });
    metrics.record('proxy:added', { proxyId: 'p2', weight: 1, at });
    metrics.record('request:start', requestStart());
    metrics.record('request:start', requestStart({ requestId: 'r2' }));
    metrics.record('attempt:end', attemptEnd({ ...refused, latencyMs: 5 }));
    metrics.record('circuit:transition', circuitTransition());
    metrics.record('retry:scheduled', retryScheduled());
    metrics.record('attempt:end', attemptEnd({ attempt: 1, proxyId: 'p2', latencyMs: 300 }));
    metrics.record('request:end', requestEnd({ attemptCount: 2, durationMs: 1310 }));
    metrics.record('request:end', requestEnd({ outcome: 'circuit_open', attemptCount: 0 }));
    metrics.record('request:start', requestStart({ requestId: 'r3' }));
    metrics.record('retry:refused', { requestId: 'r3', attempt: 0, reason: 'budget', at });
  };

  it('M8 N renders every metric with HELP and TYPE, and the numbers', () => {
    someTraffic();
    const text = renderPrometheus(metrics);
    expect(text.match(/^# TYPE .*$/gm)).toEqual([
      '# TYPE whirl_requests_total counter',
      '# TYPE whirl_requests_refused_total counter',
      '# TYPE whirl_requests_succeeded_total counter',
      '# TYPE whirl_attempts_total counter',
      '# TYPE whirl_attempt_failures_total counter',
      '# TYPE whirl_retries_total counter',
      '# TYPE whirl_hedges_total counter',
      '# TYPE whirl_retries_refused_total counter',
      '# TYPE whirl_circuit_transitions_total counter',
      '# TYPE whirl_circuits gauge',
      '# TYPE whirl_proxies gauge',
      '# TYPE whirl_targets gauge',
      '# TYPE whirl_requests_in_flight gauge',
      '# TYPE whirl_tunnels_open gauge',
      '# TYPE whirl_tunnels_closed_total counter',
      '# TYPE whirl_tunnel_bytes_total counter',
      '# TYPE whirl_tunnel_replays_total counter',
      '# TYPE whirl_request_duration_seconds histogram',
      '# TYPE whirl_attempt_duration_seconds histogram',
      '# TYPE whirl_proxy_attempts_total counter',
      '# TYPE whirl_proxy_circuit_state gauge',
      '# TYPE whirl_target_attempts_total counter',
    ]);
    const names = (kind: string) =>
      [...text.matchAll(new RegExp(`^# ${kind} (\\S+) `, 'gm'))].map(([, name]) => name);
    expect(names('HELP')).toEqual(names('TYPE'));
    expect(text.endsWith('\n')).toBe(true);
    expect(
      text.split('\n').filter((line) => !line.startsWith('#') && !line.endsWith(' 0')),
    ).toEqual([
      'whirl_requests_total{outcome="success"} 1',
      'whirl_requests_total{outcome="circuit_open"} 1',
      'whirl_requests_refused_total 1',
      'whirl_requests_succeeded_total{attempt="1"} 1',
      'whirl_attempts_total{outcome="success"} 1',
      'whirl_attempts_total{outcome="failure"} 1',
      'whirl_attempt_failures_total{blame="proxy"} 1',
      'whirl_retries_total{reason="tcp"} 1',
      'whirl_retries_refused_total{reason="budget"} 1',
      'whirl_circuit_transitions_total{to="open"} 1',
      'whirl_circuits{state="closed"} 1',
      'whirl_circuits{state="open"} 1',
      'whirl_proxies 2',
      'whirl_targets{state="up"} 1',
      'whirl_requests_in_flight 1',
      'whirl_request_duration_seconds_bucket{le="2.5"} 1',
      'whirl_request_duration_seconds_bucket{le="5"} 1',
      'whirl_request_duration_seconds_bucket{le="10"} 1',
      'whirl_request_duration_seconds_bucket{le="30"} 1',
      'whirl_request_duration_seconds_bucket{le="60"} 1',
      'whirl_request_duration_seconds_bucket{le="120"} 1',
      'whirl_request_duration_seconds_bucket{le="+Inf"} 1',
      'whirl_request_duration_seconds_sum 1.31',
      'whirl_request_duration_seconds_count 1',
      'whirl_attempt_duration_seconds_bucket{le="0.005"} 1',
      'whirl_attempt_duration_seconds_bucket{le="0.01"} 1',
      'whirl_attempt_duration_seconds_bucket{le="0.025"} 1',
      'whirl_attempt_duration_seconds_bucket{le="0.05"} 1',
      'whirl_attempt_duration_seconds_bucket{le="0.1"} 1',
      'whirl_attempt_duration_seconds_bucket{le="0.25"} 1',
      'whirl_attempt_duration_seconds_bucket{le="0.5"} 2',
      'whirl_attempt_duration_seconds_bucket{le="1"} 2',
      'whirl_attempt_duration_seconds_bucket{le="2.5"} 2',
      'whirl_attempt_duration_seconds_bucket{le="5"} 2',
      'whirl_attempt_duration_seconds_bucket{le="10"} 2',
      'whirl_attempt_duration_seconds_bucket{le="30"} 2',
      'whirl_attempt_duration_seconds_bucket{le="60"} 2',
      'whirl_attempt_duration_seconds_bucket{le="120"} 2',
      'whirl_attempt_duration_seconds_bucket{le="+Inf"} 2',
      'whirl_attempt_duration_seconds_sum 0.305',
      'whirl_attempt_duration_seconds_count 2',
      'whirl_proxy_attempts_total{proxy="p1",outcome="failure"} 1',
      'whirl_proxy_attempts_total{proxy="p2",outcome="success"} 1',
      'whirl_proxy_circuit_state{proxy="p1"} 2',
      'whirl_target_attempts_total{target="https://example.com",outcome="success"} 1',
      'whirl_target_attempts_total{target="https://example.com",outcome="failure"} 1',
      '',
    ]);
  });

  it('M8 closed sets are there from the start, at 0', () => {
    expect(lines(['whirl_requests_total', 'whirl_hedges_total', 'whirl_circuits'])).toEqual([
      'whirl_requests_total{outcome="success"} 0',
      'whirl_requests_total{outcome="failure"} 0',
      'whirl_requests_total{outcome="timeout"} 0',
      'whirl_requests_total{outcome="aborted"} 0',
      'whirl_requests_total{outcome="circuit_open"} 0',
      'whirl_hedges_total 0',
      'whirl_circuits{state="closed"} 0',
      'whirl_circuits{state="open"} 0',
      'whirl_circuits{state="half_open"} 0',
      'whirl_circuits{state="forced_open"} 0',
      'whirl_circuits{state="disabled"} 0',
    ]);
    expect(lines(['whirl_retries_total'])).toHaveLength(14);
    expect(lines(['whirl_retries_refused_total'])).toHaveLength(8);
  });

  it('M8 OpenMetrics names counters without _total, bounds as floats, and ends with EOF', () => {
    someTraffic();
    const text = renderPrometheus(metrics, { format: 'openmetrics' });
    expect(lines(['# TYPE whirl_retries', 'whirl_retries_total{reason="tcp"}'], text)).toEqual([
      '# TYPE whirl_retries counter',
      'whirl_retries_total{reason="tcp"} 1',
      '# TYPE whirl_retries_refused counter',
    ]);
    expect(lines(['whirl_request_duration_seconds_bucket'], text).slice(-8, -6)).toEqual([
      'whirl_request_duration_seconds_bucket{le="1.0"} 0',
      'whirl_request_duration_seconds_bucket{le="2.5"} 1',
    ]);
    expect(text.endsWith('\n# EOF\n')).toBe(true);
    expect(text.match(/# EOF/g)).toHaveLength(1);
  });

  it('M8 label values are escaped', () => {
    metrics.record('attempt:end', attemptEnd({ proxyId: 'a"b\\c\nd' }));
    expect(lines(['whirl_proxy_circuit_state'])).toEqual([
      String.raw`whirl_proxy_circuit_state{proxy="a\"b\\c\nd"} 0`,
    ]);
  });

  it('M8 per-proxy series are capped at 200; the rest is other', () => {
    for (let i = 0; i < 10_000; i++) {
      metrics.record('attempt:end', attemptEnd({ proxyId: `p${i}` }));
    }
    const shown = lines(['whirl_proxy_attempts_total{']);
    expect(shown).toHaveLength(201 * 4);
    expect(shown.slice(-4)).toEqual([
      'whirl_proxy_attempts_total{proxy="other",outcome="success"} 9800',
      'whirl_proxy_attempts_total{proxy="other",outcome="failure"} 0',
      'whirl_proxy_attempts_total{proxy="other",outcome="timeout"} 0',
      'whirl_proxy_attempts_total{proxy="other",outcome="aborted"} 0',
    ]);
    expect(lines(['whirl_proxy_circuit_state'])).toHaveLength(200);
    const none = renderPrometheus(metrics, { maxProxySeries: 0 });
    expect(lines(['whirl_proxy_attempts_total{proxy="other",outcome="success"}'], none)).toEqual([
      'whirl_proxy_attempts_total{proxy="other",outcome="success"} 10000',
    ]);
  });

  it('M8 no counter ever falls while proxies come, go and fold', () => {
    metrics = new RetryMetrics({ maxProxies: 5, retentionHours: 2, now: () => at });
    const before = new Map<string, number>();
    for (let i = 0; i < 400; i++) {
      at += hourMs / 10;
      const proxyId = `p${(i * i) % 17}`;
      const outcome = i % 4 === 0 ? 'failure' : 'success';
      metrics.record('attempt:end', attemptEnd({ proxyId, outcome, at }));
      if (i % 9 === 0) metrics.record('proxy:removed', { proxyId, weight: 1, at });
      const now = new Map(
        lines(['whirl_'], renderPrometheus(metrics, { maxProxySeries: 3 }))
          .filter((line) => line.includes('_total') && !/proxy="p/.test(line))
          .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
      );
      for (const [series, value] of before) expect(now.get(series)).toBeGreaterThanOrEqual(value);
      for (const [series, value] of now) before.set(series, value);
    }
    expect(
      before.get('whirl_proxy_attempts_total{proxy="other",outcome="success"}'),
    ).toBeGreaterThan(0);
  });

  it('takes gauges as given where the facts came too late', () => {
    metrics.record('attempt:end', attemptEnd());
    const text = renderPrometheus(metrics, {
      circuits: [
        { proxyId: 'p1', state: 'half_open' },
        { proxyId: 'p2', state: 'forced_open' },
      ],
      inFlight: 3,
      proxies: 2,
    });
    const names = ['whirl_circuits{', 'whirl_proxies', 'whirl_requests_in', 'whirl_proxy_circuit'];
    expect(lines(names, text)).toEqual([
      'whirl_circuits{state="closed"} 0',
      'whirl_circuits{state="open"} 0',
      'whirl_circuits{state="half_open"} 1',
      'whirl_circuits{state="forced_open"} 1',
      'whirl_circuits{state="disabled"} 0',
      'whirl_proxies 2',
      'whirl_requests_in_flight 3',
      'whirl_proxy_circuit_state{proxy="p1"} 1',
    ]);
  });

  it('takes the circuits as counts, for pools that are too large to look at each', () => {
    metrics.record('attempt:end', attemptEnd());
    const circuits = { closed: 7, open: 2, half_open: 1, forced_open: 0, disabled: 3 };
    expect(lines(['whirl_circuits{'], renderPrometheus(metrics, { circuits }))).toEqual([
      'whirl_circuits{state="closed"} 7',
      'whirl_circuits{state="open"} 2',
      'whirl_circuits{state="half_open"} 1',
      'whirl_circuits{state="forced_open"} 0',
      'whirl_circuits{state="disabled"} 3',
    ]);
    for (const open of [-1, 0.5, undefined]) {
      const given = { ...circuits, open } as typeof circuits;
      expect(() => renderPrometheus(metrics, { circuits: given })).toThrow(
        /circuits\.open must be/,
      );
    }
  });

  it('M7b labels stand on every series, before its own', () => {
    someTraffic();
    const text = renderPrometheus(metrics, { labels: { pool: 'e"u' } });
    const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(series.filter((line) => !line.includes('{pool="e\\"u"'))).toEqual([]);
    expect(series).toContain('whirl_hedges_total{pool="e\\"u"} 0');
    expect(series).toContain('whirl_attempts_total{pool="e\\"u",outcome="success"} 1');
  });

  it('M7b several rotators share a page: each family once, each series with its source', () => {
    someTraffic();
    const sources = [
      { metrics, labels: { pool: 'a' }, inFlight: 7 },
      { metrics: new RetryMetrics({ now: () => at }), labels: { pool: 'b' } },
    ];
    const text = renderPrometheus(sources, { format: 'openmetrics' });
    expect(text.match(/# TYPE whirl_hedges counter/g)).toHaveLength(1);
    expect(lines(['whirl_requests_in_flight', 'whirl_proxies'], text)).toEqual([
      'whirl_proxies{pool="a"} 2',
      'whirl_proxies{pool="b"} 0',
      'whirl_requests_in_flight{pool="a"} 7',
      'whirl_requests_in_flight{pool="b"} 0',
    ]);
    expect(text.endsWith('# EOF\n')).toBe(true);
  });

  it('M7b refuses sources whose series would be the same', () => {
    const twice = [{ metrics }, { metrics: new RetryMetrics() }];
    expect(() => renderPrometheus(twice)).toThrow(
      'sources[1].labels must be labels that no source before it has, got []',
    );
    const reordered = [
      { metrics, labels: { a: '1', b: '2' } },
      { metrics, labels: { b: '2', a: '1' } },
    ];
    expect(() => renderPrometheus(reordered)).toThrow(RangeError);
    expect(() => renderPrometheus([{ metrics, format: 'text' } as never])).toThrow(
      'unknown option "sources[0].format"',
    );
  });

  it.each([
    [{ labels: { 'a-b': '1' } }, RangeError, 'each name in labels must be letters, digits and _, '],
    [
      { labels: { __name__: 'x' } },
      RangeError,
      'each name in labels must be letters, digits and _, ',
    ],
    [
      { labels: { proxy: 'x' } },
      RangeError,
      "each name in labels must be a name that no series of whirl's own has, got",
    ],
    [{ labels: { le: 'x' } }, RangeError, 'of whirl\'s own has, got "le"'],
    [{ labels: { pool: 1 } }, TypeError, 'labels.pool must be a string, got 1'],
    [{ labels: 'pool' }, TypeError, 'labels must be an object, got "pool"'],
    [{ format: 'json' }, RangeError, 'format must be "text" or "openmetrics", got "json"'],
    [
      { maxProxySeries: -1 },
      RangeError,
      'maxProxySeries must be an integer from 0 to 1000000, got -1',
    ],
    [{ inFlight: 0.5 }, RangeError, 'inFlight must be an integer ≥ 0, got 0.5'],
    [{ circuits: [{ proxyId: 'a', state: 'shut' }] }, RangeError, 'or "disabled", got "shut"'],
    [{ maxSeries: 5 }, TypeError, 'unknown option "maxSeries"'],
  ])('refuses %o', (options, kind, message) => {
    const render = () => renderPrometheus(metrics, options as never);
    expect(render).toThrow(kind);
    expect(render).toThrow(message);
  });
});
