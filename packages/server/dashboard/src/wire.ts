/** The REST contract as the page reads it: snake_case, durations in seconds, times as ISO text. */

export type CircuitState = 'closed' | 'open' | 'half_open';

export interface WireProxy {
  readonly id: string;
  readonly url: string;
  readonly region?: string | null;
  readonly tags?: readonly string[];
  readonly weight?: number;
  readonly state?: string;
  /** 0 to 1; null before the first outcome. */
  readonly success_rate?: number | null;
  readonly score?: number | null;
  readonly avg_latency?: number | null;
  readonly in_flight?: number;
  /** Of a provider's gateway: its exits, folded. */
  readonly exits?: { readonly count: number; readonly available: number; readonly renewed: number };
}

export interface WireCircuit {
  readonly proxy_id: string;
  readonly state: string;
  /** Whether an operator holds it there: open by hand, or closed because it is disabled. */
  readonly forced?: boolean;
  readonly failure_count: number;
  readonly failure_threshold: number;
  readonly window_duration: number;
  readonly timeout_duration: number;
  readonly next_test_time: string | null;
  readonly last_state_change: string | null;
}

export interface WireStatus {
  readonly mode: 'demo' | 'live';
  readonly demo_target?: string | null;
  /** Null where there is none. */
  readonly gateway?: WireGateway | null;
}

export interface WireGateway {
  /** `host:port`. */
  readonly address: string;
  readonly needs_password: boolean;
  readonly connections: number;
  readonly open_tunnels: number;
  readonly tunnels: number;
  readonly requests: number;
  readonly failed: number;
  readonly failovers: number;
  readonly failovers_last_hour: number;
  readonly bytes_up: number;
  readonly bytes_down: number;
}

export interface WireFleet {
  readonly pool: string;
  /** This one. */
  readonly process: string;
  readonly state: 'joining' | 'joined' | 'degraded' | 'suspect';
  readonly processes: readonly {
    readonly process: string;
    readonly witness: string;
    readonly state: 'joined' | 'suspect' | 'silent';
    readonly silent_since: string | null;
  }[];
  /** Of the proxy that was asked about. */
  readonly reports: readonly WireFleetReport[];
}

export interface WireFleetReport {
  readonly process: string;
  readonly failures_in_a_row: number;
  readonly open_until: string | null;
}

export interface WireTarget {
  readonly origin: string;
  readonly state: 'up' | 'unsure' | 'down';
  readonly reason: string;
  readonly attempts: number;
  readonly success_rate: number | null;
  readonly failures: Readonly<Record<string, number>>;
}

/** What `POST /request` answers; a failure has its attempts in the details. */
export interface WireResponse {
  readonly status_code: number;
  readonly body: string;
  readonly body_encoding: 'utf8' | 'base64';
  readonly attempts: readonly WireAttempt[];
}

export interface WireAttempt {
  readonly attempt: number;
  readonly proxy_id: string;
  readonly outcome: string;
  readonly status_code?: number;
  readonly error?: string;
  readonly latency: number;
  readonly delay_before: number;
}

export interface WireSummary {
  readonly total_requests?: number;
  readonly refused_requests?: number;
  readonly total_attempts?: number;
  readonly total_retries: number;
  readonly success_by_attempt: Readonly<Record<string, number>>;
  readonly failure_by_reason?: Readonly<Record<string, number>>;
  readonly circuit_breaker_events_count: number;
  readonly retention_hours: number;
}

export interface WirePoint {
  readonly timestamp: string;
  readonly total_requests: number;
  readonly total_retries: number;
  readonly success_rate: number | null;
  readonly avg_latency: number | null;
  readonly p50?: number | null;
  readonly p95?: number | null;
  readonly p99?: number | null;
}

export interface WireProxyMetrics {
  readonly proxy_id: string;
  readonly total_attempts: number;
  readonly success_count: number;
  readonly failure_count: number;
  readonly avg_latency: number | null;
  readonly p50?: number | null;
  readonly p95?: number | null;
  readonly p99?: number | null;
  readonly circuit_breaker_opens: number;
}

export interface WireInFlight {
  readonly request_id: string;
  readonly method: string;
  readonly origin: string;
  readonly attempt: number;
  readonly proxy_id: string | null;
  readonly next_retry_at: string | null;
}

export interface WireCircuitEvent {
  readonly proxy_id: string;
  readonly from_state: string;
  readonly to_state: string;
  readonly reason?: string;
  readonly timestamp: string;
  readonly failure_count: number;
}

/** Field name to value; the fields are those of `GET /retry/policy`. */
export type WirePolicy = Readonly<Record<string, unknown>>;
