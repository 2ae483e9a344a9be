import type {
  WireCircuit,
  WireFleet,
  WireFleetReport,
  WireGateway,
  WirePoint,
  WireProxy,
  WireProxyMetrics,
  WireTarget,
} from '../src/wire.ts';

const hourMs = 3_600_000;
const minuteMs = 60_000;
const regions = ['eu', 'us', 'ap', 'sa'];

/** A pool of any size with figures that look real and are the same in every run. */
export interface FakePool {
  proxies: WireProxy[];
  circuits: WireCircuit[];
  metrics: Record<string, WireProxyMetrics>;
  targets: WireTarget[];
  gateway: WireGateway | null;
  fleet: WireFleet | null;
  /** By proxy. */
  reports: Record<string, WireFleetReport[]>;
}

export const unusedGateway: WireGateway = {
  address: '127.0.0.1:8001',
  needs_password: false,
  connections: 0,
  open_tunnels: 0,
  tunnels: 0,
  requests: 0,
  failed: 0,
  failovers: 0,
  failovers_last_hour: 0,
  bytes_up: 0,
  bytes_down: 0,
};

/** A number between 0 and 1 that depends on its seeds alone. */
export function fraction(seed: number, salt = 0): number {
  const x = Math.sin(seed * 12.9898 + salt * 78.233) * 43_758.5453;
  return x - Math.floor(x);
}

export function fakeProxy(id: string, n = 0): WireProxy {
  const good = fraction(n, 1);
  return {
    id,
    url: `http://user@${id}/`,
    region: regions[n % regions.length] ?? null,
    tags: n % 5 === 0 ? ['residential'] : [],
    weight: 1,
    success_rate: good < 0.1 ? 0.02 : good < 0.3 ? 0.5 + good : 0.9 + good * 0.0999,
    avg_latency: 0.08 + fraction(n, 2) * 1.4,
    in_flight: Math.floor(fraction(n, 3) * 4),
  };
}

export function fakeCircuit(id: string, fields: Partial<WireCircuit> = {}): WireCircuit {
  return {
    proxy_id: id,
    state: 'closed',
    forced: false,
    failure_count: 0,
    failure_threshold: 5,
    window_duration: 60,
    timeout_duration: 30,
    next_test_time: null,
    last_state_change: new Date(Date.now() - hourMs).toISOString(),
    ...fields,
  };
}

export function openCircuit(id: string, dueInMs: number): WireCircuit {
  return fakeCircuit(id, {
    state: 'open',
    failure_count: 5,
    next_test_time: new Date(Date.now() + dueInMs).toISOString(),
    last_state_change: new Date(Date.now() + dueInMs - 30_000).toISOString(),
  });
}

/** Every tenth proxy is open, one in thirty half-open. */
export function fakePool(size: number): FakePool {
  const ids = Array.from({ length: size }, (_, n) => `proxy-${n + 1}.example.net:8080`);
  const proxies = ids.map((id, n) => fakeProxy(id, n));
  const circuits = ids.map((id, n) => {
    if (n % 10 === 3) return openCircuit(id, 5000 + fraction(n) * 25_000);
    return fakeCircuit(id, n % 30 === 7 ? { state: 'half_open', failure_count: 5 } : {});
  });
  const metrics = Object.fromEntries(
    proxies.map(({ id, avg_latency, success_rate }, n) => {
      const total = Math.floor(50 + fraction(n, 4) * 4000);
      const good = Math.floor(total * (success_rate ?? 0));
      const latency = avg_latency ?? 0;
      const figures: WireProxyMetrics = {
        proxy_id: id,
        total_attempts: total,
        success_count: good,
        failure_count: total - good,
        avg_latency: latency,
        p50: latency * 0.85,
        p95: latency * 2.4,
        p99: latency * 4.1,
        circuit_breaker_opens: n % 10 === 3 ? 1 + (n % 7) : 0,
      };
      return [id, figures];
    }),
  );
  return {
    proxies,
    circuits,
    metrics,
    targets: [],
    gateway: unusedGateway,
    fleet: null,
    reports: {},
  };
}

/** So many minutes with steady traffic, ending with the current one. */
export function fakeMinutes(count: number): WirePoint[] {
  const current = Math.floor(Date.now() / minuteMs);
  return Array.from({ length: count }, (_, n) => {
    // The same minute has the same figures whenever it is asked for.
    const minute = current - count + 1 + n;
    const requests = Math.round(60 + 30 * fraction(minute % 97));
    return {
      timestamp: new Date(minute * minuteMs).toISOString(),
      total_requests: requests,
      total_retries: Math.round(requests * 0.08),
      success_rate: 1 - 0.03 * fraction(minute % 89, 1),
      avg_latency: 0.3,
      p50: 0.24 + 0.05 * fraction(minute % 83, 2),
      p95: 0.9 + 0.2 * fraction(minute % 79, 3),
      p99: 1.7 + 0.6 * fraction(minute % 73, 4),
    };
  });
}

/** 24 hours with a quiet night, ending with the current hour. */
export function fakeHours(): WirePoint[] {
  const current = Math.floor(Date.now() / hourMs) * hourMs;
  return Array.from({ length: 24 }, (_, n) => {
    const load = 0.55 + 0.45 * Math.sin((n / 24) * 2 * Math.PI - 1.6);
    const requests = Math.round(400 + 5200 * load * (0.85 + 0.3 * fraction(n)));
    const trouble = n === 15 ? 0.07 : 0.004 + 0.012 * fraction(n, 1);
    return {
      timestamp: new Date(current - (23 - n) * hourMs).toISOString(),
      total_requests: requests,
      total_retries: Math.round(requests * (0.06 + trouble * 2)),
      success_rate: 1 - trouble,
      avg_latency: 0.3 + 0.1 * fraction(n, 2),
      p50: 0.24 + 0.05 * fraction(n, 2),
      p95: 0.9 + trouble * 8 + 0.2 * fraction(n, 3),
      p99: 1.7 + trouble * 14 + 0.6 * fraction(n, 4),
    };
  });
}

export const fakeSummary = {
  total_requests: 61_204,
  refused_requests: 12,
  total_attempts: 66_810,
  total_retries: 5594,
  success_by_attempt: { '0': 56_431, '1': 3920, '2': 411 },
  failure_by_reason: { timeout: 2210, connect: 1602, reset: 977, status: 640, dns: 31, tcp: 12 },
  circuit_breaker_events_count: 97,
  retention_hours: 24,
};

export const fakePolicy: Readonly<Record<string, unknown>> = {
  max_attempts: 3,
  backoff_strategy: 'exponential',
  base_delay: 1,
  multiplier: 2,
  max_backoff_delay: 30,
  jitter: false,
  retry_status_codes: [502, 503, 504],
  timeout: null,
  attempt_timeout: 30,
  connect_timeout: 10,
  body_timeout: 300,
  retry_non_idempotent: false,
  failover_delay: 'backoff',
  failover_on_proxy_auth: false,
  respect_retry_after: true,
  max_retry_after: 60,
  name: null,
  updated_at: '2026-01-01T00:00:00.000Z',
};
