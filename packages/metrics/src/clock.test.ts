import { afterEach, expect, it, vi } from 'vitest';
import { attemptEnd } from './facts.fixture.ts';

/** What sinon leaves of `performance`. */
const faked = { now: () => 7, timeOrigin: () => undefined };

afterEach(() => void vi.unstubAllGlobals());

for (const order of ['before', 'after'] as const) {
  it(`K20c fake timers that came ${order} the package do not break its clock`, async () => {
    vi.resetModules();
    if (order === 'before') vi.stubGlobal('performance', faked);
    const { RetryMetrics } = await import('./retry-metrics.ts');
    if (order === 'after') vi.stubGlobal('performance', faked);
    const metrics = new RetryMetrics();
    metrics.record('attempt:end', attemptEnd({ at: Date.now() }));
    expect(metrics.getTimeseries().at(-1)?.timestamp).toMatch(/^20\d\d-/);
    expect(metrics.recentAttempts()).toHaveLength(1);
  });
}
