import { AggregatorRegistry, Counter, Registry, type RegistryContentType } from 'prom-client';
import { describe, expect, it } from 'vitest';
import {
  attemptEnd,
  circuitTransition,
  midnight,
  requestEnd,
  requestStart,
} from '../facts.fixture.ts';
import { registerRetryMetrics } from './prom-client.ts';
import { renderPrometheus } from './prometheus.ts';
import { RetryMetrics } from '../retry-metrics.ts';

function someMetrics(): RetryMetrics {
  const metrics = new RetryMetrics({ now: () => midnight });
  metrics.record('attempt:end', attemptEnd({ proxyId: 'a"b', latencyMs: 250 }));
  metrics.record('attempt:end', attemptEnd({ proxyId: 'p2', outcome: 'timeout' }));
  metrics.record('request:end', requestEnd());
  metrics.record('circuit:transition', circuitTransition({ name: 'p2' }));
  return metrics;
}

/** The lines of an exposition, without the blank ones that prom-client puts between families. */
const lines = (text: string) => text.split('\n').filter((line) => line !== '');

describe('registerRetryMetrics', () => {
  it('M8 a registry renders the same series as renderPrometheus', async () => {
    const metrics = someMetrics();
    const registry = new Registry();
    registerRetryMetrics(metrics, { registry });
    expect(lines(await registry.metrics())).toEqual(lines(renderPrometheus(metrics)));
  });

  it('M8 and the same in OpenMetrics, bounds aside', async () => {
    const metrics = someMetrics();
    const registry = new Registry<RegistryContentType>();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    registerRetryMetrics(metrics, { registry });
    const ours = renderPrometheus(metrics, { format: 'openmetrics' }).replaceAll('.0"}', '"}');
    expect(lines(await registry.metrics())).toEqual(lines(ours));
    // A second scrape finds the same names.
    expect(lines(await registry.metrics())).toEqual(lines(ours));
  });

  it('M8 is read at the scrape, beside the registry’s own metrics and default labels', async () => {
    const metrics = someMetrics();
    const registry = new Registry();
    const own = new Counter({ name: 'own_total', help: 'Own.', registers: [registry] });
    registry.setDefaultLabels({ app: 'crawler' });
    registerRetryMetrics(metrics, { registry, maxProxySeries: 1 });
    own.inc();
    metrics.record('attempt:end', attemptEnd({ hedge: true }));
    const text = lines(await registry.metrics());
    expect(text).toContain('own_total{app="crawler"} 1');
    expect(text).toContain('whirl_hedges_total{app="crawler"} 1');
    expect(text).toContain(
      'whirl_proxy_attempts_total{proxy="other",outcome="timeout",app="crawler"} 1',
    );
  });

  it('resetting the registry takes no counts away; unregistering takes the metrics out', async () => {
    const metrics = someMetrics();
    const registry = new Registry();
    const unregister = registerRetryMetrics(metrics, { registry });
    registry.resetMetrics();
    expect(await registry.getSingleMetricAsString('whirl_attempts_total')).toContain(
      'whirl_attempts_total{outcome="success"} 1',
    );
    unregister();
    expect(lines(await registry.metrics())).toEqual([]);
    const again = registerRetryMetrics(metrics, { registry });
    unregister();
    expect(registry.getSingleMetric('whirl_proxies')).toBeDefined();
    again();
  });

  it('M7b two rotators in one registry are told apart by labels, and leave one by one', async () => {
    const registry = new Registry();
    const busy = someMetrics();
    const idle = new RetryMetrics({ now: () => midnight });
    const leaveBusy = registerRetryMetrics(busy, { registry, labels: { pool: 'a' } });
    const leaveIdle = registerRetryMetrics(idle, { registry, labels: { pool: 'b' } });
    expect(lines(await registry.metrics())).toEqual(
      lines(
        renderPrometheus([
          { metrics: busy, labels: { pool: 'a' } },
          { metrics: idle, labels: { pool: 'b' } },
        ]),
      ),
    );
    leaveBusy();
    expect(lines(await registry.metrics())).toEqual(
      lines(renderPrometheus(idle, { labels: { pool: 'b' } })),
    );
    leaveIdle();
    expect(registry.getMetricsAsArray()).toEqual([]);
  });

  it('M7b refuses a second rotator with the same labels, and keeps the first', async () => {
    const registry = new Registry();
    registerRetryMetrics(someMetrics(), { registry });
    const text = await registry.metrics();
    expect(() => registerRetryMetrics(someMetrics(), { registry })).toThrow(
      'registry has whirl metrics with the labels [] already; give each rotator labels of its own',
    );
    expect(await registry.metrics()).toBe(text);
  });

  it('M7b a registry that was cleared takes the metrics again', async () => {
    const registry = new Registry();
    const unregister = registerRetryMetrics(someMetrics(), { registry });
    registry.clear();
    const metrics = someMetrics();
    registerRetryMetrics(metrics, { registry });
    unregister();
    expect(lines(await registry.metrics())).toEqual(lines(renderPrometheus(metrics)));
  });

  it('M7b a cluster sums counts and takes the largest of a state', async () => {
    const worker = async () => {
      const metrics = someMetrics();
      metrics.record('proxy:added', { proxyId: 'p2', weight: 1, at: midnight });
      metrics.record('circuit:transition', circuitTransition({ name: 'p2' }));
      metrics.record('request:start', requestStart());
      const registry = new Registry();
      registerRetryMetrics(metrics, { registry });
      return registry.getMetricsAsJSON();
    };
    const cluster = AggregatorRegistry.aggregate([await worker(), await worker()]);
    const text = lines(await cluster.metrics());
    expect(text).toContain('whirl_attempts_total{outcome="timeout"} 2');
    expect(text).toContain('whirl_requests_in_flight 2');
    expect(text).toContain('whirl_proxies 1');
    expect(text).toContain('whirl_circuits{state="open"} 2');
    expect(text).toContain('whirl_proxy_circuit_state{proxy="p2"} 2');
  });

  it('refuses a name that is taken, with nothing registered', () => {
    const registry = new Registry();
    const taken = new Counter({ name: 'whirl_hedges_total', help: 'Mine.', registers: [registry] });
    expect(() => registerRetryMetrics(someMetrics(), { registry })).toThrow(
      'registry has a metric named whirl_hedges_total already',
    );
    expect(registry.getMetricsAsArray()).toEqual([taken]);
  });

  it('refuses bad options', () => {
    const metrics = someMetrics();
    const registry = new Registry();
    const register = (options: object) => () => registerRetryMetrics(metrics, options as never);
    expect(register({})).toThrow(
      /^registry must be a prom-client Registry with .*, got undefined$/,
    );
    expect(register({ registry, maxProxySeries: 1.5 })).toThrow(RangeError);
    expect(register({ registry, prefix: 'x' })).toThrow(
      'unknown option "prefix"; known are registry',
    );
    expect(register({ registry, labels: { outcome: 'x' } })).toThrow(RangeError);
    expect(registry.getMetricsAsArray()).toEqual([]);
  });
});
