import type { AttemptEnd } from '@whirl/events';
import { describe, expect, it } from 'vitest';
import { attemptEnd, midnight } from './facts.fixture.ts';
import { renderPrometheus } from './exporters/prometheus.ts';
import { RetryMetrics } from './retry-metrics.ts';

const shop = 'https://shop.test';

function given() {
  const metrics = new RetryMetrics({ now: () => midnight });
  const attempt = (changes: Partial<AttemptEnd> = {}) =>
    metrics.record('attempt:end', attemptEnd({ origin: shop, ...changes }));
  const silent = (changes: Partial<AttemptEnd> = {}) =>
    attempt({
      outcome: 'timeout',
      reason: 'timeout',
      blame: 'target',
      phase: 'headers',
      ...changes,
    });
  const state = () =>
    Object.entries(metrics.totals().targets)
      .filter(([, count]) => count > 0)
      .map(([word]) => word)
      .join();
  return { metrics, attempt, silent, state };
}

describe('E7 the state of a target', () => {
  it('is unsure before the first response, and up after it', () => {
    const { attempt, state } = given();
    expect(state()).toBe('');
    attempt({ outcome: 'failure', phase: 'tcp', reason: 'tcp', blame: 'proxy' });
    expect(state()).toBe('unsure');
    attempt();
    expect(state()).toBe('up');
  });

  it('is unsure from the third failure in a row that may be its own, until it responds', () => {
    const { attempt, silent, state } = given();
    attempt();
    silent();
    silent({ blame: 'unknown' });
    for (const blame of ['proxy', 'route', 'caller'] as const) silent({ blame });
    silent({ reason: 'banned' });
    expect(state()).toBe('up');
    silent();
    expect(state()).toBe('unsure');
    attempt();
    expect(state()).toBe('up');
  });

  it('a failure with a response of the target ends the row; what a proxy may have said does not', () => {
    const { attempt, silent, state } = given();
    const row = (last: Partial<AttemptEnd>, origin: string) => {
      attempt({ origin });
      for (let i = 0; i < 2; i++) silent({ origin });
      silent({ origin, outcome: 'failure', reason: 'status', ...last });
      const after = state();
      attempt({ origin });
      return after;
    };
    expect(row({ statusCode: 503 }, shop)).toBe('up');
    expect(row({ phase: 'body', reason: 'body' }, shop)).toBe('up');
    expect(row({ phase: 'connect', statusCode: 502 }, shop)).toBe('unsure');
    expect(row({ statusCode: 503 }, 'http://shop.test')).toContain('unsure');
    // A page of the proxy's own is no response either.
    const { attempt: other, state: otherState } = given();
    other({ blame: 'route', statusCode: 404 });
    expect(otherState()).toBe('unsure');
  });

  it('is down from target:down to target:up, or to a response', () => {
    const { metrics, attempt, state } = given();
    const down = () =>
      metrics.record('target:down', { origin: shop, failures: 5, proxies: 3, at: midnight });
    attempt();
    down();
    expect(state()).toBe('down');
    metrics.record('target:up', { origin: shop, downMs: 5, at: midnight });
    expect(state()).toBe('up');
    down();
    attempt();
    expect(state()).toBe('up');
  });
});

describe('E7 attempts by target', () => {
  it('the first 1,000 targets are counted apart, the rest is other; states are of the last 1,000', () => {
    const { metrics, attempt } = given();
    for (let i = 0; i < 3000; i++) attempt({ origin: `https://t${i}.test` });
    for (const origin of ['https://t0.test', 'https://t2999.test']) {
      metrics.record('target:down', { origin, failures: 5, proxies: 3, at: midnight });
    }
    expect(metrics.totals().targets).toEqual({ up: 998, unsure: 0, down: 2 });
    const series = metrics.totalsByTarget(1000);
    expect(series).toHaveLength(1001);
    expect(series[0]?.origin).toBe('https://t0.test');
    expect(series.at(-1)).toMatchObject({ origin: 'other', attempts: { success: 2000 } });
  });

  it('maxTargetSeries caps the series, 100 by default; 0 names no target', () => {
    const { metrics, attempt } = given();
    for (let i = 0; i < 150; i++) attempt({ origin: `https://t${i}.test` });
    const shown = (text: string) => text.match(/^whirl_target_attempts_total\{.*$/gm) ?? [];
    expect(shown(renderPrometheus(metrics))).toHaveLength(101 * 4);
    expect(shown(renderPrometheus(metrics)).at(-4)).toBe(
      'whirl_target_attempts_total{target="other",outcome="success"} 50',
    );
    const none = renderPrometheus(metrics, { maxTargetSeries: 0 });
    expect(shown(none)[0]).toBe(
      'whirl_target_attempts_total{target="other",outcome="success"} 150',
    );
    expect(none).not.toContain('t0.test');
    expect(() => renderPrometheus(metrics, { maxTargetSeries: 1001 })).toThrow(
      'maxTargetSeries must be an integer from 0 to 1000, got 1001',
    );
  });
});

it('E5 failures are counted by blame, in the summary and since the start', () => {
  const { metrics, attempt, silent } = given();
  attempt();
  silent();
  silent({ blame: 'unknown' });
  silent({ blame: 'unknown' });
  expect(metrics.getSummary().failureByBlame).toEqual({ target: 1, unknown: 2 });
  expect(metrics.totals().attemptFailures).toEqual({
    none: 0,
    proxy: 0,
    target: 1,
    caller: 0,
    route: 0,
    unknown: 2,
  });
});
