import { createBus, type TunnelEnd, type WhirlEvents } from '@whirl/events';
import { expect, it } from 'vitest';
import { renderPrometheus } from '../exporters/prometheus.ts';
import { RetryMetrics } from '../retry-metrics.ts';

const ended = (over: Partial<TunnelEnd> = {}): TunnelEnd => ({
  requestId: 'r1',
  proxyId: 'p1',
  origin: 'tcp://target.test:443',
  bytesUp: 100,
  bytesDown: 2000,
  durationMs: 50,
  closedBy: 'client',
  replays: 0,
  at: 1000,
  ...over,
});

it('M10 tunnels are counted beside requests: those open, how they closed, their bytes and replays', () => {
  const bus = createBus<WhirlEvents>();
  const metrics = new RetryMetrics({ bus, now: () => 1000 });
  const opened = { requestId: 'r1', proxyId: 'p1', origin: 'tcp://target.test:443', at: 1000 };
  for (let i = 0; i < 3; i++) bus.emit('tunnel:open', opened);
  bus.emit('tunnel:end', ended());
  bus.emit('tunnel:end', ended({ closedBy: 'target', replays: 2, bytesUp: NaN }));
  expect(metrics.totals().tunnels).toEqual({
    open: 1,
    closed: { client: 1, target: 1, idle: 0, limit: 0, close: 0 },
    bytesUp: 100,
    bytesDown: 4000,
    replays: 2,
  });
  const text = renderPrometheus(metrics);
  for (const line of [
    'whirl_tunnels_open 1',
    'whirl_tunnels_closed_total{closed_by="target"} 1',
    'whirl_tunnel_bytes_total{direction="up"} 100',
    'whirl_tunnel_bytes_total{direction="down"} 4000',
    'whirl_tunnel_replays_total 2',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
  // One that was open before the first listener.
  for (let i = 0; i < 3; i++) bus.emit('tunnel:end', ended());
  expect(metrics.totals().tunnels.open).toBe(0);
});
