import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { createBus, type WhirlBus, type WhirlEvents } from '@whirl/events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  attemptEnd,
  circuitTransition,
  midnight,
  requestEnd,
  requestStart,
  retryScheduled,
} from '../facts.fixture.ts';
import { observeRetryMetrics } from './opentelemetry.ts';
import { RetryMetrics } from '../retry-metrics.ts';

describe('observeRetryMetrics', () => {
  let bus: WhirlBus;
  let metrics: RetryMetrics;
  let exporter: PrometheusExporter;
  let provider: MeterProvider;
  let stop: () => void;

  beforeEach(() => {
    bus = createBus<WhirlEvents>();
    metrics = new RetryMetrics({ bus, now: () => midnight });
    exporter = new PrometheusExporter({ preventServerStart: true });
    provider = new MeterProvider({ readers: [exporter] });
    stop = observeRetryMetrics(metrics, { bus, meter: provider.getMeter('whirl-test') });
  });
  afterEach(async () => {
    stop();
    await provider.shutdown();
  });

  /** What the SDK exports now, without comments and without the scope's label. */
  const exported = async (): Promise<string[]> => {
    const { resourceMetrics, errors } = await exporter.collect();
    expect(errors).toEqual([]);
    return new PrometheusSerializer()
      .serialize(resourceMetrics)
      .replaceAll(/,?otel_scope_name="whirl-test"/g, '')
      .replaceAll('{}', '')
      .split('\n')
      .filter((line) => line.startsWith('whirl_') || line.startsWith('http_'));
  };

  it('M8 records one http.client.request.duration per attempt, in seconds', async () => {
    bus.emit('request:start', requestStart({ method: 'POST' }));
    bus.emit(
      'attempt:end',
      attemptEnd({ outcome: 'failure', reason: 'status', statusCode: 503, latencyMs: 40 }),
    );
    bus.emit('attempt:end', attemptEnd({ attempt: 1, statusCode: 200, latencyMs: 1500 }));
    bus.emit('request:end', requestEnd({ attemptCount: 2 }));
    const lines = (await exported()).filter((line) => line.startsWith('http_client'));
    const labels =
      'http_request_method="POST",server_address="example.com",server_port="443",url_scheme="https"';
    const bad = `${labels},http_response_status_code="503",error_type="503"`;
    const good = `${labels},http_response_status_code="200"`;
    expect(lines.filter((line) => !line.includes('_bucket'))).toEqual([
      `http_client_request_duration_count{${bad}} 1`,
      `http_client_request_duration_sum{${bad}} 0.04`,
      `http_client_request_duration_count{${good}} 1`,
      `http_client_request_duration_sum{${good}} 1.5`,
    ]);
    expect(lines).toContain(`http_client_request_duration_bucket{${good},le="1"} 0`);
    expect(lines).toContain(`http_client_request_duration_bucket{${good},le="2.5"} 1`);
  });

  it('M8 names errors, ports and methods as the conventions do', async () => {
    bus.emit('request:start', requestStart({ method: 'BREW' }));
    const failed = { outcome: 'failure', origin: 'http://[::1]:8080' } as const;
    bus.emit('attempt:end', attemptEnd({ ...failed, errorCode: 'PROXY_CONNECTION' }));
    bus.emit('attempt:end', attemptEnd({ ...failed, requestId: 'unheard', reason: 'tcp' }));
    bus.emit('attempt:end', attemptEnd({ outcome: 'timeout', origin: 'nowhere' }));
    const counts = (await exported()).filter((line) => line.includes('_duration_count'));
    const labels =
      'http_request_method="_OTHER",server_address="[::1]",server_port="8080",url_scheme="http"';
    expect(counts).toEqual([
      `http_client_request_duration_count{${labels},error_type="PROXY_CONNECTION"} 1`,
      `http_client_request_duration_count{${labels},error_type="tcp"} 1`,
      'http_client_request_duration_count{http_request_method="_OTHER",error_type="timeout"} 1',
    ]);
  });

  it('M8 observes whirl’s own instruments', async () => {
    bus.emit('proxy:added', { proxyId: 'p1', weight: 1, at: midnight });
    bus.emit('request:start', requestStart());
    bus.emit('request:start', requestStart({ requestId: 'r2' }));
    const refused = { outcome: 'failure', phase: 'tcp', reason: 'tcp', blame: 'proxy' } as const;
    bus.emit('attempt:end', attemptEnd(refused));
    bus.emit('circuit:transition', circuitTransition());
    bus.emit('retry:scheduled', retryScheduled());
    bus.emit('attempt:end', attemptEnd({ attempt: 1, proxyId: 'p2' }));
    bus.emit('request:end', requestEnd({ attemptCount: 2, durationMs: 1200 }));
    bus.emit('request:end', requestEnd({ outcome: 'circuit_open', attemptCount: 0 }));
    bus.emit('request:start', requestStart({ requestId: 'r3' }));
    bus.emit('retry:refused', { requestId: 'r3', attempt: 0, reason: 'budget', at: midnight });
    const lines = (await exported()).filter(
      (line) => line.startsWith('whirl_') && !line.includes('_bucket') && !line.endsWith(' 0'),
    );
    expect(lines).toEqual([
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
      'whirl_circuits{state="open"} 1',
      'whirl_proxies 1',
      'whirl_targets{state="up"} 1',
      'whirl_requests_in_flight 1',
      'whirl_proxy_attempts_total{proxy="p1",outcome="failure"} 1',
      'whirl_proxy_attempts_total{proxy="p2",outcome="success"} 1',
      'whirl_proxy_circuit_state{proxy="p1"} 2',
      'whirl_target_attempts_total{target="https://example.com",outcome="success"} 1',
      'whirl_target_attempts_total{target="https://example.com",outcome="failure"} 1',
      'whirl_request_duration_count{outcome="success"} 1',
      'whirl_request_duration_sum{outcome="success"} 1.2',
    ]);
  });

  it('M7b two rotators on one meter are told apart by attributes', async () => {
    const meter = provider.getMeter('whirl-test');
    const otherBus = createBus<WhirlEvents>();
    const other = new RetryMetrics({ bus: otherBus, now: () => midnight });
    const observe = (attributes?: object) => () =>
      observeRetryMetrics(other, { bus: otherBus, meter, attributes } as never);
    expect(observe()).toThrow(
      'meter has whirl metrics with the attributes [] already; give each rotator attributes of its own',
    );
    const stopOther = observe({ pool: 'b' })();
    otherBus.emit('attempt:end', attemptEnd());
    otherBus.emit('request:end', requestEnd());
    bus.emit('attempt:end', attemptEnd());
    const lines = await exported();
    expect(lines).toContain('whirl_attempts_total{outcome="success"} 1');
    expect(lines).toContain('whirl_attempts_total{pool="b",outcome="success"} 1');
    expect(lines).toContain('whirl_request_duration_count{pool="b",outcome="success"} 1');
    const durations = lines.filter((line) => line.startsWith('http_client_request_duration_count'));
    expect(durations.map((line) => line.includes('pool="b"'))).toEqual([true, false]);
    stopOther();
    observe({ pool: 'b' })()();
  });

  it('M7b names no target with serverAddress: false', async () => {
    stop();
    stop = observeRetryMetrics(metrics, {
      bus,
      meter: provider.getMeter('whirl-test'),
      serverAddress: false,
    });
    bus.emit('request:start', requestStart());
    bus.emit('attempt:end', attemptEnd({ origin: 'https://secret.example' }));
    const lines = await exported();
    expect(lines.join('\n')).not.toContain('secret');
    expect(lines).toContain(
      'http_client_request_duration_count{http_request_method="GET",url_scheme="https"} 1',
    );
  });

  it('M7b no instrument exceeds the points that an SDK keeps, and none is lost', async () => {
    for (let i = 0; i < 3000; i++) {
      const origin = `https://shop${i}.example`;
      bus.emit('attempt:end', attemptEnd({ origin, statusCode: 200 + (i % 300) }));
      bus.emit('attempt:end', attemptEnd({ proxyId: `p${i}`, origin, statusCode: 200 }));
      // Proxies come and go: each collection shows others.
      if (i % 500 === 499) await exporter.collect();
    }
    const { resourceMetrics } = await exporter.collect();
    const points = resourceMetrics.scopeMetrics.flatMap(({ metrics: each }) =>
      each.map(({ descriptor, dataPoints }) => ({ name: descriptor.name, dataPoints })),
    );
    for (const { name, dataPoints } of points) {
      expect([name, dataPoints.length < 2000]).toEqual([name, true]);
      const overflown = dataPoints.filter(({ attributes }) => 'otel.metric.overflow' in attributes);
      expect([name, overflown]).toEqual([name, []]);
    }
    const sum = (name: string) =>
      points
        .find((each) => each.name === name)
        ?.dataPoints.reduce(
          (total, { value }) =>
            total + (typeof value === 'number' ? value : (value as { count: number }).count),
          0,
        );
    expect(sum('http.client.request.duration')).toBe(6000);
    expect(sum('whirl.proxy.attempts')).toBe(6000);
    expect(sum('whirl.target.attempts')).toBe(6000);
  });

  it('stops at close(), and leaves no listener behind', async () => {
    stop();
    metrics.close();
    expect(bus.has('attempt:end') || bus.has('request:start') || bus.has('request:end')).toBe(
      false,
    );
    expect(await exported()).toEqual([]);
  });

  it('without a meter uses the global provider, which does nothing until there is one', () => {
    const off = observeRetryMetrics(metrics, { bus });
    observeRetryMetrics(metrics, { bus })();
    bus.emit('attempt:end', attemptEnd());
    off();
    expect(metrics.totals().attempts.success).toBe(1);
  });

  it('refuses bad options', () => {
    const observe = (options: object) => () => observeRetryMetrics(metrics, options as never);
    expect(observe({})).toThrow('bus must be a bus with on(), got undefined');
    expect(observe({ bus, maxProxySeries: NaN })).toThrow(RangeError);
    expect(observe({ bus, provider })).toThrow('unknown option "provider"; known are bus');
    expect(observe({ bus, attributes: { pool: null } })).toThrow(
      'attributes.pool must be a string, a number, true or false, got null',
    );
    expect(observe({ bus, serverAddress: 'no' })).toThrow('serverAddress must be true or false');
  });
});
